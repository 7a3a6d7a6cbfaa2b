package factors

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

const year = 365 * 24 * time.Hour

// Load lays the bars of several instruments on one grid: time bars on the common labels, other bars
// alone. It is the one place where null becomes NaN. A field that only some instruments have is NaN
// for the others. barsPerYear is for bars that are not time bars; 0 where the study gives none. The
// values are copied, so that the records may be released.
func Load(series []*bars.Series, barsPerYear float64) (*Frame, error) {
	if len(series) == 0 {
		return nil, fmt.Errorf("load bars: there is no instrument")
	}
	spec := series[0].Spec
	g := &Grid{Kind: spec.Kind, BarsPerYear: barsPerYear}
	if spec.Kind == bars.TimeBars {
		g.Every = spec.Every
		g.BarsPerYear = float64(year) / float64(spec.Every)
	} else if len(series) > 1 {
		return nil, fmt.Errorf("load bars: %d instruments: bars that are not time bars have a grid of their own, so a study of them has one instrument", len(series))
	}

	labels := make([][]int64, len(series))
	for i, s := range series {
		if slices.Contains(g.Instruments, s.Instrument) {
			return nil, fmt.Errorf("load bars: %s is there twice", s.Instrument)
		}
		if s.Spec.Kind != spec.Kind || s.Spec.Every != spec.Every {
			return nil, fmt.Errorf("load bars: %s and %s have different bars", series[0].Instrument, s.Instrument)
		}
		ts, err := labelsOf(s)
		if err != nil {
			return nil, fmt.Errorf("load bars of %s: %w", s.Instrument, err)
		}
		g.Instruments = append(g.Instruments, s.Instrument)
		labels[i] = ts
	}
	g.Close = union(labels)

	f := &Frame{Grid: g}
	names, n := fieldNames(series), len(series)
	cols := make([][]float64, len(names)*n)
	datasets.ForAll(len(cols), func(at int) {
		cols[at] = lay(values(series[at%n], names[at/n]), labels[at%n], g.Close)
	})
	for k, name := range names {
		f.Panels = append(f.Panels, NewPanel(name, g, cols[k*n:(k+1)*n]...))
	}
	if p := settledPanel(g, series, labels); p != nil {
		f.Panels = append(f.Panels, p)
	}
	return f, nil
}

// settledPanel is the field SettledFunding, or nil where no series has a funding feed.
func settledPanel(g *Grid, series []*bars.Series, labels [][]int64) *Panel {
	cols := make([][]float64, len(series))
	found := false
	for i, s := range series {
		var settled []float64
		if rate := values(s, "funding_rate"); rate != nil {
			settled, found = s.Settled(labels[i], rate), true
		}
		cols[i] = lay(settled, labels[i], g.Close)
	}
	if !found {
		return nil
	}
	return NewPanel(SettledFunding, g, cols...)
}

// labelsOf checks a series and gives its bars' labels.
func labelsOf(s *bars.Series) ([]int64, error) {
	for k, f := range s.Record.Schema().Fields() {
		if _, ok := s.Record.Column(k).(*array.Float64); !ok && f.Name != "ts" {
			return nil, fmt.Errorf("column %s: want %s, have %s", f.Name, arrow.PrimitiveTypes.Float64, f.Type)
		}
	}
	index := s.Record.Schema().FieldIndices("ts")
	if len(index) != 1 {
		return nil, fmt.Errorf("want one column ts, have %d", len(index))
	}
	col, ok := s.Record.Column(index[0]).(*array.Timestamp)
	if !ok || col.NullN() > 0 {
		return nil, fmt.Errorf("ts: want timestamps without nulls, have %s with %d nulls",
			s.Record.Column(index[0]).DataType(), s.Record.Column(index[0]).NullN())
	}
	ts := make([]int64, col.Len())
	for t, v := range col.TimestampValues() {
		ts[t] = int64(v)
		if t > 0 && (ts[t] < ts[t-1] || ts[t] == ts[t-1] && s.Spec.Kind == bars.TimeBars) {
			return nil, fmt.Errorf("row %d: label %s does not follow %s", t,
				time.UnixMicro(ts[t]).UTC().Format(time.RFC3339Nano), time.UnixMicro(ts[t-1]).UTC().Format(time.RFC3339Nano))
		}
	}
	return ts, nil
}

// union merges ascending labels. Those of one series are taken as they are, repeated ones included.
func union(labels [][]int64) []int64 {
	if len(labels) == 1 {
		return labels[0]
	}
	all := slices.Concat(labels...)
	slices.Sort(all)
	return slices.Compact(all)
}

// fieldNames lists the columns of all series in the order in which they first appear.
func fieldNames(series []*bars.Series) []string {
	var names []string
	seen := map[string]bool{"ts": true}
	for _, s := range series {
		for _, f := range s.Record.Schema().Fields() {
			if !seen[f.Name] {
				seen[f.Name] = true
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// values is a column of a series with NaN for null, or nil where there is none of that name.
func values(s *bars.Series, name string) []float64 {
	index := s.Record.Schema().FieldIndices(name)
	if len(index) == 0 {
		return nil
	}
	col := s.Record.Column(index[0]).(*array.Float64)
	out := slices.Clone(col.Float64Values())
	if col.NullN() > 0 {
		for t := range out {
			if col.IsNull(t) {
				out[t] = math.NaN()
			}
		}
	}
	return out
}

// lay puts values of the rows labelled from on the labels to: NaN where there is no such row, and
// everywhere where there are no values. Values that lie there already are given back as they are.
func lay(v []float64, from, to []int64) []float64 {
	if v != nil && slices.Equal(from, to) {
		return v
	}
	out := make([]float64, len(to))
	row := 0
	for t, label := range to {
		if v == nil || row == len(from) || from[row] != label {
			out[t] = math.NaN()
			continue
		}
		out[t] = v[row]
		row++
	}
	return out
}
