package parquet

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go/format"
)

// A dictionary that grows too large is given up in the middle of a row group, and the chunk is
// compressed as then suits it.
func TestDictionaryGivenUp(t *testing.T) {
	for _, c := range []struct {
		arrow.DataType
		value func(row int) any
		own   format.Encoding
	}{
		{arrow.PrimitiveTypes.Float64, func(row int) any {
			if row < 4*defaultPageRows {
				return float64(row * 7919 % 4096)
			}
			return float64(row)
		}, format.Plain},
		{arrow.BinaryTypes.String, func(row int) any {
			if row < 4*defaultPageRows {
				return fmt.Sprint(row * 7919 % 1024)
			}
			return fmt.Sprint(row)
		}, format.DeltaByteArray},
	} {
		schema := oneColumn(c.DataType, false)
		rec := build(memory.DefaultAllocator, schema, 10*defaultPageRows, func(_, row int) any { return c.value(row) })
		b := write(t, schema, WriterOptions{}, rec)
		sameCells(t, b, ReadOptions{}, rec)
		f := open(t, b)
		p := pages{r: f.r}
		p.reset(&f.footer.groups[0].chunks[0])
		var seen []format.Encoding
		for {
			pg, err := p.next()
			if err != nil {
				break
			}
			if n := len(seen); n == 0 || seen[n-1] != pg.encoding {
				seen = append(seen, pg.encoding)
			}
		}
		if want := fmt.Sprint([]format.Encoding{format.Plain, format.RLEDictionary, c.own}); fmt.Sprint(seen) != want {
			t.Errorf("%v: encodings %v, want %v", c.DataType, seen, want)
		}
		if codec := f.footer.groups[0].chunks[0].codec; codec == format.Uncompressed {
			t.Errorf("%v: not compressed", c.DataType)
		}
	}
}

// Each integer width survives, at every length around a block and a miniblock.
func TestDeltaWidths(t *testing.T) {
	for width := uint(0); width <= 64; width++ {
		for _, n := range []int{0, 1, 2, 31, 32, 33, 34, 127, 128, 129, 130, 300} {
			v := make([]int64, n)
			x := uint64(width)*0x9e3779b97f4a7c15 + 1
			for i := range v {
				x ^= x << 13
				x ^= x >> 7
				x ^= x << 17
				if width > 0 {
					v[i] = int64(x >> (64 - width))
				}
			}
			b := appendDelta(nil, v)
			for _, tail := range []int{0, 20} {
				var d delta
				if err := d.reset(append(b[:len(b):len(b)], make([]byte, tail)...)); err != nil {
					t.Fatal(err)
				}
				rest, err := d.rest()
				if err != nil || len(rest) != tail {
					t.Fatalf("width %d, %d values: %d bytes rest, %v; want %d", width, n, len(rest), err, tail)
				}
				got := make([]int64, n)
				for from := 0; from < n; from += 50 {
					if err := d.decode(got[from:min(n, from+50)]); err != nil {
						t.Fatal(err)
					}
				}
				for i := range v {
					if got[i] != v[i] {
						t.Fatalf("width %d, value %d of %d: got %d, want %d", width, i, n, got[i], v[i])
					}
				}
			}
			var d delta
			if n > 1 && n%deltaMini == 1 && width > 1 && d.reset(b[:len(b)-1]) == nil && d.decode(make([]int64, n)) == nil {
				t.Fatalf("width %d, %d values: the last byte is not missed", width, n)
			}
		}
	}
}

func TestNumbersWidths(t *testing.T) {
	for n := 1; n <= 1<<16; n *= 3 {
		for _, count := range []int{0, 1, 7, 8, 9, 100, 1000} {
			for _, run := range []int{1, 5, 40, 200} {
				numbers := make([]int32, count)
				for i := range numbers {
					numbers[i] = int32(i / run * 7919 % n)
				}
				b := appendNumbers(nil, numbers, n)
				identity := make([]int32, n)
				for i := range identity {
					identity[i] = int32(i)
				}
				var h hybrid
				if err := startNumbers(&h, b); err != nil {
					t.Fatal(err)
				}
				got := make([]int32, count)
				if err := lookup(&h, got, identity); err != nil {
					t.Fatalf("%d of %d, runs of %d: %v", count, n, run, err)
				}
				for i := range got {
					if got[i] != numbers[i] {
						t.Fatalf("%d of %d, runs of %d: number %d is %d, want %d", count, n, run, i, got[i], numbers[i])
					}
				}
			}
		}
	}
}

// A writer that is used again writes what a new one would, whatever it was left with.
func TestReset(t *testing.T) {
	recs := trades(3*defaultPageRows, 1<<15)
	o := WriterOptions{GroupRows: 2 * defaultPageRows}
	want := write(t, tradesSchema, o, recs...)
	w, err := NewWriter(new(bytes.Buffer), tradesSchema, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []int{0, 1, len(recs)} {
		if err := w.Reset(new(bytes.Buffer)); err != nil {
			t.Fatal(err)
		}
		w.SetMetadata("left", "over")
		for _, r := range recs[:left] {
			if err := w.Write(r.NewSlice(0, r.NumRows()-7)); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := w.Reset(&out); err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("after %d batches the file is another one", left)
		}
	}
}
