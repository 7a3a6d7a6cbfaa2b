package tardistest

import (
	"bytes"
	"io"
	"slices"
	"strconv"

	"github.com/qf-dev/qf/datasets"
)

// writeGroup writes the file of a grouped symbol: the rows of its members, in memory meanwhile, by
// arrival and then in the members' order.
func (m *Market) writeGroup(w io.Writer, p datasets.Partition) error {
	var files []*lines
	for _, in := range m.members(p) {
		var b bytes.Buffer
		if err := m.writeFile(&b, datasets.Partition{Instrument: in, Type: p.Type, Day: p.Day}); err != nil {
			return err
		}
		if f := newLines(b.Bytes()); f.next() {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil // no header either: nothing was recorded
	}
	var out bytes.Buffer
	out.Write(files[0].head)
	for len(files) > 0 {
		first := slices.MinFunc(files, func(a, b *lines) int { return int(a.local - b.local) })
		out.Write(first.line)
		if !first.next() {
			files = slices.DeleteFunc(files, func(f *lines) bool { return f == first })
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// members lists the instruments whose rows the grouped symbol of p holds.
func (m *Market) members(p datasets.Partition) []datasets.Instrument {
	var members []datasets.Instrument
	k, whole := kinds[p.Symbol]
	chain := p.Symbol == "OPTIONS" && p.Type == datasets.OptionsChain
	for _, in := range m.Instruments {
		l := listingOf(in)
		switch {
		case in.Exchange != p.Exchange || !m.open(in, p.Type, p.Day):
		case chain && l.kind == perpetual, whole && l.kind == k && feeds[p.Type].fits(l.kind):
			members = append(members, in)
		}
	}
	return members
}

// lines walks the rows of a CSV file.
type lines struct {
	head, line, rest []byte // lines with their LF
	local            int64
}

func newLines(file []byte) *lines {
	f := &lines{rest: file}
	f.head = f.cut()
	return f
}

func (f *lines) cut() []byte {
	n := bytes.IndexByte(f.rest, '\n') + 1
	line := f.rest[:n]
	f.rest = f.rest[n:]
	return line
}

// next moves to the next row and reports whether there is one.
func (f *lines) next() bool {
	if f.line = f.cut(); len(f.line) == 0 {
		return false
	}
	cells := bytes.SplitN(f.line, []byte(","), 5)
	local, err := strconv.ParseInt(string(cells[3]), 10, 64)
	if err != nil {
		panic("tardistest: local_timestamp of a simulated row: " + err.Error())
	}
	f.local = local
	return true
}
