package yamlconf

import (
	"strings"
	"unicode"
)

// ErrorIn records a problem within a text, so many bytes after its beginning: at the line and column of the document
// where that stands, whichever way the text is written there.
func (p *Positions) ErrorIn(path string, offset int, format string, a ...any) {
	if p.Failed(path) {
		return
	}
	p.add(path, format, a...)
	if n := p.nodes[path]; n != nil && n.origin == "" {
		e := p.errs[len(p.errs)-1]
		e.Line, e.Col = n.place(offset)
	}
}

// place finds a byte of the text of a scalar in the document. Line breaks, indents and quotes, which the text does not
// have, are passed over; all other characters of the text stand in the document in their order.
func (n *Node) place(offset int) (line, col int) {
	line, col = n.Line-1, n.Col-1
	if n.Kind != Scalar || line < 0 || line >= len(n.source) {
		return n.Line, n.Col
	}
	row := []rune(n.source[line])
	if col < len(row) {
		switch row[col] {
		case '|', '>':
			if strings.TrimSpace(string(row[col:])) != n.Text { // the text begins below
				row = row[:col]
			}
		case '"', '\'':
			col++
		}
	}
	for k, r := range n.Text {
		if unicode.IsSpace(r) {
			if k >= offset {
				break
			}
			continue
		}
		for col >= len(row) || row[col] != r {
			if col++; col < len(row) {
				continue
			}
			if line++; line >= len(n.source) {
				return n.Line, n.Col
			}
			row, col = []rune(n.source[line]), 0
		}
		if k >= offset {
			break
		}
		col++
	}
	return line + 1, col + 1
}
