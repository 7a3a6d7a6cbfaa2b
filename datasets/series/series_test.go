package series

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets/parquet"
)

const day = int64(24 * time.Hour / time.Microsecond)

func instant(t *testing.T, text string) int64 {
	t.Helper()
	at, err := ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fear.csv")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(a, b float64) bool { return a == b || a != a && b != b }

// A value counts from its own time on, for as long as it holds; an empty cell ends the one before.
func TestAtByHand(t *testing.T) {
	s, err := Read(t.Context(), file(t, "\ufeffpublished, score,note\n2024-01-02,20,x\n2024-01-01T12:00:00Z,10,\"a,b\"\n2024-01-04 06:00,,y\n2024-01-05T00:00:00+01:00,50,z\n"), Columns{"published", "score"})
	if err != nil {
		t.Fatal(err)
	}
	s.Hold = 2 * day
	for at, want := range map[string]float64{
		"2024-01-01T11:59:59.999999Z": math.NaN(),
		"2024-01-01T12:00:00Z":        10,
		"2024-01-01T23:59:59Z":        10,
		"2024-01-02":                  20,
		"2024-01-04":                  20,         // two days old
		"2024-01-04T00:00:00.000001":  math.NaN(), // older
		"2024-01-04T06:00":            math.NaN(), // known to be missing
		"2024-01-04T23:00:00Z":        50,
		"2024-01-07":                  math.NaN(),
	} {
		var dst [1]float64
		s.At(dst[:], []int64{instant(t, at)})
		if !same(dst[0], want) {
			t.Errorf("at %s: %v, want %v", at, dst[0], want)
		}
	}
}

// Whatever the blocks, At is its definition; and no future changes what was known.
func TestAtIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		s := &Series{Hold: int64(1 + r.IntN(20))}
		for at := int64(0); len(s.Times) < r.IntN(30); {
			at += int64(1 + r.IntN(9))
			v := float64(r.IntN(50))
			if r.IntN(8) == 0 {
				v = math.NaN()
			}
			s.Times, s.Values = append(s.Times, at), append(s.Values, v)
		}
		var labels []int64
		for at := int64(-5); len(labels) < 60; at += int64(r.IntN(6)) {
			labels = append(labels, at)
		}
		got := make([]float64, len(labels))
		for lo := 0; lo < len(labels); {
			hi := min(len(labels), lo+1+r.IntN(20))
			s.At(got[lo:hi], labels[lo:hi])
			lo = hi
		}
		for t0, label := range labels {
			want := math.NaN()
			for k, at := range s.Times {
				if at <= label {
					if want = math.NaN(); label-at <= s.Hold {
						want = s.Values[k]
					}
				}
			}
			if !same(got[t0], want) {
				t.Fatalf("%+v at %d: %v, want %v", s, label, got[t0], want)
			}
		}
		cut := labels[r.IntN(len(labels))]
		for _, poisoned := range []bool{true, false} {
			f := s.Future(cut, poisoned)
			if !slices.IsSorted(f.Times) {
				t.Fatalf("times %v", f.Times)
			}
			again := make([]float64, len(labels))
			f.At(again, labels)
			for t0, label := range labels {
				if label <= cut && !same(again[t0], got[t0]) {
					t.Fatalf("%+v cut at %d: %v at %d, want %v", s, cut, again[t0], label, got[t0])
				}
				if poisoned && label > cut && label-cut <= s.Hold && same(again[t0], got[t0]) {
					t.Fatalf("%+v poisoned at %d: still %v at %d", s, cut, got[t0], label)
				}
			}
		}
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2024, 1, 31, 8, 0, 0, 0, time.UTC).UnixMicro()
	for _, text := range []string{
		"2024-01-31T08:00:00Z", "2024-01-31 08:00", "2024-01-31T09:00:00+01:00", " 2024-01-31 08:00:00.000 ", "1706688000", "1706688000000", "1706688000000000",
		"1706688000000000000", "1706688000.0", "2024-01-31 08:00:00+00:00",
	} {
		if got, err := ParseTime(text); err != nil || got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
	if got, _ := ParseTime("1706688000000000001"); got != want+1 {
		t.Errorf("a time within a µs is %d, want the end of it, %d", got, want+1)
	}
	for _, text := range []string{"", "yesterday", "20240131", "31/01/2024", "1999-12-31", "2100-01-01", "-5", "9223372036854775807", "NaN", "2024-02-30"} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "it is empty",
		"published,score\n":                  "it has no rows",
		"publishd,score\n2024-01-01,1\n":     `no column "published", did you mean publishd?`,
		"published,score\nx,1\n":             `line 2: time "x": want a form such as`,
		"published,score\n\n2024-01-01,1e\n": `line 3: value "1e" is not a number`,
		"published,score\n2024-01-01,1\n2024-01-02,1\n2024-01-01 00:00,2\n": "lines 2 and 4 have the same time, 2024-01-01T00:00:00Z",
		"published,score\n2024-01-01\n":                                     "wrong number of fields",
		"PAR1":                                                              "Parquet",
	} {
		if _, err := Read(t.Context(), file(t, text), Columns{"published", "score"}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "fear.csv") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A Parquet file of the same rows is the same series.
func TestParquetIsCSV(t *testing.T) {
	text, err := Read(t.Context(), file(t, "published,score\n2024-01-01T00:00:00.5Z,1.25\n2024-01-02,\n2024-01-03,-3\n"), Columns{"published", "score"})
	if err != nil {
		t.Fatal(err)
	}
	for _, times := range []arrow.DataType{arrow.FixedWidthTypes.Timestamp_us, arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String} {
		for _, numbers := range []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String} {
			schema := arrow.NewSchema([]arrow.Field{{Name: "score", Type: numbers, Nullable: true}, {Name: "published", Type: times}}, nil)
			b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			defer b.Release()
			for k, at := range text.Times {
				for c, v := range []string{[]string{"1.25", "(null)", "-3"}[k], time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.999999Z")} {
					if _, whole := b.Field(c).(*array.Int64Builder); whole {
						b.Field(c).(*array.Int64Builder).Append(at)
					} else if err := b.Field(c).AppendValueFromString(v); err != nil {
						t.Fatal(err)
					}
				}
			}
			rec := b.NewRecord()
			defer rec.Release()
			var out bytes.Buffer
			w, err := parquet.NewWriter(&out, schema, parquet.WriterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			s, err := Read(t.Context(), file(t, out.String()), Columns{"published", "score"})
			if err != nil {
				t.Fatalf("%v, %v: %v", times, numbers, err)
			}
			if s.Digest() != text.Digest() || s.SHA256 == text.SHA256 || len(s.SHA256) != 64 {
				t.Errorf("%v, %v: %+v, want %+v", times, numbers, s, text)
			}
		}
	}
}

// A column of a type that cannot be read is told from one that is not there. The file is DuckDB's.
func TestUnreadableColumn(t *testing.T) {
	_, err := Read(t.Context(), "testdata/date.parquet", Columns{"time", "value"})
	if err == nil || !strings.Contains(err.Error(), `column "time"`) || !strings.Contains(err.Error(), "want times as timestamps") {
		t.Errorf("%v", err)
	}
	if _, err := Read(t.Context(), "testdata/date.parquet", Columns{"tim", "value"}); err == nil || !strings.Contains(err.Error(), `no column "tim", did you mean time?`) {
		t.Errorf("%v", err)
	}
}
