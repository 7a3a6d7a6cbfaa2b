package tardis

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// marketFile writes rows as a busy venue prints them: short prices and amounts, growing ids.
func marketFile(p datasets.Partition, rows int) []byte {
	rng := rand.New(rand.NewPCG(9, 10))
	text := []byte(header(p.Type))
	tick, id, us := int64(620_000), int64(4_000_000_000), p.Day.Start()
	decimal := func(v int64) {
		text = strconv.AppendInt(text, v/10, 10)
		if v%10 != 0 {
			text = append(text, '.', byte('0'+v%10))
		}
	}
	for range rows {
		us += rng.Int64N(1000)
		tick += rng.Int64N(21) - 10
		id++
		text = append(text, p.Exchange+","+p.Symbol...)
		for _, c := range p.Type.Columns() {
			text = append(text, ',')
			switch c.Kind {
			case datasets.Time:
				text = strconv.AppendInt(text, us, 10)
			case datasets.Text:
				text = strconv.AppendInt(text, id, 10)
			case datasets.Enum:
				text = append(text, c.Values[rng.IntN(2)]...)
			case datasets.Bool:
				text = strconv.AppendBool(text, false)
			case datasets.Number:
				if bytes.HasSuffix([]byte(c.Name), []byte("price")) {
					decimal(tick)
				} else {
					text = strconv.AppendFloat(text, float64(1+rng.IntN(9999))/1000, 'f', -1, 64)
				}
			}
		}
		text = append(text, '\n')
	}
	return text
}

func benchmarkDecode(b *testing.B, feed datasets.DataType, rows int) {
	p := part(feed, "BTCUSDT")
	text := marketFile(p, rows)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d := NewDecoder(bytes.NewReader(text), p, "t.csv", 0)
		n := int64(0)
		for d.Next() {
			n += d.Record().NumRows()
		}
		d.Release()
		if d.Err() != nil || n != int64(rows) {
			b.Fatal(n, d.Err())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

// BenchmarkFile reads a compressed file as import does: digest, gunzip, decode.
func BenchmarkFile(b *testing.B) {
	p := part(datasets.Trades, "BTCUSDT")
	text := marketFile(p, 400_000)
	path := filepath.Join(b.TempDir(), FileName(p))
	if err := os.WriteFile(path, gz(string(text)), 0o666); err != nil {
		b.Fatal(err)
	}
	files := &Files{Paths: map[datasets.Partition]string{p: path}}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s, err := files.Open(b.Context(), p)
		if err != nil {
			b.Fatal(err)
		}
		for s.Next() {
		}
		s.Release()
		if s.Err() != nil {
			b.Fatal(s.Err())
		}
	}
}

// BenchmarkDecodeUnusual has a sign in half of the rows that only the careful reader takes.
func BenchmarkDecodeUnusual(b *testing.B) {
	p := part(datasets.Trades, "BTCUSDT")
	text := bytes.ReplaceAll(marketFile(p, 100_000), []byte("buy,"), []byte("buy,+"))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d := NewDecoder(bytes.NewReader(text), p, "t.csv", 0)
		for d.Next() {
		}
		d.Release()
		if d.Err() != nil {
			b.Fatal(d.Err())
		}
	}
}

func BenchmarkDecodeTrades(b *testing.B)         { benchmarkDecode(b, datasets.Trades, 400_000) }
func BenchmarkDecodeBookSnapshot25(b *testing.B) { benchmarkDecode(b, datasets.BookSnapshot25, 30_000) }
func BenchmarkDecodeDerivativeTicker(b *testing.B) {
	benchmarkDecode(b, datasets.DerivativeTicker, 100_000)
}
