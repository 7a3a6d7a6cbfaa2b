package backtest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// explained fails where a value of a row is null without a reason under its key, or has one though it is there. Values
// within a value go by its key, a dot and theirs, or share the reason of the value that they stand in.
func explained(t *testing.T, lists ...any) {
	t.Helper()
	text, err := json.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]map[string]any
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for _, list := range rows {
		for _, row := range list {
			why, _ := row["reasons"].(map[string]any)
			missing := map[string]bool{}
			for key, value := range row {
				within, ok := value.(map[string]any)
				if !ok || key == "reasons" {
					within = map[string]any{"": value}
				}
				for inner, value := range within {
					name := strings.TrimSuffix(key+"."+inner, ".")
					if value != nil {
						continue
					}
					missing[key], missing[name] = true, true
					said, _ := why[name].(string)
					if all, _ := why[key].(string); said == "" && all == "" {
						t.Errorf("%s is null without a reason in %v", name, row)
					}
				}
			}
			for key := range why {
				if !missing[key] {
					t.Errorf("a reason for %s, which is not null, in %v", key, row)
				}
			}
		}
	}
}

// Whatever is missing says why, and nothing else does.
func TestEveryNullHasAReason(t *testing.T) {
	for name, c := range map[string]struct {
		skip func(datasets.Partition) bool
		set  []string
	}{
		"plain":         {},
		"resampled":     {set: []string{"evaluation.bootstrap=50", "windows={length: 1d}"}},
		"idle":          {set: []string{"signals.thresholds={strong_long: 90, long: 80, short: -80, strong_short: -90}"}},
		"without ranks": {set: []string{"evaluation.rank_ic=false", "evaluation.persistence=false", "evaluation.delays=[]"}},
		"long horizon":  {set: []string{"evaluation.horizons=[1h, 2d, 9d]"}},
		"short":         {set: []string{"bars.every=1h", "data.to=2024-01-04", "evaluation.horizons=[1h, 12h]"}},
		"no funding": {skip: func(p datasets.Partition) bool {
			return p.Type == datasets.DerivativeTicker && p.Day.String() == "2024-01-04"
		}},
		"a hole":        {skip: func(p datasets.Partition) bool { return p.Day.String() == "2024-01-04" }},
		"one":           {set: []string{"data.instruments=[binance-futures:BTCUSDT]"}},
		"cross-section": {set: []string{"data.instruments=[binance-futures:BTCUSDT, bybit:BTCUSDT, okex-swap:SOL-USDT-SWAP, bybit:ETHUSDT, bybit:SOLUSDT]"}},
		"constant":      {set: []string{"composite.components=[{factor: vol, weight: 0}, {factor: mom, weight: 0}]"}},
	} {
		t.Run(name, func(t *testing.T) {
			lake, s := simulatedLake(t, small, c.skip, c.set...)
			r, err := Backtest(t.Context(), lake, s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			f := r.Figures
			explained(t, f.IC, f.Levels, f.Transitions, f.Quantiles, f.Spreads, f.Persistence, f.Slices, f.PnL, f.Variants, f.Stability)
			if len(f.IC) == 0 || len(f.PnL) == 0 || len(f.Levels) == 0 {
				t.Error("rows are missing")
			}
		})
	}
}
