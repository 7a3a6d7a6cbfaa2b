package factors

import (
	"math"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// series makes bars of one symbol; NaN stands for null.
func series(t *testing.T, symbol string, spec bars.Spec, ts []int64, fields []string, cols ...[]float64) *bars.Series {
	t.Helper()
	mem := memory.NewGoAllocator()
	schema := []arrow.Field{{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us}}
	tb := array.NewTimestampBuilder(mem, arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType))
	for _, v := range ts {
		tb.Append(arrow.Timestamp(v))
	}
	arrays := []arrow.Array{tb.NewArray()}
	for k, name := range fields {
		schema = append(schema, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
		b := array.NewFloat64Builder(mem)
		for _, v := range cols[k] {
			if math.IsNaN(v) {
				b.AppendNull()
			} else {
				b.Append(v)
			}
		}
		arrays = append(arrays, b.NewArray())
	}
	return &bars.Series{
		Instrument: datasets.Instrument{Exchange: "binance", Symbol: symbol}, Spec: spec,
		Record: array.NewRecord(arrow.NewSchema(schema, nil), arrays, int64(len(ts))),
	}
}

var minutely = bars.Spec{Kind: bars.TimeBars, Every: time.Minute}

func TestLoadLaysBarsOnOneGrid(t *testing.T) {
	f, err := Load([]*bars.Series{
		series(t, "A", minutely, []int64{10, 20, 40}, []string{"close", "bid"}, []float64{1, nan, 3}, []float64{7, 8, 9}),
		series(t, "B", minutely, []int64{20, 30}, []string{"close", "trades"}, []float64{5, 6}, []float64{0, 2}),
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if f.Every != time.Minute || f.BarsPerYear != 525_600 || len(f.Instruments) != 2 || f.Instruments[1].Symbol != "B" {
		t.Errorf("grid is %+v", f.Grid)
	}
	if got := f.Close; len(got) != 4 || got[0] != 10 || got[1] != 20 || got[2] != 30 || got[3] != 40 {
		t.Errorf("labels are %v", got)
	}
	for k, want := range []struct {
		name string
		a, b []float64
	}{
		{"close", []float64{1, nan, nan, 3}, []float64{nan, 5, 6, nan}},
		{"bid", []float64{7, 8, nan, 9}, []float64{nan, nan, nan, nan}},
		{"trades", []float64{nan, nan, nan, nan}, []float64{nan, 0, 2, nan}},
	} {
		p := f.Panels[k]
		if p.Name != want.name {
			t.Errorf("panel %d is %s, want %s", k, p.Name, want.name)
		}
		for i, col := range [][]float64{want.a, want.b} {
			for row := range col {
				if !near(p.Col(i)[row], col[row], 0) {
					t.Errorf("%s of %d at %d = %v, want %v", want.name, i, row, p.Col(i)[row], col[row])
				}
			}
		}
	}
}

func TestLoadOfEventBars(t *testing.T) {
	ticks := bars.Spec{Kind: bars.TickBars, Size: 1}
	a := series(t, "A", ticks, []int64{10, 10, 11}, []string{"close"}, []float64{1, 2, 3})
	f, err := Load([]*bars.Series{a}, 4e5)
	if err != nil {
		t.Fatal(err)
	}
	if f.Every != 0 || f.BarsPerYear != 4e5 || f.Len() != 3 || f.Panel("close").Col(0)[1] != 2 {
		t.Errorf("grid is %+v", f.Grid)
	}
	b := series(t, "B", ticks, nil, nil)
	if _, err := Load([]*bars.Series{a, b}, 4e5); err == nil {
		t.Error("two instruments of tick bars were laid on one grid")
	}
}

func TestLoadOfSettlements(t *testing.T) {
	day := datasets.Day(19_723) // 2024-01-01
	at := func(hours float64) int64 { return day.Start() + int64(hours*3600e6) }
	eightHourly := bars.Spec{Kind: bars.TimeBars, Every: 8 * time.Hour}
	a := series(t, "A", eightHourly, []int64{at(8), at(16), at(24), at(32), at(40)}, []string{"funding_rate", "funding_timestamp"},
		[]float64{1, 2, 3, nan, 4}, []float64{1, 1, 1, nan, 1})
	a.Settlements = []bars.Settlement{{Time: at(0), Rate: 0.5}, {Time: at(8), Rate: 0.25}, {Time: at(10), Rate: 2}, {Time: at(24), Rate: 1}, {Time: at(40), Rate: 9}}
	a.FundingGaps = []bars.FundingGap{{From: at(16) - 1, To: at(16)}, {From: at(24), To: at(39)}}
	continuous := series(t, "B", eightHourly, []int64{at(8), at(16)}, []string{"funding_rate", "funding_timestamp"}, []float64{0.3, nan}, []float64{nan, nan})
	continuous.ContinuousFunding = true
	none := series(t, "C", eightHourly, []int64{at(8)}, []string{"close"}, []float64{7})
	f, err := Load([]*bars.Series{a, continuous, none}, 0)
	if err != nil {
		t.Fatal(err)
	}
	settled := f.Panel(SettledFunding)
	for i, want := range [][]float64{
		{0.5, 2.25, nan, nan, nan}, // a settlement or gap at a label belongs to the next bar
		{0.3, nan, nan, nan, nan},
		{nan, nan, nan, nan, nan},
	} {
		for row, w := range want {
			if got := settled.Col(i)[row]; !near(got, w, 0) {
				t.Errorf("settled of %d at %d = %v, want %v", i, row, got, w)
			}
		}
	}
	if f, err = Load([]*bars.Series{none}, 0); err != nil || f.Panel(SettledFunding) != nil {
		t.Errorf("there is a field %s without a funding feed (%v)", SettledFunding, err)
	}
	events := bars.Spec{Kind: bars.TickBars, Size: 10}
	c := series(t, "B", events, []int64{at(1), at(5)}, []string{"funding_rate"}, []float64{0.3, 0.2})
	c.ContinuousFunding = true
	if f, err = Load([]*bars.Series{c}, 1e5); err != nil || !near(f.Panel(SettledFunding).Col(0)[1], 0.1, 1e-15) {
		t.Errorf("a continuous rate of 0.2 over 4 hours settles %v (%v)", f.Panel(SettledFunding).Col(0)[1], err)
	}
}

func TestLoadErrors(t *testing.T) {
	a := series(t, "A", minutely, []int64{10, 20}, []string{"close"}, []float64{1, 2})
	hourly := series(t, "B", bars.Spec{Kind: bars.TimeBars, Every: time.Hour}, nil, nil)
	for _, c := range []struct {
		series []*bars.Series
		want   string
	}{
		{nil, "load bars: there is no instrument"},
		{[]*bars.Series{a, a}, "load bars: binance:A is there twice"},
		{[]*bars.Series{a, hourly}, "load bars: binance:A and binance:B have different bars"},
		{[]*bars.Series{series(t, "A", minutely, []int64{60e6, 60e6}, nil)},
			"load bars of binance:A: row 1: label 1970-01-01T00:01:00Z does not follow 1970-01-01T00:01:00Z"},
	} {
		if _, err := Load(c.series, 0); errText(err) != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
