package evaluate

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// accountOf is a run of four days: capital 1000, two fills that each turn over the whole equity.
func accountOf() *portfolio.Account {
	day := func(d datasets.Day, r float64) portfolio.Day { return portfolio.Day{Day: d, Return: r, Held: true} }
	return &portfolio.Account{
		Span: study.Span{Hi: 8, To: 4 * datasets.MicrosPerDay}, Capital: 1000, Final: 1089,
		Total: portfolio.Attribution{PricePnL: 89}, Fills: 2, Turnover: 2, Notional: 2089, Exposure: 5. / 8,
		Days:     []portfolio.Day{day(0, 0), day(1, 0.21), day(2, -0.1), day(3, 0)},
		Drawdown: metrics.Drawdown{Max: -0.1, Longest: 3 * datasets.MicrosPerDay / 2},
		Trips:    portfolio.RoundTrips{Count: 3, Wins: 2, Hours: 90, Gains: 129, Losses: -40, Best: 89, Worst: -40},

		Participation: portfolio.Participation{Fills: 2, Median: 0.01, P95: 0.019, Largest: 0.02},
	}
}

// Every figure of that run by hand.
func TestPnLFigures(t *testing.T) {
	a := accountOf()
	row := PnL("composite", All, a, a, study.EvaluationConfig{}, nil)
	returns := []float64{0, 0.21, -0.1, 0}
	inference := metrics.InferSharpe(returns)
	want := map[string]float64{
		"daily_returns": 4, "days_in_holes": 0, "pnl_over_holes": 0, "initial_equity": 1000, "final_equity": 1089,
		"price_pnl": 89, "fees": 0, "slippage": 0, "impact": 0, "funding": 0, "pnl_without_funding": 89,
		"total_return": 0.089, "cagr": math.Pow(1.089, 365./4) - 1, "max_drawdown": -0.1, "max_drawdown_days": 1.5,
		"calmar":     (math.Pow(1.089, 365./4) - 1) / 0.1,
		"volatility": metrics.Std(returns) * math.Sqrt(365), "sharpe": metrics.Mean(returns) / metrics.Std(returns) * math.Sqrt(365),
		"sortino": metrics.Mean(returns) * 365 / (0.1 / 2 * math.Sqrt(365)), "omega": 2.1, "var_95": -0.085, "es_95": -0.1,
		"ulcer_index": math.Sqrt((0.01 + 0.01) / 4), // −10 % at the ends of two of four days
		"skew":        inference.Skew, "kurtosis": inference.Kurtosis, "best_day": 0.21, "worst_day": -0.1,
		"turnover_per_day": 0.5, "exposure": 5. / 8, "trades": 2, "round_trips": 3, "mean_holding_hours": 30,
		"hit_rate": 0.25, "hit_rate_trips": 2. / 3, "profit_factor": 129. / 40, "profit_factor_daily": 2.1,
		"average_win": 64.5, "average_loss": -40, "expectancy": 89. / 3, "best_trip": 89, "worst_trip": -40,
		"break_even_bps": 1e4 * 89 / 2089, "fill_share_median": 0.01, "fill_share_95": 0.019, "fill_share_largest": 0.02,
		"psr": inference.Probabilistic(0), "dsr": inference.Probabilistic(0), "min_trl_days": inference.MinTrackRecord(0, 0.95),
		"buy_and_hold": 0.089, "alpha": 0, "beta": 1,
		"total_return_low": nan, "total_return_high": nan, "sharpe_low": nan, "sharpe_high": nan, // bootstrap is off
	}
	for _, f := range PnLFigures() {
		v, known := want[f.Key]
		if !known {
			t.Errorf("%s is not in the test", f.Key)
		}
		if got := float64(row.Of(f.Key)); !(math.Abs(got-v) <= 1e-12*max(1, math.Abs(v))) && !(math.IsNaN(got) && math.IsNaN(v)) {
			t.Errorf("%s = %.15g, want %.15g", f.Key, got, v)
		}
	}
}

// What was earned over a hole is counted, and no daily return.
func TestHolesAreNoDays(t *testing.T) {
	a := accountOf()
	a.Days[2] = portfolio.Day{Day: 2, Hole: 2, Return: -0.1, PnL: -121, Held: true}
	row := PnL("composite", All, a, a, study.EvaluationConfig{}, nil)
	returns := []float64{0, 0.21, 0}
	for key, want := range map[string]float64{
		"daily_returns": 3, "days_in_holes": 2, "pnl_over_holes": -121, "total_return": 0.089,
		"sharpe": metrics.Mean(returns) / metrics.Std(returns) * math.Sqrt(365), "worst_day": 0,
	} {
		if got := float64(row.Of(key)); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if why := row.Reasons["sortino"]; why != "no day returned less than the risk-free rate" {
		t.Errorf("sortino is missing because %q", why)
	}
}

// Every figure that is missing says why, and none that is there: over runs in which everything that can be missing is.
func TestEveryPnLFigureStartsNull(t *testing.T) {
	change := func(f func(a *portfolio.Account)) *portfolio.Account {
		a := accountOf()
		f(a)
		return a
	}
	unknown := change(func(a *portfolio.Account) {
		a.Unknown = &portfolio.Unknown{From: 1_700_000_000_000_000, Reason: "no mark price is shown", Count: 5}
	})
	for name, c := range map[string]struct {
		a, hold *portfolio.Account
		reasons map[string]string // among those given
	}{
		"whole":   {accountOf(), accountOf(), nil},
		"unknown": {unknown, accountOf(), map[string]string{"total_return": "net PnL is not known from 2023-11-14T22:13:20Z on: no mark price is shown"}},
		"hold":    {accountOf(), unknown, map[string]string{"beta": "what buying and holding earned is not known from 2023-11-14T22:13:20Z on: no mark price is shown"}},
		"alone":   {accountOf(), nil, map[string]string{"buy_and_hold": "buying and holding was not traded"}},
		"nothing": {&portfolio.Account{Capital: 1, Final: 1, Exposure: nan}, &portfolio.Account{Capital: 1, Final: 1}, map[string]string{
			"profit_factor": "no round trip ended", "break_even_bps": "no trades", "sharpe": "fewer than two days", "exposure": "no bar", "cagr": "the span has no length",
		}},
		"idle": {change(func(a *portfolio.Account) {
			a.Days, a.Fills, a.Notional, a.Trips, a.Drawdown = make([]portfolio.Day, 12), 0, 0, portfolio.RoundTrips{Best: nan, Worst: nan}, metrics.Drawdown{}
			a.Final = a.Capital
		}), accountOf(), map[string]string{"sharpe": "every day has the same return", "hit_rate": "no day with a position", "calmar": "there was no drawdown"}},
		"ruined": {change(func(a *portfolio.Account) {
			a.Days, a.Final, a.Ruined = []portfolio.Day{{Return: -0.5, Held: true}, {Day: 1, Return: -1.2, Held: true}}, -10, true
		}), accountOf(), map[string]string{"cagr": "nothing is left", "calmar": "nothing is left", "turnover_per_day": "equity fell to nothing"}},
		"ruined at once": {change(func(a *portfolio.Account) {
			a.Days, a.Final, a.Ruined = []portfolio.Day{{Return: -1.2, Held: true}}, -200, true
		}), accountOf(), map[string]string{"sortino": "fewer than two days", "min_trl_days": "fewer than two days"}},
		"only wins":   {change(func(a *portfolio.Account) { a.Trips.Losses, a.Trips.Wins = 0, 3 }), accountOf(), map[string]string{"profit_factor": "no round trip lost", "average_loss": "no round trip lost"}},
		"only losses": {change(func(a *portfolio.Account) { a.Trips.Gains, a.Trips.Wins = 0, 0 }), accountOf(), map[string]string{"average_win": "no round trip gained"}},
	} {
		for _, bootstrap := range []int{0, 20} {
			row := PnL("composite", All, c.a, c.hold, study.EvaluationConfig{Bootstrap: bootstrap}, nil)
			for _, f := range PnLFigures() {
				v, why := float64(row.Figures[f.Key]), row.Reasons[f.Key]
				if math.IsInf(v, 0) || math.IsNaN(v) != (why != "") {
					t.Errorf("%s: %s is %v, reason %q", name, f.Key, v, why)
				}
			}
			for key, want := range c.reasons {
				if row.Reasons[key] != want {
					t.Errorf("%s: %s is %v because %q, want %q", name, key, row.Of(key), row.Reasons[key], want)
				}
			}
		}
		v := Variant(ZeroCost, 1, c.a, study.EvaluationConfig{})
		explained(t, name, v)
	}
	row := PnL("composite", All, unknown, nil, study.EvaluationConfig{}, nil)
	known := slices.Sorted(maps.Keys(row.Figures))
	known = slices.DeleteFunc(known, func(key string) bool { return math.IsNaN(float64(row.Of(key))) })
	if got, want := strings.Join(known, " "), "days_in_holes fees fill_share_95 fill_share_largest fill_share_median impact initial_equity pnl_without_funding price_pnl round_trips slippage trades"; got != want {
		t.Errorf("where net PnL is not known there are %s, want %s", got, want)
	}
}

// As JSON a row has today's keys, in their order, and reads back.
func TestPnLRowJSON(t *testing.T) {
	row := PnL("composite", All, accountOf(), nil, study.EvaluationConfig{}, nil)
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, key := range strings.Fields(`signal window daily_returns initial_equity final_equity price_pnl fees slippage impact funding pnl_without_funding total_return cagr volatility
		total_return_low total_return_high sharpe sharpe_low sharpe_high sortino calmar omega max_drawdown max_drawdown_days var_95 es_95 skew kurtosis best_day worst_day
		turnover_per_day exposure trades mean_holding_hours hit_rate hit_rate_trips profit_factor break_even_bps psr dsr min_trl_days buy_and_hold alpha beta reasons`) {
		at := strings.Index(string(text), `"`+key+`":`)
		if at <= last {
			t.Errorf("%s stands at %d, after %d", key, at, last)
		}
		last = at
	}
	if !strings.Contains(string(text), `"daily_returns":4,`) || !strings.Contains(string(text), `"trades":2,`) || !strings.Contains(string(text), `"alpha":null`) {
		t.Errorf("%s", text)
	}
	var back PnLRow
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("reads back as\n%s\nwant\n%s\n%v", again, text, err)
	}
	if err := json.Unmarshal([]byte(`{"sharpe":"high"}`), &back); err == nil {
		t.Error("a figure that is text is read")
	}
	if back.Of("sharp") == back.Of("sharp") {
		t.Error("a key that is none has a figure")
	}
}

// Every figure has its conventions, in the same order, and what counts it is a figure.
func TestMetricsCoverPnL(t *testing.T) {
	list, keys := Metrics(study.Default().Evaluation), map[string]bool{"": true}
	for _, f := range PnLFigures() {
		if keys[f.Key] {
			t.Errorf("%s is there twice", f.Key)
		}
		keys[f.Key] = true
		if (f.Group == "") != (f.Label == "") || (f.Group == "") != (f.Show.As == "") {
			t.Errorf("%s: group %q, label %q, show %+v", f.Key, f.Group, f.Label, f.Show)
		}
	}
	for i, f := range PnLFigures() {
		m := list[i]
		if m.Figure != f.Key || m.Unit == "" || m.Definition == "" || !keys[m.Count] || strings.Contains(m.Definition+m.Baseline, "{") {
			t.Errorf("%+v: want a unit, a definition and a count of PnLRow", m)
		}
	}
}
