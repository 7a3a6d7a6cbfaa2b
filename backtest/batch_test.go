package backtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// variations are settings of which a batch mixes some at random.
var variations = [][]string{
	{"signals.thresholds={strong_long: 1.5, long: 0.4, short: -0.4, strong_short: -1.5}", "signals.thresholds={strong_long: 1, long: 0.2, short: -0.3, strong_short: -1.2}"},
	{"composite.components[0].weight=0.25", "composite.components[0].weight=-1", "composite.components[0].weight=2"},
	{"execution.delay=1", "execution.delay=2", "execution.delay=7"},
	{"execution.taker_bps=0", "execution.taker_bps=7.5"},
	{"execution.half_spread_bps=0", "execution.half_spread_bps=3"},
	{"signals.min_holding=45m", "signals.rebalance_every=20m"},
	{"signals.hysteresis={strong_long: 0.9, long: 0.1, short: -0.1}"},
	{"composite.normalize={window: 5h, clip: 2}", "composite.normalize={method: expanding}", "composite.normalize={method: full_sample}"},
	{"execution.sizing=fixed"},
	{"execution.impact=square_root"},
	{"windows={length: 1d, step: 12h}"},
	{"composite.missing=renormalize"},
}

// outcomeOf is an outcome as text.
func outcomeOf(t *testing.T, o *Outcome) string {
	t.Helper()
	var b strings.Builder
	row := o.IC // figures that an outcome leaves out
	row.Spearman, row.SpearmanT, row.SpearmanP, row.Low, row.High, row.PHolm = 0, 0, 0, 0, 0, 0
	row.Warnings, row.Reasons = nil, maps.Clone(row.Reasons)
	for _, key := range []string{"spearman", "spearman_t", "spearman_p", "pearson_low", "pearson_high", "p_holm"} {
		delete(row.Reasons, key)
	}
	for _, v := range []any{o.Digest, row, o.PnL, o.Account.Fills, o.Account.Days, o.Account.Final} {
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", text)
	}
	return b.String()
}

// Studies that are played side by side come to what each comes to alone, to the bit, for any number of workers and length of
// blocks.
func TestSideBySideIsAlone(t *testing.T) {
	bases := []string{"default", "cross-section of three", "impact and allocation", "inverse and continuous", "rules", "trades in sevens", "single trades"}
	if testing.Short() {
		bases = bases[:2]
	}
	for _, c := range optionStudies {
		for _, base := range bases {
			if c.name != base {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				lake, s := simulatedLake(t, c.text, nil, append(c.set, "report.formats=[json]")...)
				rng := rand.New(rand.NewPCG(uint64(len(c.name)), 3))
				list := []*study.Study{s}
				for len(list) < 20 {
					set := append([]string{"report.formats=[json]"}, c.set...)
					for _, v := range variations {
						if rng.IntN(3) == 0 {
							set = append(set, v[rng.IntN(len(v))])
						}
					}
					if next, err := study.Parse("trial", []byte(c.text), set); err == nil { // some do not go with some bars
						list = append(list, next)
					}
				}
				want := make([]string, len(list))
				for k, s := range list {
					r, err := Backtest(t.Context(), lake, s, Options{})
					if err != nil {
						t.Fatal(err)
					}
					o := &Outcome{Digest: r.Digest, Account: r.Runs[0].Account, PnL: r.Figures.pnl(r.Traded)}
					for _, row := range r.Figures.IC {
						if row.Signal == r.Traded && mainRow(row, r.Figures.Primary, len(r.Grid.Instruments)) {
							o.IC = row
						}
					}
					want[k] = outcomeOf(t, o)
					r.Close()
				}
				for _, o := range []Options{{Workers: 1}, {Workers: 2, block: 97}, {Workers: 8}} {
					got := make([]string, len(list))
					err := SideBySide(t.Context(), lake, list, Batch{Options: o, Done: func(k int, o *Outcome) error {
						got[k] = outcomeOf(t, o)
						return nil
					}})
					if err != nil {
						t.Fatal(err)
					}
					for k := range list {
						if got[k] != want[k] {
							t.Fatalf("%+v, study %d (- alone, + beside others):\n%s", o, k, firstDifference(want[k], got[k]))
						}
					}
				}
			})
		}
	}
}

// What is known is not played again, and a canceled batch ends.
func TestSideBySideSkipsWhatIsKnown(t *testing.T) {
	lake, s := simulatedLake(t, small, func(datasets.Partition) bool { return false })
	played := 0
	seen := map[string]bool{}
	b := Batch{
		Known: func(_ int, digest string) bool { return seen[digest] },
		Done:  func(_ int, o *Outcome) error { played++; seen[o.Digest] = true; return nil },
	}
	for range 2 {
		if err := SideBySide(t.Context(), lake, []*study.Study{s, s}, b); err != nil {
			t.Fatal(err)
		}
	}
	if played != 2 || len(seen) != 1 {
		t.Errorf("%d played, %d digests", played, len(seen))
	}
}
