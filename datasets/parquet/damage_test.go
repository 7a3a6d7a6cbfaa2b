package parquet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go/format"
)

// smallFiles are files of every type, encoding and codec that we write.
func smallFiles(t testing.TB, rows int) (files [][]byte) {
	rec := build(memory.DefaultAllocator, everyType, rows, func(column, row int) any {
		if column >= 6 && row%4 == 1 {
			return nil
		}
		return []any{int64(1717200000000000 + row*row), int64(row * 3), float64(row%9) / 4, fmt.Sprint("id", row), sides[row%3], row%5 < 2}[column%6]
	})
	for _, codec := range []Codec{Uncompressed, Snappy, Zstd} {
		for _, e := range []Encoding{Default, Plain, Delta, DeltaLength} {
			o := WriterOptions{PageRows: 16, GroupRows: 40, Columns: map[string]Column{}}
			for _, f := range everyType.Fields() {
				c := Column{Codec: codec}
				switch f.Type.ID() {
				case arrow.STRING:
					c.Encoding = e
				case arrow.FLOAT64:
					c.Encoding = min(e, Plain)
				case arrow.INT64, arrow.TIMESTAMP:
					if e == Plain || e == Delta {
						c.Encoding = e
					}
				}
				o.Columns[f.Name] = c
			}
			files = append(files, write(t, everyType, o, rec))
		}
	}
	return files
}

// readAll opens b and reads it as its own schema says.
func readAll(b []byte, unchecked bool) (rows int, err error) {
	f, err := NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, err
	}
	f.unchecked = unchecked
	r, err := f.Read(context.Background(), ReadOptions{})
	if err != nil {
		return 0, err
	}
	defer r.Release()
	for r.Next() {
		rows += int(r.Record().NumRows())
	}
	return rows, r.Err()
}

// Every flipped bit within a page's body is found by its checksum.
func TestChecksum(t *testing.T) {
	for _, b := range smallFiles(t, 20) {
		for _, g := range open(t, b).footer.groups {
			for _, c := range g.chunks {
				p := pages{r: bytes.NewReader(b)}
				p.reset(&c)
				for {
					pg, err := p.next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					if !pg.hasCRC {
						t.Fatal("a page without a checksum")
					}
					for at := p.pos - pg.compressed; at < p.pos; at++ {
						bad := bytes.Clone(b)
						bad[at] ^= 1 << (at % 8)
						if _, err := readAll(bad, false); err == nil {
							t.Fatalf("byte %d flipped, no error", at)
						}
					}
				}
			}
		}
	}
}

// Every flipped bit of a file of ours is found when all of it is read: in footer, page headers and bodies.
func TestEveryFlippedBitIsFound(t *testing.T) {
	for i, b := range smallFiles(t, 12) {
		if testing.Short() && i%3 > 0 {
			continue
		}
		for at := range b {
			for bit := range 8 {
				if testing.Short() && bit != at%8 {
					continue
				}
				bad := bytes.Clone(b)
				bad[at] ^= 1 << bit
				_, err := readAll(bad, false)
				f, check := NewFile(bytes.NewReader(bad), int64(len(bad)))
				if check == nil {
					check = f.Check(context.Background())
				}
				if err == nil || check == nil {
					t.Fatalf("file %d: bit %d of byte %d of %d flipped: read %v, check %v", i, bit, at, len(b), err, check)
				}
			}
		}
	}
}

// What older versions and other writers leave out stays readable, without trust in statistics.
func TestUnsealed(t *testing.T) {
	schema, rec := counting(1000)
	b := write(t, schema, WriterOptions{PageRows: 50, GroupRows: 100}, rec)
	f := open(t, b)
	if !f.Sealed() || len(f.Metadata()) != 0 {
		t.Errorf("sealed %v, metadata %v", f.Sealed(), f.Metadata())
	}
	f.footer.sealed = false
	if rows, _ := rowsRead(t, f, ReadOptions{Filter: &Between{"x", 0, 100}}); rows != 1000 {
		t.Errorf("%d rows by statistics that nothing vouches for", rows)
	}
	for name, b := range fixtures(t) {
		if open(t, b).Sealed() {
			t.Errorf("%s has a digest", name)
		}
	}
	for _, word := range []string{sealMagic, sealedBy} {
		other := bytes.Replace(b, []byte(word), bytes.Repeat([]byte("x"), len(word)), 1)
		if _, err := NewFile(bytes.NewReader(other), int64(len(b))); !errors.Is(err, ErrFormat) {
			t.Errorf("without %s: %v", word, err)
		}
	}
}

// No column of floats carries statistics: readers that prune by those that met a NaN lose rows.
func TestNoStatisticsOfFloats(t *testing.T) {
	for _, b := range smallFiles(t, 100) {
		f := open(t, b)
		for _, g := range f.footer.groups {
			for c, ch := range g.chunks {
				if float := f.footer.leaves[c].physical == format.Double; float == (ch.min != nil) && f.footer.leaves[c].physical != format.ByteArray && f.footer.leaves[c].physical != format.Boolean {
					t.Errorf("column %s: minimum %v", f.footer.leaves[c].name, ch.min)
				}
			}
		}
	}
}

// No cut file is taken for a whole one.
func TestTruncation(t *testing.T) {
	b := smallFiles(t, 50)[0]
	for n := range b {
		if _, err := NewFile(bytes.NewReader(b[:n]), int64(n)); !errors.Is(err, ErrFormat) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
}

// Whatever a byte is changed to, reading ends, without a panic.
func TestDamage(t *testing.T) {
	for _, b := range smallFiles(t, 12)[:3] {
		for at := range b {
			for _, x := range []byte{1, 0xc0} {
				bad := bytes.Clone(b)
				bad[at] ^= x
				readAll(bad, true)
			}
		}
	}
}

// fixtures are small files that other engines wrote: see testdata/README.md.
func fixtures(t testing.TB) (files map[string][]byte) {
	files = map[string][]byte{}
	paths, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(paths) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = b
	}
	return files
}

// fuzzed are the smallest files of every kind, so that a fuzzer tries many of them.
func fuzzed(f *testing.F) (files [][]byte) {
	files = append(files, smallFiles(f, 3)...)
	for _, b := range fixtures(f) {
		if len(b) < 10_000 {
			files = append(files, b)
		}
	}
	return files
}

// FuzzOpen patches a file of ours in a place, after which it is what it was or is refused.
func FuzzOpen(f *testing.F) {
	files := smallFiles(f, 3)
	want := make([]string, len(files))
	for i, b := range files {
		want[i] = allCells(f, b)
		f.Add(i, uint32(len(b)-40), []byte{0xff})
		f.Add(i, uint32(len(b)-9), b[len(b)-8:])
		f.Add(i, uint32(30), []byte("PAR1"))
	}
	f.Fuzz(func(t *testing.T, i int, at uint32, patch []byte) {
		i = int(uint(i) % uint(len(files)))
		b := bytes.Clone(files[i])
		copy(b[int(at)%len(b):], patch)
		file, err := NewFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("not an ErrFormat: %v", err)
			}
			return
		}
		for i := range file.footer.leaves {
			file.footer.leaves[i].arrowType()
		}
		file.groups(&Between{Column: "int64 true", Min: math.MinInt64, Max: math.MaxInt64})
		if _, err := readAll(b, false); err == nil && file.Sealed() && allCells(t, b) != want[i] {
			t.Fatal("a file that opens and reads has other cells")
		}
	})
}

// FuzzFooter opens whatever it is.
func FuzzFooter(f *testing.F) {
	for _, b := range fuzzed(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := NewFile(bytes.NewReader(b), int64(len(b))); err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("not an ErrFormat: %v", err)
		}
		readAll(b, false)
	})
}

// allCells is a text of a file's cells.
func allCells(t testing.TB, b []byte) string {
	file, err := NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := file.Read(context.Background(), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	text := ""
	for r.Next() {
		for c := range int(r.Record().NumCols()) {
			text += fmt.Sprintln(r.Record().ColumnName(c), r.Record().Column(c))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return text
}

// FuzzRead damages a file in a place and reads all of it, checksums aside.
func FuzzRead(f *testing.F) {
	files := fuzzed(f)
	for i := range files {
		f.Add(i, uint32(4+i*7), []byte{0xff})
	}
	f.Fuzz(func(t *testing.T, i int, at uint32, patch []byte) {
		b := bytes.Clone(files[uint(i)%uint(len(files))])
		copy(b[int(at)%len(b):], patch)
		readAll(b, true)
	})
}
