package bars

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// cacheRequest fills a lake with one trade on each of so many days, and asks for hours of them.
func cacheRequest(days int) (*memStore, Request) {
	s := newMemStore()
	for d := range datasets.Day(days) {
		s.put(datasets.Trades, btc, day0+d, tradeAt(hms(day0+d, 5, 0, 0), "buy", 20+float64(d), 10))
	}
	return s, Request{Instrument: btc, Contract: linear, First: day0, End: day0 + datasets.Day(days), Spec: Spec{Every: time.Hour}}
}

// A month's file keeps the days of it that a later request does not ask for, and takes in those that
// it did not have.
func TestMonthsGrow(t *testing.T) {
	s, q := cacheRequest(40) // of two months
	want := mustBuild(t, s, q, Options{NoCache: true})
	scans := s.scans
	for _, span := range [][2]datasets.Day{{3, 5}, {10, 12}, {4, 11}, {0, 40}} {
		part := q
		part.First, part.End = day0+span[0], day0+span[1]
		mustBuild(t, s, part, Options{})
	}
	if built := s.scans - scans; built != 40 || len(s.tables) != 2 {
		t.Errorf("%d days folded, in %d files; want 40 in 2", built, len(s.tables))
	}
	s.reads = 0
	for _, workers := range []int{1, 3} {
		wantSame(t, mustBuild(t, s, q, Options{Workers: workers}), want, "all from the cache")
	}
	if built := s.scans - scans; built != 40 || s.reads != 4 {
		t.Errorf("%d days folded and %d files read, want 40 and 4", built, s.reads)
	}
	for path := range s.tables {
		if !strings.Contains(path, "/month=2024-0") {
			t.Errorf("a file %s", path)
		}
	}
}

// A file of which anything differs from its digests is not used.
func TestCacheIsChecked(t *testing.T) {
	s, q := cacheRequest(3)
	want := mustBuild(t, s, q, Options{})
	if len(s.tables) != 1 {
		t.Fatalf("%d tables", len(s.tables))
	}
	for path, whole := range s.tables {
		for name, spoil := range map[string]func(t *memTable){
			"nothing":    func(*memTable) {},
			"a value":    func(m *memTable) { m.rec = changed(m.rec, "close") },
			"a time":     func(m *memTable) { m.rec = changed(m.rec, "ts") },
			"rows":       func(m *memTable) { m.rec = m.rec.NewSlice(0, m.rec.NumRows()-1) },
			"definition": func(m *memTable) { m.meta[metaDefinition] += "x" },
			"version":    func(m *memTable) { m.meta[metaVersion] = "1" },
			"state": func(m *memTable) {
				m.meta[metaDays] = strings.Replace(m.meta[metaDays], `"buy":"`, `"buy":"AAAAAAAAAAA=`, 1)
			},
			"digests": func(m *memTable) {
				for k := range m.meta {
					if strings.HasPrefix(k, metaDigest) {
						delete(m.meta, k)
					}
				}
			},
		} {
			spoiled := memTable{whole.rec, maps.Clone(whole.meta)}
			spoil(&spoiled)
			s.tables[path] = spoiled
			before := s.scans
			wantSame(t, mustBuild(t, s, q, Options{}), want, name)
			if used := s.scans == before; used != (name == "nothing") {
				t.Errorf("%s spoiled: used %v", name, used)
			}
		}
	}
}

// changed gives a record whose first cell of a column is another one.
func changed(rec arrow.Record, name string) arrow.Record {
	ts := append([]int64(nil), arrow.Int64Traits.CastFromBytes(rec.Column(0).Data().Buffers()[1].Bytes())...)
	var columns []column
	for i, f := range rec.Schema().Fields() {
		if i == 0 {
			if f.Name == name {
				ts[0]++
			}
			continue
		}
		values := append([]float64(nil), arrow.Float64Traits.CastFromBytes(rec.Column(i).Data().Buffers()[1].Bytes())...)
		if f.Name == name {
			values[0]++
		}
		columns = append(columns, column{f.Name, values})
	}
	return record(ts, columns, false)
}

// readOnly is a lake that cannot be written to.
type readOnly struct{ *memStore }

var errReadOnly = errors.New("read-only")

func (readOnly) WriteTable(context.Context, string, arrow.Record, map[string]string) error {
	return errReadOnly
}

// Keep leaves what Build reads, counts it, and fails where it cannot be kept; Build does not.
func TestKeep(t *testing.T) {
	s, q := cacheRequest(5)
	want := mustBuild(t, s, q, Options{NoCache: true})
	part := q
	part.End = day0 + 2
	for _, c := range []struct {
		Request
		want Kept
	}{{part, Kept{0, 2}}, {q, Kept{2, 3}}, {q, Kept{5, 0}}} {
		got, err := Keep(t.Context(), s, c.Request, Options{NoCache: true})
		if err != nil || got != c.want {
			t.Errorf("kept %+v, %v; want %+v", got, err, c.want)
		}
	}
	scans := s.scans
	if wantSame(t, mustBuild(t, s, q, Options{}), want, "what was kept"); s.scans != scans {
		t.Errorf("%d days folded again", s.scans-scans)
	}
	clear(s.tables)
	if _, err := Keep(t.Context(), readOnly{s}, q, Options{}); !errors.Is(err, errReadOnly) {
		t.Errorf("error %v, want %v", err, errReadOnly)
	}
	if x, err := Build(t.Context(), readOnly{s}, q, Options{}); err != nil {
		t.Error(err)
	} else {
		x.Record.Release()
	}
	q.Spec = Spec{Kind: TickBars, Size: 1}
	if _, err := Keep(t.Context(), s, q, Options{}); err == nil {
		t.Error("bars of one trade are kept")
	}
}
