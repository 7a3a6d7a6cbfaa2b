package portfolio

import (
	"slices"
	"strings"
	"testing"
)

// 10 units at 100 are wanted, of bars that turn over 400, 800, nothing, 100 and 4000: at most half of each is bought, the
// rest waits.
//
//	bar   turnover  at most  bought  held
//	1     400       200      2       2
//	2     800       400      4       6
//	3     0         0        –       6
//	4     100       50       0.5     6.5
//	5     4000      2000     3.5     10
func TestMaxShare(t *testing.T) {
	e := execution()
	e.MaxShare = 0.5
	x := table{contract: linear, columns: map[string][]float64{"close": fill(7, 100), "turnover": {1e6, 400, 800, 0, 100, 4000, 1e6}}, target: fill(7, 1)}
	r := runOf(t, e, x)
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 2, 6, 6, 6.5, 10, 10})
	for _, f := range r.Fills {
		if f.Decided != 0 {
			t.Errorf("fill %+v, want the decision of bar 0", f)
		}
	}
	x.target = []float64{1, 1, 0, 0, 0, 0, 0} // the order of bar 2 replaces what waits of the first
	r = runOf(t, e, x)
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 2, 6, 6, 5.5, 0, 0})
	if len(r.Trips) != 1 {
		t.Errorf("%d round trips, want 1", len(r.Trips))
	}
	e.MaxShare = 0
	wantSeries(t, "without a limit", runOf(t, e, x).Quantity[0], []float64{0, 10, 10, 0, 0, 0, 0})
}

// Fills of 1000, 1000 and 2000 in bars of 10,000, 4000 and 1000: a tenth, a quarter and twice what was traded.
func TestParticipation(t *testing.T) {
	m, target, span := market(table{contract: linear, columns: map[string][]float64{"close": fill(5, 100), "turnover": {1, 1e4, 4000, 1000, 1}}, target: []float64{1, 0, -2, -2, -2}})
	_, a, err := Simulate(&m.Market, m.Frame, target, span, execution(), Options{Participate: true})
	if err != nil {
		t.Fatal(err)
	}
	x := a.Participation
	wantSeries(t, "participation", []float64{float64(x.Fills), x.Median, x.P95, x.Largest}, []float64{3, 0.25, 0.25 + 0.9*1.75, 2})
	if !slices.ContainsFunc(a.Warnings, func(w error) bool { return strings.Contains(w.Error(), "up to 2 times their bar's turnover") }) {
		t.Errorf("warnings %v", a.Warnings)
	}
}
