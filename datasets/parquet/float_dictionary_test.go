package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Numbers are those of a map, in order of appearance, whatever the values are like: on a grid, beside
// it, far apart, of both signs, or no numbers at all.
func TestFloatDictionary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	kinds := map[string]func(i int) float64{
		"prices":       func(i int) float64 { return float64(675_000+r.IntN(900)+i/20) / 10 },
		"falling":      func(i int) float64 { return float64(675_000-i) / 10 },
		"amounts":      func(int) float64 { return float64(int(math.Exp(r.Float64()*16))) / 1000 },
		"both signs":   func(int) float64 { return float64(r.IntN(400)-200) / 100 },
		"zeros":        func(int) float64 { return math.Copysign(0, float64(r.IntN(2))-0.5) },
		"off the grid": func(i int) float64 { return float64(r.IntN(300))/10 + float64(r.IntN(2))*1e-12 },
		"no grid":      func(int) float64 { return math.Sqrt(float64(r.IntN(500))) },
		"far apart":    func(int) float64 { return math.Ldexp(float64(1+r.IntN(3)), r.IntN(2000)-1000) },
		"no numbers": func(int) float64 {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Float64frombits(0x7ff8_0000_0000_0001), math.MaxFloat64, 1.5}[r.IntN(6)]
		},
		"too many": func(i int) float64 { return float64(i*7%70_001) / 4 },
		"edge":     func(i int) float64 { return float64(i % maxDictionary) },
	}
	var d floatDictionary // used again and again, as it is for every row group
	for name, value := range kinds {
		for round := range 3 {
			naive := map[uint64]int{}
			var numbers []uint16
			for at, full := 0, false; at < 100_000 && !full; {
				v := make([]float64, 1+r.IntN(3000))
				for i := range v {
					v[i] = value(at + i)
				}
				from := len(numbers)
				var n int
				numbers, n = d.add(numbers, v)
				if len(numbers) != from+n {
					t.Fatalf("%s: %d numbers, said %d", name, len(numbers)-from, n)
				}
				for i, f := range v {
					b := math.Float64bits(f)
					k, ok := naive[b]
					if !ok && len(naive) == maxDictionary {
						if full = true; n != i {
							t.Fatalf("%s, round %d: full after %d values, want %d", name, round, at+n, at+i)
						}
						break
					}
					if !ok {
						k = len(naive)
						naive[b] = k
					}
					if i >= n || int(numbers[from+i]) != k || math.Float64bits(d.values[k]) != b {
						t.Fatalf("%s, round %d: value %d, %v, has another number than %d", name, round, at+i, f, k)
					}
				}
				at += len(v)
			}
			if len(d.values) != len(naive) {
				t.Fatalf("%s: %d values, want %d", name, len(d.values), len(naive))
			}
			d.reset()
		}
	}
}

// Numbers in whole bytes read as those in bits do.
func TestWideNumbers(t *testing.T) {
	for _, n := range []int{1, 2, 255, 256, 257, 1000, 1 << 16} {
		identity := make([]int32, n)
		for i := range identity {
			identity[i] = int32(i)
		}
		for _, count := range []int{1, 7, 8, 9, 100, 1001} {
			numbers := make([]uint16, count)
			for i := range numbers {
				numbers[i] = uint16((n - 1 - i*7919%n))
			}
			dirty := make([]byte, 5, 1<<12)
			for i := range dirty[:cap(dirty)] {
				dirty[:cap(dirty)][i] = 0xee
			}
			b := appendWide(dirty, numbers, n)[5:]
			if w := b[0]; w != 8 && w != 16 || n > 1<<w {
				t.Fatalf("%d values: width %d", n, w)
			}
			var h hybrid
			if err := startNumbers(&h, b); err != nil {
				t.Fatal(err)
			}
			got := make([]int32, (count+7)/8*8)
			if err := lookup(&h, got, identity); err != nil {
				t.Fatalf("%d of %d: %v", count, n, err)
			}
			for i := range got {
				want := int32(0) // behind the last, up to a multiple of eight
				if i < count {
					want = int32(numbers[i])
				}
				if got[i] != want {
					t.Fatalf("%d of %d: number %d is %d, want %d", count, n, i, got[i], want)
				}
			}
		}
	}
}

// A column whose levels repeat is stored with wide numbers and zstd, and one of noise in bits alone.
func TestWidthChosen(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	level := 0
	for name, c := range map[string]struct {
		value func() any
		wide  bool
	}{
		"levels": {func() any {
			if r.IntN(8) == 0 {
				level = r.IntN(700)
			}
			return float64(60_000+level) / 10
		}, true},
		"noise": {func() any { return float64(r.IntN(1000)) / 1000 }, false},
	} {
		rec := build(memory.DefaultAllocator, oneColumn(arrow.PrimitiveTypes.Float64, false), defaultPageRows, func(_, _ int) any { return c.value() })
		b := write(t, rec.Schema(), WriterOptions{}, rec)
		sameCells(t, b, ReadOptions{}, rec)
		f := open(t, b)
		p := pages{r: f.r}
		p.reset(&f.footer.groups[0].chunks[0])
		var last page
		for {
			pg, err := p.next()
			if err != nil {
				break
			}
			last = pg
		}
		if wide := last.data[0]%8 == 0; wide != c.wide {
			t.Errorf("%s: numbers of %d bits", name, last.data[0])
		}
	}
}

// Whatever floats are written, in whatever pages, come back bit for bit.
func FuzzWrite(f *testing.F) {
	f.Add(uint8(3), uint8(7), uint8(1), false, []byte("prices on a grid, and some that are not"))
	f.Add(uint8(200), uint8(255), uint8(4), true, bytes.Repeat([]byte{1, 2, 3, 200, 90}, 3000))
	f.Fuzz(func(t *testing.T, page, group, digits uint8, dense bool, b []byte) {
		var values []float64
		for i := 0; i+2 <= len(b) && len(values) < 1<<15; i += 2 {
			v := float64(int16(binary.LittleEndian.Uint16(b[i:]))) / math.Pow10(int(digits%10))
			if digits >= 200 && i+8 <= len(b) {
				v = math.Float64frombits(binary.LittleEndian.Uint64(b[i:]))
			}
			values = append(values, v)
		}
		for len(values) > 0 && len(values) < 1<<14 && page%2 == 0 { // long enough for wide numbers
			values = append(values, values...)
		}
		schema := oneColumn(arrow.PrimitiveTypes.Float64, true)
		rec := build(memory.DefaultAllocator, schema, len(values), func(_, row int) any {
			if group%3 == 0 && row%5 == 0 {
				return nil
			}
			return values[row]
		})
		out := write(t, schema, WriterOptions{PageRows: 1 + 37*int(page), GroupRows: 1 + 97*int(group), Dense: dense}, rec)
		sameCells(t, out, ReadOptions{}, rec)
	})
}
