package tardis

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// Files is a datasets.Source of local files, .csv or .csv.gz. See Identify for which file holds
// which partition.
type Files struct {
	Paths      map[datasets.Partition]string
	MaxBadRows int64 // malformed rows a file may have; they are set aside
}

// Open starts reading p's file; see datasets.Source.
func (f *Files) Open(ctx context.Context, p datasets.Partition) (datasets.Stream, error) {
	file, size, err := f.file(p)
	if err != nil {
		return nil, err
	}
	s := &stream{ctx: ctx, meter: newMeter(file, false), path: metaPath(file.Name(), p), total: size, closer: func() { file.Close() }}
	if err := s.unpack(strings.HasSuffix(file.Name(), ".gz")); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	s.decode(p, file.Name(), f.MaxBadRows)
	return s, nil
}

// Identify gives what Open's stream would say about its source, for one pass over the file; see
// datasets.Identifier.
func (f *Files) Identify(ctx context.Context, p datasets.Partition) (datasets.SourceMeta, error) {
	file, _, err := f.file(p)
	if err != nil {
		return datasets.SourceMeta{}, err
	}
	defer file.Close()
	m := newMeter(file, false)
	for buf := make([]byte, 256<<10); ; {
		if ctx.Err() != nil {
			return datasets.SourceMeta{}, context.Cause(ctx)
		}
		switch _, err := m.Read(buf); {
		case err == io.EOF:
			return datasets.SourceMeta{Path: metaPath(file.Name(), p), Bytes: m.n.Load(), SHA256: hex.EncodeToString(m.sha256.Sum(nil))}, nil
		case err != nil:
			return datasets.SourceMeta{}, err
		}
	}
}

func (f *Files) file(p datasets.Partition) (*os.File, int64, error) {
	path, ok := f.Paths[p]
	if !ok {
		return nil, 0, fmt.Errorf("%w among the given files", datasets.ErrNotFound)
	}
	file, err := datasets.OpenFile(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// metaPath is the vendor's path where the file's name or folders tell it, so that a downloaded and
// an imported copy of the same bytes are the same source; else the file's name.
func metaPath(path string, p datasets.Partition) string {
	if named, ok := fromPath(absolute(path)); ok && named == p {
		_, ext := cutExt(path)
		return sourcePath(p, ext)
	}
	return filepath.Base(path)
}

// absolute lets a relative path show the folders that it is in.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Identify tells which partition a local file holds: from a name like FileName's, from folders laid
// out like the vendor's URLs, or from the header and the first row. Trades and liquidations share a
// header, as do quotes and book_ticker; where such a file is not named by its type, feed has to say
// which it is. An options_chain that nothing names is the group OPTIONS, as the vendor has no other. feed is "" otherwise, and where a name disagrees with it that is an error.
func Identify(path string, feed datasets.DataType) (datasets.Partition, error) {
	p, ok := fromPath(absolute(path))
	if !ok {
		return identifyRows(path, feed)
	}
	if unit := datasets.TimeUnit(p.Day.Start()); unit != "" {
		return p, fmt.Errorf("%s: its name says %s, a day before 2010 or after 2099", path, p.Day)
	}
	if feed != "" && feed != p.Type {
		return p, fmt.Errorf("%s: its name says %s, not %s", path, p.Type, feed)
	}
	return p, nil
}

// identifyRows looks at the header and the first row.
func identifyRows(path string, feed datasets.DataType) (p datasets.Partition, err error) {
	fail := func(format string, a ...any) (datasets.Partition, error) {
		return datasets.Partition{}, fmt.Errorf("%s: %w", path, fmt.Errorf(format, a...))
	}
	header, row, err := firstLines(path)
	if err != nil {
		return p, err
	}
	names := splitLine(header)
	feeds := feedsOf(names)
	switch {
	case feed != "" && slices.Contains(feeds, feed):
		p.Type = feed
	case feed != "":
		return fail("its header is not that of %s: %s", feed, quote(header))
	case len(feeds) == 0:
		return fail("its header is that of no feed: %s", quote(header))
	case len(feeds) > 1:
		return fail("its header is that of %s and of %s: say which with --type", feeds[0], feeds[1])
	default:
		p.Type = feeds[0]
	}
	cells := splitLine(row)
	if row == "" {
		return fail("it has no rows to tell exchange, symbol and day from: name it {exchange}_{type}_{date}_{symbol}.csv.gz")
	}
	if len(cells) != len(names) {
		return fail("line 2: the row has %d cells, the header %d", len(cells), len(names))
	}
	cell := func(name string) string { return cells[slices.Index(names, name)] }
	p.Instrument = datasets.Instrument{Exchange: cell(exchangeColumn), Symbol: datasets.NormalizeSymbol(cell(datasets.SymbolColumn))}
	if p.Type == datasets.OptionsChain {
		p.Symbol = "OPTIONS" // the vendor has that feed by group only
	}
	if err := p.Instrument.Validate(); err != nil {
		return fail("line 2: %w", err)
	}
	us, err := parseTime([]byte(cell(datasets.LocalTimestamp)))
	if err != nil {
		return fail("line 2: column %s: %s: %w", datasets.LocalTimestamp, quote(cell(datasets.LocalTimestamp)), err)
	}
	if unit := datasets.TimeUnit(us); unit != "" {
		return fail("line 2: column %s: %s", datasets.LocalTimestamp, unit)
	}
	p.Day = datasets.DayOf(us)
	return p, nil
}

// splitLine gives a line's cells; of one with odd quotes, which the decoder will refuse, as they stand.
func splitLine(line string) []string {
	var d Decoder
	cells, err := d.unquoted([]byte(line))
	if err != nil {
		return strings.Split(line, ",")
	}
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = string(c)
	}
	return out
}

// feedsOf lists the feeds whose columns a header has, in any order.
func feedsOf(names []string) []datasets.DataType {
	have := slices.Sorted(slices.Values(names))
	var feeds []datasets.DataType
	for _, t := range datasets.DataTypes() {
		want := []string{exchangeColumn, datasets.SymbolColumn}
		for _, c := range t.Columns() {
			want = append(want, c.Name)
		}
		slices.Sort(want)
		if slices.Equal(have, want) {
			feeds = append(feeds, t)
		}
	}
	return feeds
}

// firstLines reads a file's header and first row.
func firstLines(path string) (header, row string, err error) {
	files := Files{Paths: map[datasets.Partition]string{{}: path}}
	file, _, err := files.file(datasets.Partition{})
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	s := stream{meter: newMeter(file, false)}
	if err := s.unpack(strings.HasSuffix(path, ".gz")); err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	head, err := io.ReadAll(io.LimitReader(s.body, 2*maxLine))
	if err != nil && len(head) == 0 {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	lines := append(bytes.SplitN(head, []byte{'\n'}, 3), nil, nil)
	trim := func(b []byte) string { return string(bytes.TrimSuffix(b, []byte{'\r'})) }
	lines[0] = bytes.TrimPrefix(lines[0], byteOrderMark)
	return trim(lines[0]), trim(lines[1]), nil
}

var (
	_ datasets.Source     = (*Files)(nil)
	_ datasets.Identifier = (*Files)(nil)
	_ datasets.Source     = (*Client)(nil)
)
