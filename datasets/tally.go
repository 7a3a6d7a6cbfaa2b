package datasets

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/zeebo/xxh3"
)

// SchemaVersion counts the changes of the lake's file format that change what a reader must do. It
// is part of every digest.
const SchemaVersion = 1

// tally is what a lake file's footer says about its rows, gathered while they pass by.
type tally struct {
	dataType    DataType
	day         Day
	schema      *arrow.Schema
	columns     []columnDigest
	rows        int64
	first, last int64
	violations  int64
	looker      *looker
}

func newTally(p Partition) *tally {
	t := &tally{dataType: p.Type, day: p.Day, looker: newLooker(p.Type)}
	var fields []arrow.Field
	for _, c := range p.Type.Columns() {
		floor := math.Inf(-1)
		if c.isAmount() { // a negative price is a finding of verify: spreads of futures have them
			floor = 0
		}
		t.columns = append(t.columns, columnDigest{Column: c, floor: floor})
		fields = append(fields, c.Field())
	}
	t.schema = arrow.NewSchema(fields, nil)
	return t
}

// reset starts over with the rows of another day.
func (t *tally) reset(day Day) {
	for i := range t.columns {
		t.columns[i].reset()
	}
	t.looker.reset()
	t.day, t.rows, t.first, t.last, t.violations = day, 0, 0, 0, 0
}

// look is what was seen of the prices.
func (t *tally) look() Look { return t.looker.end() }

// add takes a record with the feed's full schema. The error says which row is not what a lake file
// may hold: a null where none is allowed, an unknown enum value, a time outside the day.
func (t *tally) add(rec arrow.Record) error {
	if err := checkSchema(rec.Schema(), t.schema); err != nil {
		return err
	}
	for i := range t.columns {
		if err := t.columns[i].add(rec.Column(i), t.rows); err != nil {
			return err
		}
	}
	lo, hi := t.day.Start(), (t.day + 1).Start()
	for i, v := range rec.Column(localTimeIndex).(*array.Timestamp).TimestampValues() {
		us := int64(v)
		if us < lo || us >= hi {
			return fmt.Errorf("row %d: local_timestamp %d is %s, not %s", t.rows+int64(i)+1, us, DayOf(us), t.day)
		}
		if us < t.last {
			t.violations++
		}
		t.last = us
		if t.rows == 0 && i == 0 {
			t.first = us
		}
	}
	t.looker.add(rec)
	t.rows += rec.NumRows()
	return nil
}

// localTimeIndex is the place of local_timestamp in every feed's columns.
const localTimeIndex = 1

// checkSchema reports where s differs from want in the names, order or types of columns.
func checkSchema(s, want *arrow.Schema) error {
	if s.NumFields() != want.NumFields() {
		return fmt.Errorf("%d columns, want %d", s.NumFields(), want.NumFields())
	}
	for i, w := range want.Fields() {
		if f := s.Field(i); f.Name != w.Name || !arrow.TypeEqual(f.Type, w.Type) {
			return fmt.Errorf("column %d is %s %s, want %s %s", i, f.Name, f.Type, w.Name, w.Type)
		}
	}
	return nil
}

// digests gives each column's digest, by name.
func (t *tally) digests() map[string]string {
	out := make(map[string]string, len(t.columns))
	for i := range t.columns {
		out[t.columns[i].Name] = t.columns[i].sum(t.rows)
	}
	return out
}

// combine is Info.Digest: xxh3-128 over the schema version, the feed and the column digests in the
// feed's order.
func combine(t DataType, digests map[string]string) string {
	text := fmt.Appendf(nil, "qf lake %d %s\n", SchemaVersion, t)
	for _, c := range t.Columns() {
		text = fmt.Appendf(text, "%s %s\n", c.Name, digests[c.Name])
	}
	return hex128(xxh3.Hash128(text))
}

func hex128(u xxh3.Uint128) string {
	b := u.Bytes()
	return hex.EncodeToString(b[:])
}

// columnDigest hashes a column's cells with xxh3-128 so that neither batch boundaries nor the
// dictionary's order matter. Body takes every cell's canonical bytes: 8 little-endian bytes of a
// time or number, the text, one byte with an enum's place in Column.Values or a boolean. A null is
// zeros, or no text. Marks takes the rows (8 bytes) of the nulls, lengths the texts' lengths.
type columnDigest struct {
	Column
	floor                float64 // what a number may not be below
	body, marks, lengths xxh3.Hasher
	scratch              []byte
}

func (d *columnDigest) reset() {
	d.body.Reset()
	d.marks.Reset()
	d.lengths.Reset()
}

func (d *columnDigest) sum(rows int64) string {
	var b []byte
	for _, h := range []*xxh3.Hasher{&d.body, &d.marks, &d.lengths} {
		s := h.Sum128().Bytes()
		b = append(b, s[:]...)
	}
	return hex128(xxh3.Hash128(binary.LittleEndian.AppendUint64(b, uint64(rows))))
}

// add hashes the cells of a, whose first one is the file's row firstRow, counted from 0.
func (d *columnDigest) add(a arrow.Array, firstRow int64) error {
	if a.Len() == 0 {
		return nil
	}
	if a.NullN() > 0 {
		if err := d.mark(a, firstRow); err != nil {
			return err
		}
	}
	switch a := a.(type) {
	case *array.Timestamp:
		d.fixed(a, 8, arrow.TimestampTraits.CastToBytes(a.TimestampValues()))
	case *array.Float64:
		for i, v := range a.Float64Values() {
			if (v-v != 0 || v < d.floor) && a.IsValid(i) {
				return fmt.Errorf("row %d: %s is %v, which is not a number that a cell may hold", firstRow+int64(i)+1, d.Name, v)
			}
		}
		d.fixed(a, 8, arrow.Float64Traits.CastToBytes(a.Float64Values()))
	case *array.Boolean:
		d.scratch = d.scratch[:0]
		for i := range a.Len() {
			var b byte
			if a.Value(i) {
				b = 1
			}
			d.scratch = append(d.scratch, b)
		}
		d.fixed(a, 1, d.scratch)
	case *array.Dictionary:
		return d.enum(a, firstRow)
	case *array.String:
		d.text(a)
	default:
		panic("datasets: digest of an unknown column kind")
	}
	return nil
}

func (d *columnDigest) mark(a arrow.Array, firstRow int64) error {
	d.scratch = d.scratch[:0]
	for i := range a.Len() {
		if a.IsNull(i) {
			if !d.Nullable {
				return fmt.Errorf("row %d: %s is empty", firstRow+int64(i)+1, d.Name)
			}
			d.scratch = binary.LittleEndian.AppendUint64(d.scratch, uint64(firstRow)+uint64(i))
		}
	}
	d.marks.Write(d.scratch)
	return nil
}

// fixed hashes cells of width bytes each, those of nulls as zeros.
func (d *columnDigest) fixed(a arrow.Array, width int, cells []byte) {
	if a.NullN() > 0 {
		d.scratch = append(d.scratch[:0], cells...)
		cells = d.scratch
		for i := range a.Len() {
			if a.IsNull(i) {
				clear(cells[i*width : (i+1)*width])
			}
		}
	}
	d.body.Write(cells)
}

func (d *columnDigest) enum(a *array.Dictionary, firstRow int64) error {
	names := a.Dictionary().(*array.String)
	place := make([]int, names.Len()) // of the array's code in Column.Values
	for i := range place {
		place[i] = slices.Index(d.Values, names.Value(i))
	}
	d.scratch = d.scratch[:0]
	for i, code := range a.Indices().(*array.Int8).Int8Values() {
		var b byte
		if a.IsValid(i) {
			if code < 0 || int(code) >= len(place) || place[code] < 0 {
				return fmt.Errorf("row %d: %s has a value that is not one of %q", firstRow+int64(i)+1, d.Name, d.Values)
			}
			b = byte(place[code])
		}
		d.scratch = append(d.scratch, b)
	}
	d.body.Write(d.scratch)
	return nil
}

func (d *columnDigest) text(a *array.String) {
	d.scratch = d.scratch[:0]
	bare := true // nulls take no bytes, as they do in what qf makes
	offsets, nulls := a.ValueOffsets(), a.NullN() > 0
	for i, start := range offsets[:a.Len()] {
		n := uint32(offsets[i+1] - start)
		if n > 0 && nulls && a.IsNull(i) {
			bare, n = false, 0
		}
		d.scratch = binary.LittleEndian.AppendUint32(d.scratch, n)
	}
	d.lengths.Write(d.scratch)
	if bare {
		d.body.Write(a.ValueBytes())
		return
	}
	for i := range a.Len() {
		if a.IsValid(i) {
			d.body.WriteString(a.Value(i))
		}
	}
}
