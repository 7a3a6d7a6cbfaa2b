package bars

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// months reads the files of a source in the cache, day by day: fast where days come in order, since the file of a month
// stays open between them. Its zero reads no columns but the times.
type months struct {
	columns []int // of the tables; the others are 0

	mu    sync.Mutex
	month string
	days  []keptDay // of its file; none where there is none that fits
	at    int       // the next of them
	rows  array.RecordReader
	left  arrow.Record // what was read and belongs to later days; nil: nothing
	spare []*table     // given before, and not used any more
	zeros []float64
}

// find gives the table of day i, or nil where the cache has none that fits. A file that fits and cannot be read is an
// error, since days of it may have been given.
func (m *months) find(s Store, q Request, f *source, i int) (*table, error) {
	if f.noCache {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	day := f.parts[i].info.Partition.Day
	if month := monthOf(day); m.month != month || f.place(m.days, i) >= 0 && f.place(m.days, i) < m.at {
		m.open(s, f, month, f.cachePath(q.Instrument, month))
	}
	k := f.place(m.days, i)
	if k < 0 {
		return f.pick(f.cached(s, f.cachePath(q.Instrument, dayOf(day))), i), nil
	}
	var t *table
	for ; m.at <= k; m.at++ {
		var err error
		if t, err = m.take(f, &m.days[m.at], m.at == k); err != nil {
			return nil, fmt.Errorf("bars %s: kept in %s: %w; remove that file", f.parts[i].info.Partition, f.cachePath(q.Instrument, m.month), err)
		}
	}
	t.day = i
	return t, nil
}

// close closes the file.
func (m *months) close() {
	if m.left != nil {
		m.left.Release()
	}
	if m.rows != nil {
		m.rows.Release()
	}
	m.month, m.days, m.at, m.rows, m.left = "", nil, 0, nil, nil
}

// open begins the file of a month.
func (m *months) open(s Store, f *source, month, path string) {
	m.close()
	m.month = month
	names := []string{tsField.Name}
	for _, c := range m.columns {
		names = append(names, f.fields[c])
	}
	rows, meta, err := s.OpenTable(path, names...)
	if err != nil {
		return
	}
	m.rows, m.days = rows, f.daysOf(meta)
	for c, field := range rows.Schema().Fields() {
		if c == 0 && !arrow.TypeEqual(field.Type, tsField.Type) || c > 0 && field.Type.ID() != arrow.FLOAT64 {
			m.days = nil
		}
	}
}

// take reads the rows of the next day, into a table where that is wanted.
func (m *months) take(f *source, d *keptDay, wanted bool) (*table, error) {
	var t *table
	if wanted {
		t = m.table(len(f.fields), d.Rows)
	}
	for n := d.Rows; n > 0; {
		if m.left == nil || m.left.NumRows() == 0 {
			if !m.rows.Next() {
				return nil, cmp.Or(m.rows.Err(), io.ErrUnexpectedEOF)
			}
			m.keep(m.rows.Record(), 0)
		}
		k := min(n, int(m.left.NumRows()))
		if wanted {
			if err := m.append(t, k); err != nil {
				return nil, err
			}
		}
		n -= k
		m.keep(m.left, k)
	}
	if !wanted {
		return nil, nil
	}
	var err1, err2 error
	t.tail[0], err1 = decodeFloats(d.Buy)
	t.tail[1], err2 = decodeFloats(d.Sell)
	if err1 != nil || err2 != nil || len(t.tail[0]) != len(t.tail[1]) {
		return nil, fmt.Errorf("what crosses midnight of %s is no list of numbers", d.Day)
	}
	return t, nil
}

// table is an empty one with room for so many rows; columns that are not read have them already.
func (m *months) table(fields, rows int) (t *table) {
	if n := len(m.spare); n > 0 {
		t, m.spare = m.spare[n-1], m.spare[:n-1]
		t.reset()
	} else {
		t = newTable(fields)
		t.ts = make([]int64, 0, rows)
		for _, c := range m.columns {
			t.cols[c] = make([]float64, 0, rows)
		}
	}
	if len(m.zeros) < rows {
		m.zeros = make([]float64, rows)
	}
	for c := range t.cols {
		if !slices.Contains(m.columns, c) {
			t.cols[c] = m.zeros[:rows:rows]
		}
	}
	return t
}

// append adds the first n rows of what is left.
func (m *months) append(t *table, n int) error {
	ts := m.left.Column(0).(*array.Timestamp)
	t.ts = append(t.ts, arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(ts.TimestampValues()[:n]))...)
	nulls := ts.NullN()
	for k, c := range m.columns {
		col := m.left.Column(k + 1).(*array.Float64)
		t.cols[c] = append(t.cols[c], col.Float64Values()[:n]...)
		nulls += col.NullN()
	}
	if nulls > 0 {
		return fmt.Errorf("%d cells are empty", nulls)
	}
	return nil
}

// keep leaves the rows of a batch from one on.
func (m *months) keep(rec arrow.Record, from int) {
	rest := rec.NewSlice(int64(from), rec.NumRows())
	if m.left != nil {
		m.left.Release()
	}
	m.left = rest
}
