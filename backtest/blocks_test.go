package backtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/datasets"
)

// optionStudies are studies that between them use every option, on the market of simulatedLake or that of tradesLake.
var optionStudies = []struct {
	name string
	text string
	set  []string
}{
	{"default", small, nil},
	{"windows", small, []string{"windows={length: 1d, step: 12h}", "execution.rebalance_band=0.01"}},
	{"full sample in windows", small, []string{"windows={length: 1d}", "composite.normalize={method: full_sample, clip: 3}"}},
	{"expanding, clip, renormalize", small, []string{"composite.normalize={method: expanding, clip: 2}", "composite.missing=renormalize"}},
	{"ranks", small, []string{"composite.normalize={method: rank, window: 6h}"}},
	{"cross-section of three", small, []string{"data.instruments=[binance-futures:BTCUSDT, bybit:BTCUSDT, okex-swap:SOL-USDT-SWAP]", "composite.normalize={method: cross_section}"}},
	{"impact and allocation", small, []string{"execution.impact=square_root", "execution.allocation=inverse_volatility", "execution.gross_cap=0.7"}},
	{"fixed, late, at the close", small, []string{"execution.sizing=fixed", "execution.delay=3", "execution.price=close", "execution.taker_bps=40"}},
	{"inverse and continuous", small, []string{"data.instruments=[deribit:BTC-PERPETUAL]", "execution.price=vwap"}},
	{"rules", small, []string{
		"signals.hysteresis={strong_long: 0.8, long: 0.2, short: -0.1}", "signals.min_holding=1h", "signals.rebalance_every=30m", "signals.cap=0.9",
		"signals.volatility_target={factor: vol, annual: 0.4, max: 1.5}",
	}},
	{"single trades", ofTrades("tick", 1), []string{"evaluation.horizons=[1, 5, 40]"}},
	{"single trades, windows and impact", ofTrades("tick", 1), []string{"windows={length: 700, step: 300}", "execution.impact=square_root", "composite.missing=renormalize"}},
	{"trades in sevens", ofTrades("tick", 7), nil},
	{"volume", ofTrades("volume", 1), nil},
	{"references", looking, nil},
	{"a series", bringing, []string{"windows={length: 1d}"}},
	{"without ranks", ofTrades("tick", 1), []string{"evaluation.rank_ic=false", "evaluation.persistence=false", "evaluation.delays=[]"}},
}

// figuresOf is everything that a result says, as text.
func figuresOf(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	add := func(what string, v any) {
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		fmt.Fprintf(&b, "%s %s\n", what, text)
	}
	ev := r.Figures
	add("ic", ev.IC)
	add("levels", ev.Levels)
	add("transitions", ev.Transitions)
	add("daily", ev.Daily)
	add("quantiles", ev.Quantiles)
	add("spreads", ev.Spreads)
	add("persistence", ev.Persistence)
	add("slices", ev.Slices)
	add("pnl", ev.PnL)
	add("variants", ev.Variants)
	add("stability", ev.Stability)
	fmt.Fprintf(&b, "curves %v\n", r.Curves)
	err := r.Rows(func(x *RunRows) error {
		for t, at := range x.TS {
			fmt.Fprintln(&b, x.Window, at, x.Equity[t], x.Hold[t], x.PricePnL[t], x.Fees[t], x.Slippage[t], x.Impact[t], x.Funding[t])
			for i := range x.Close {
				fmt.Fprintln(&b, x.Close[i][t], x.Target[i][t], x.Quantity[i][t], x.Weight[i][t])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Fills(func(f *FillRow) error { fmt.Fprintln(&b, *f); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(&b, w)
	}
	return b.String()
}

// Whatever the length of blocks and the number of workers, and whether columns are kept on the heap or in files, a study
// says the same.
func TestAnyBlocksAreTheWhole(t *testing.T) {
	for _, c := range optionStudies {
		t.Run(c.name, func(t *testing.T) {
			lake, s := simulatedLake(t, c.text, func(p datasets.Partition) bool {
				return strings.HasPrefix(c.name, "single") && p.Day.String() == "2024-01-04"
			}, append([]string{"report.formats=[json, parquet]"}, c.set...)...)
			want := ""
			for _, o := range []Options{{Workers: 1}, {Workers: 2, block: 97}, {Workers: 8, block: 7, Memory: 1}, {Workers: 2, block: 1 << 20}} {
				r, err := Backtest(t.Context(), lake, s, o)
				if err != nil {
					t.Fatal(err)
				}
				got := figuresOf(t, r)
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				if r.Runs[0].Account.Fills == 0 {
					t.Error("nothing was traded")
				}
				if want == "" {
					want = got
				} else if got != want {
					t.Fatalf("%+v (- blocks of %d):\n%s", o, 8192, firstDifference(want, got))
				}
			}
		})
	}
}

// firstDifference shows the lines around where two texts part.
func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for k := range min(len(x), len(y)) {
		if x[k] != y[k] {
			lo := max(0, k-8)
			return cmp.Diff(strings.Join(x[lo:min(len(x), k+4)], "\n"), strings.Join(y[lo:min(len(y), k+4)], "\n"))
		}
	}
	return fmt.Sprintf("%d lines, then %d", len(x), len(y))
}
