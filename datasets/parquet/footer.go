package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"
)

const (
	magic = "PAR1"
	// maxPageBytes and maxPageRows bound what one page may hold. Writers aim at a megabyte.
	maxPageBytes = 1 << 28
	maxPageRows  = 1 << 26
)

// footer is what the reader needs of a file's metadata.
type footer struct {
	rows   int64
	leaves []leaf
	groups []group
	meta   map[string]string
	writer string // what wrote the file, by its own name
	sealed bool   // footer and page headers are what was written
}

// leaf is a column of values.
type leaf struct {
	name       string
	repetition format.FieldRepetitionType
	physical   format.Type
	annotation annotation
	nested     bool // not directly below the root
}

// annotation is a column's logical or converted type as far as it matters here.
type annotation struct {
	kind annotationKind
	unit int64 // of a timestamp: nanoseconds
	bits int8  // of an integer
	sign bool
	name string // of another: for errors
}

type annotationKind uint8

const (
	annotationNone annotationKind = iota
	annotationText
	annotationTimestamp
	annotationInteger
	annotationOther
)

type group struct {
	rows   int64
	chunks []chunk // one a leaf
}

// chunk is a column's part of a row group.
type chunk struct {
	physical   format.Type
	codec      format.CompressionCodec
	values     int64  // nulls included
	start, end int64  // its bytes in the file
	min, max   []byte // statistics of an INT64 column in PLAIN form, or nil
	heads      uint32 // CRC-32 of its page headers, where the file is sealed
	sealed     bool
}

// parseFooter reads the metadata in b, which ends at offset limit of the file.
func parseFooter(b []byte, limit int64) (*footer, error) {
	f := &footer{meta: map[string]string{}}
	var schema []schemaElement
	r := &thriftReader{b: b}
	r.fields(func(id int16) bool {
		switch id {
		case 2:
			r.list(func() { schema = append(schema, r.schemaElement()) })
		case 3:
			f.rows = r.int()
		case 4:
			r.list(func() { f.groups = append(f.groups, r.group()) })
		case 5:
			r.list(func() {
				var k, v string
				r.structure(func(id int16) bool {
					switch id {
					case 1:
						k = r.string()
					case 2:
						v = r.string()
					default:
						return false
					}
					return true
				}, 1)
				f.meta[k] = v
			})
		case 6:
			f.writer = r.string()
		case 8:
			r.fail(errors.New("the file is encrypted"))
		default:
			return false
		}
		return true
	}, 1, 2, 3, 4)
	if r.err != nil {
		return nil, r.err
	}
	if len(r.b) > 0 {
		return nil, fmt.Errorf("%d bytes after its end", len(r.b))
	}
	var err error
	if f.leaves, err = leaves(schema); err != nil {
		return nil, err
	}
	return f, f.validate(limit)
}

func (f *footer) validate(limit int64) error {
	var rows int64
	for g, group := range f.groups {
		if group.rows < 0 || group.rows > math.MaxInt64-rows {
			return fmt.Errorf("row group %d: %d rows", g, group.rows)
		}
		rows += group.rows
		if len(group.chunks) != len(f.leaves) {
			return fmt.Errorf("row group %d: %d columns, the schema has %d", g, len(group.chunks), len(f.leaves))
		}
		for c, chunk := range group.chunks {
			leaf := f.leaves[c]
			switch {
			case chunk.physical != leaf.physical:
				return fmt.Errorf("row group %d: column %q: type %v, the schema has %v", g, leaf.name, chunk.physical, leaf.physical)
			case chunk.values != group.rows && !leaf.nested && leaf.repetition != format.Repeated:
				return fmt.Errorf("row group %d: column %q: %d values in %d rows", g, leaf.name, chunk.values, group.rows)
			case chunk.start < int64(len(magic)) || chunk.end < chunk.start || chunk.end > limit:
				return fmt.Errorf("row group %d: column %q: bytes %d to %d are not in the file", g, leaf.name, chunk.start, chunk.end)
			}
		}
	}
	if rows != f.rows {
		return fmt.Errorf("%d rows in the row groups, %d in the footer", rows, f.rows)
	}
	return nil
}

type schemaElement struct {
	leaf
	children int64
	isGroup  bool
}

func (r *thriftReader) schemaElement() (e schemaElement) {
	r.structure(func(id int16) bool {
		switch id {
		case 1:
			e.physical = format.Type(r.int())
		case 3:
			e.repetition = format.FieldRepetitionType(r.int())
		case 4:
			e.name = r.string()
		case 5:
			e.children, e.isGroup = r.int(), true
		case 6:
			if a := convertedType(r.int()); e.annotation.kind == annotationNone {
				e.annotation = a
			}
		case 10:
			if a := r.logicalType(); a.kind != annotationNone {
				e.annotation = a
			}
		default:
			return false
		}
		return true
	}, 4)
	return e
}

const (
	nanosPerMilli = 1_000_000
	nanosPerMicro = 1_000
)

// convertedType maps the old enumeration of annotations.
func convertedType(t int64) annotation {
	switch {
	case t == 0 || t == 4 || t == 19: // UTF8, ENUM, JSON
		return annotation{kind: annotationText}
	case t == 9:
		return annotation{kind: annotationTimestamp, unit: nanosPerMilli}
	case t == 10:
		return annotation{kind: annotationTimestamp, unit: nanosPerMicro}
	case 11 <= t && t <= 14:
		return annotation{kind: annotationInteger, bits: 8 << (t - 11)}
	case 15 <= t && t <= 18:
		return annotation{kind: annotationInteger, bits: 8 << (t - 15), sign: true}
	}
	return annotation{kind: annotationOther, name: fmt.Sprintf("converted type %d", t)}
}

var logicalNames = map[int16]string{
	2: "MAP", 3: "LIST", 5: "DECIMAL", 6: "DATE", 7: "TIME", 13: "BSON", 14: "UUID", 15: "FLOAT16",
	16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
}

// logicalType reads the union of annotations.
func (r *thriftReader) logicalType() (a annotation) {
	r.structure(func(id int16) bool {
		switch id {
		case 1, 4, 12: // STRING, ENUM, JSON
			a = annotation{kind: annotationText}
		case 8:
			a = annotation{kind: annotationTimestamp}
			r.structure(func(id int16) bool {
				if id == 2 {
					r.structure(func(id int16) bool {
						switch id {
						case 1:
							a.unit = nanosPerMilli
						case 2:
							a.unit = nanosPerMicro
						case 3:
							a.unit = 1
						}
						return false
					})
					return true
				}
				return false
			}, 1, 2)
			if a.unit == 0 {
				a = annotation{kind: annotationOther, name: "TIMESTAMP in an unknown unit"}
			}
			return true
		case 10:
			a = annotation{kind: annotationInteger}
			r.structure(func(id int16) bool {
				switch id {
				case 1:
					a.bits = int8(r.int())
				case 2:
					a.sign = r.bool()
				default:
					return false
				}
				return true
			}, 1, 2)
			return true
		case 11: // UNKNOWN: a column of nulls only
		default:
			a = annotation{kind: annotationOther, name: logicalNames[id]}
		}
		return false
	})
	return a
}

func (r *thriftReader) group() (g group) {
	r.structure(func(id int16) bool {
		switch id {
		case 1:
			r.list(func() { g.chunks = append(g.chunks, r.chunk()) })
		case 3:
			g.rows = r.int()
		default:
			return false
		}
		return true
	}, 1, 3)
	return g
}

func (r *thriftReader) chunk() (c chunk) {
	var found bool
	r.structure(func(id int16) bool {
		switch id {
		case 1:
			r.fail(fmt.Errorf("a column is in another file: %.80q", r.bytes()))
		case 3:
			c, found = r.columnMetaData(), true
		default:
			return false
		}
		return true
	})
	if !found {
		r.fail(errors.New("a column chunk without metadata"))
	}
	return c
}

func (r *thriftReader) columnMetaData() (c chunk) {
	var dictionary, data, size int64
	r.structure(func(id int16) bool {
		switch id {
		case 1:
			c.physical = format.Type(r.int())
		case 4:
			c.codec = format.CompressionCodec(r.int())
		case 5:
			c.values = r.int()
		case 7:
			size = r.int()
		case 9:
			data = r.int()
		case 11:
			dictionary = r.int()
		case 12:
			c.min, c.max = r.statistics()
		default:
			return false
		}
		return true
	}, 1, 4, 5, 7, 9)
	c.start = data
	if dictionary > 0 && dictionary < data {
		c.start = dictionary
	}
	if size < 0 || size > math.MaxInt64-max(c.start, 0) {
		r.fail(fmt.Errorf("a column chunk of %d bytes", size))
	}
	c.end = c.start + size
	return c
}

// statistics gives the smallest and the largest value. The deprecated pair of fields serves where
// the other is missing: for signed integers they mean the same.
func (r *thriftReader) statistics() (lo, hi []byte) {
	var old [2][]byte
	r.structure(func(id int16) bool {
		switch id {
		case 1:
			old[1] = r.bytes()
		case 2:
			old[0] = r.bytes()
		case 5:
			hi = r.bytes()
		case 6:
			lo = r.bytes()
		default:
			return false
		}
		return true
	})
	if lo == nil && hi == nil {
		return old[0], old[1]
	}
	return lo, hi
}

// bounds gives the chunk's statistics as integers, if it has them.
func (c *chunk) bounds() (lo, hi int64, ok bool) {
	if c.physical != format.Int64 || len(c.min) != 8 || len(c.max) != 8 {
		return 0, 0, false
	}
	return int64(binary.LittleEndian.Uint64(c.min)), int64(binary.LittleEndian.Uint64(c.max)), true
}

// leaves flattens the depth-first list of schema elements.
func leaves(elements []schemaElement) ([]leaf, error) {
	if len(elements) == 0 {
		return nil, errors.New("no schema")
	}
	var out []leaf
	open := []int64{elements[0].children} // children still to come, by depth
	names := []string{""}                 // of the groups that are open
	for _, e := range elements[1:] {
		for len(open) > 0 && open[len(open)-1] == 0 {
			open, names = open[:len(open)-1], names[:len(names)-1]
		}
		if len(open) == 0 || open[len(open)-1] < 0 || len(open) > thriftDepth {
			return nil, errors.New("the schema is not a tree")
		}
		open[len(open)-1]--
		if len(names) > 1 {
			e.name = names[len(names)-1] + "." + e.name
		}
		if e.isGroup {
			open, names = append(open, e.children), append(names, e.name)
			continue
		}
		e.nested = len(open) > 1
		out = append(out, e.leaf)
	}
	for _, n := range open {
		if n != 0 {
			return nil, errors.New("the schema is not a tree")
		}
	}
	return out, nil
}
