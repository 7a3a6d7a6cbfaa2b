package factors

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestComputeIsTheSameForAnyWorkers(t *testing.T) {
	market := testMarket(t, 300, "A", "B", "C")
	var fs []Factor
	for _, k := range Catalogue {
		if k.Name != "vpin" {
			fs = append(fs, mustMake(t, k.Name, small(k), market.Grid))
		}
	}
	one, err := Compute(t.Context(), market, fs, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{0, 2, 7} {
		many, err := Compute(t.Context(), market, fs, Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range one.Panels {
			for i := range market.Instruments {
				if row, ok := sameBits(many.Panels[k].Col(i), p.Col(i)); !ok {
					t.Errorf("%s of instrument %d differs at %d with %d workers", p.Name, i, row, workers)
				}
			}
		}
	}
}

func TestComputeSharesEqualKeys(t *testing.T) {
	market := testMarket(t, 10, "A", "B")
	var calls atomic.Int64
	base := Factor{Name: "base", Key: "base", Inputs: []string{"close"}, Lookback: 1, Start: stateless(func(dst []float64, in [][]float64) {
		calls.Add(1)
		copy(dst, in[0])
	})}
	double := func(name string) Factor {
		return Factor{Name: name, Key: "double", Inputs: []string{"turnover"}, Uses: []Factor{base}, Lookback: 1, Start: stateless(func(dst []float64, in [][]float64) {
			calls.Add(1)
			for t := range dst {
				dst[t] = in[0][t] + 2*in[1][t]
			}
		})}
	}
	out := mustCompute(t, market, double("a"), base, double("b"))
	if calls.Load() != 4 {
		t.Errorf("%d columns were evaluated, want 2 factors × 2 instruments", calls.Load())
	}
	close, turnover := market.Panel("close").Col(1), market.Panel("turnover").Col(1)
	for k, name := range []string{"a", "base", "b"} {
		if out.Panels[k].Name != name {
			t.Errorf("panel %d is %s, want %s", k, out.Panels[k].Name, name)
		}
	}
	if got := out.Panel("b").Col(1)[3]; got != turnover[3]+2*close[3] {
		t.Errorf("b = %v", got)
	}
}

func TestComputeErrors(t *testing.T) {
	market := testMarket(t, 10, "A")
	market.Panels = market.Panels[:1] // close
	f := mustMake(t, "basis", nil, market.Grid)
	_, err := Compute(t.Context(), market, []Factor{f}, Options{})
	if want := "factor my_basis: the bars have no mark_price, which comes from derivative_ticker: qf fetch --types derivative_ticker"; errText(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
	m := mustMake(t, "momentum", nil, market.Grid)
	if _, err = Compute(t.Context(), market, []Factor{m, m}, Options{}); errText(err) != "factor my_momentum is defined twice" {
		t.Error(err)
	}
	m.Name = "close"
	if _, err = Compute(t.Context(), market, []Factor{m}, Options{}); errText(err) != "factor close has the name of a bar column: call it otherwise" {
		t.Error(err)
	}
	m.Name = "my_momentum"
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err = Compute(ctx, market, []Factor{m}, Options{}); !errors.Is(err, stop) {
		t.Errorf("%v, want the cause of the context", err)
	}
	if !strings.Contains(missingField("bid").Error(), "quotes or book_ticker or book_snapshot_5 or book_snapshot_25: qf fetch --types quotes") {
		t.Error(missingField("bid"))
	}
}
