package reports

import (
	"io"
	"strings"
	"unicode/utf8"
)

// writeColumns writes lines of cells in columns two spaces apart. Columns from the right-th on are
// aligned right.
func writeColumns(w io.Writer, lines [][]string, right int) error {
	var width []int
	for _, line := range lines {
		for k, cell := range line {
			if k == len(width) {
				width = append(width, 0)
			}
			width[k] = max(width[k], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var text strings.Builder
		for k, cell := range line {
			room := strings.Repeat(" ", width[k]-utf8.RuneCountInString(cell))
			if k > 0 {
				text.WriteString("  ")
			}
			if k >= right {
				text.WriteString(room + cell)
			} else {
				text.WriteString(cell + room)
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
