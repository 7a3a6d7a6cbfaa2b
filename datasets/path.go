package datasets

import (
	"fmt"
	"path/filepath"
	"strings"
)

// The fixed names of the lake's layout.
const (
	dataFile     = "data.parquet"
	exchangePart = "exchange="
	symbolPart   = "symbol="
	datePart     = "date="
)

// lastDay is 9999-12-31, the last day that YYYY-MM-DD can write.
const lastDay = Day(2932896)

// Validate reports why the partition cannot name a file of the lake, or nil.
func (p Partition) Validate() error {
	if _, err := ParseDataType(string(p.Type)); err != nil {
		return err
	}
	if p.Day < 0 || p.Day > lastDay {
		return fmt.Errorf("day %d: want 1970-01-01 to 9999-12-31", p.Day)
	}
	return p.Instrument.Validate()
}

// seriesDir is the folder of one feed of one instrument, below the lake's root.
func seriesDir(t DataType, in Instrument) string {
	return filepath.Join(string(t), exchangePart+escape(in.Exchange), symbolPart+escape(in.Symbol))
}

// path is the partition's file below the lake's root.
func (p Partition) path() string {
	return filepath.Join(seriesDir(p.Type, p.Instrument), datePart+p.Day.String(), dataFile)
}

// partitionAt is the inverse of path: it reports false for what path never makes, which is then no
// file of the lake.
func partitionAt(path string) (Partition, bool) {
	parts := strings.Split(filepath.ToSlash(path), "/")
	if len(parts) != 5 {
		return Partition{}, false
	}
	exchange, okE := hiveValue(parts[1], exchangePart)
	symbol, okS := hiveValue(parts[2], symbolPart)
	date, okD := hiveValue(parts[3], datePart)
	day, err := ParseDay(date)
	p := Partition{Instrument{exchange, symbol}, DataType(parts[0]), day}
	ok := okE && okS && okD && err == nil && p.Validate() == nil && p.path() == filepath.FromSlash(path)
	return p, ok
}

func hiveValue(segment, key string) (string, bool) {
	v, ok := strings.CutPrefix(segment, key)
	if !ok {
		return "", false
	}
	return unescape(v)
}

// escape percent-encodes every byte of a Hive partition value but letters, digits, "-", "_" and ".",
// which is what DuckDB, Spark and Arrow decode.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// unescape undoes escape; it reports false for a text that escape does not make.
func unescape(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, lo := strings.IndexByte("0123456789ABCDEF", s[i+1]), strings.IndexByte("0123456789ABCDEF", s[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	out := string(b)
	return out, escape(out) == s
}
