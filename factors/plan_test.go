package factors

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/qf-dev/qf/datasets/bars"
)

// cuts are ways to cut n rows into blocks.
func cuts(n int) map[string][]int {
	r := rand.New(rand.NewPCG(21, uint64(n)))
	out := map[string][]int{"whole": {n}}
	for name, size := range map[string]int{"1": 1, "7": 7, "8192": 8192} {
		for at := 0; at < n; at += size {
			out[name] = append(out[name], min(size, n-at))
		}
	}
	for at := 0; at < n; {
		size := r.IntN(min(n-at, 100) + 1)
		out["random"] = append(out["random"], size)
		at += size
	}
	return out
}

// blocks gives the fields of a frame in blocks, each in memory that the next one overwrites.
func (f *Frame) blocks(fields []string, sizes []int) func(yield func(*bars.Block) bool) {
	return func(yield func(*bars.Block) bool) {
		memory := make([][][]float64, len(fields))
		for k := range memory {
			memory[k] = make([][]float64, len(f.Instruments))
		}
		at := 0
		for _, size := range sizes {
			b := &bars.Block{Lo: at, Hi: at + size, Close: f.Close[at : at+size], Cols: memory}
			for k, name := range fields {
				for i := range memory[k] {
					memory[k][i] = append(memory[k][i][:0], f.Panel(name).Col(i)[at:at+size]...)
				}
			}
			if !yield(b) {
				return
			}
			at += size
		}
	}
}

// Every kind of the catalogue has the same bits whatever the cutting into blocks and the number of workers.
func TestAnyBlocksAreTheWhole(t *testing.T) {
	for _, k := range Catalogue {
		market := marketFor(t, k)
		f := mustMake(t, k.Name, small(k), market.Grid)
		g := *market.Grid
		g.Close = nil
		whole := mustCompute(t, market, f).Panels[0]
		for name, sizes := range cuts(market.Len()) {
			for _, workers := range []int{1, 3} {
				p, err := NewPlan([]Factor{f}, &g)
				if err != nil {
					t.Fatal(err)
				}
				play := p.Start()
				for b := range market.blocks(p.Fields(), sizes) {
					cols, err := play.Next(t.Context(), b, workers)
					if err != nil {
						t.Fatal(err)
					}
					for i := range g.Instruments {
						if row, ok := sameBits(cols[0][i], whole.Col(i)[b.Lo:b.Hi]); !ok {
							t.Fatalf("%s, cut %s: row %d is %v, of the whole %v", k.Name, name, b.Lo+row, cols[0][i][row], whole.Col(i)[b.Lo+row])
						}
					}
				}
			}
		}
	}
}

// Every normalization has the same bits whatever the cutting into blocks, and the same warnings.
func TestScoringOfAnyBlocksIsTheWhole(t *testing.T) {
	const n, lo, hi = 400, 130, 390
	market := testMarket(t, n, "A", "B", "C")
	names := []string{"momentum", "volatility", "ofi"}
	var fs []Factor
	for _, kind := range names {
		f := mustMake(t, kind, Params{"window": "9"}, market.Grid)
		f.Name = kind
		fs = append(fs, f)
	}
	frame := mustCompute(t, market, fs...)
	window := Window{Bars: 30}
	for _, missing := range []MissingPolicy{Strict, Renormalize} {
		c := Composite{Missing: missing}
		for k, n := range []Normalization{
			{Method: Rolling, Window: window}, {Method: Expanding}, {Method: Fixed, Std: 2, Clip: 0.01}, {Method: Fixed, Std: 200},
			{Method: CrossSection}, {Method: Rank, Window: window}, {Method: None}, {Method: FullSample}, {Method: FullSample, Clip: 1},
			{Method: CrossSection, Clip: 1},
		} {
			c.Components = append(c.Components, Component{Factor: names[k%3], Weight: float64(k) - 3.5, Normalize: &n})
		}
		want, err := frame.Composite(c, lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		scorer, err := c.Scorer(fs, market.Grid)
		if err != nil || !scorer.LooksAhead() {
			t.Fatalf("looks ahead: %v (%v)", scorer.LooksAhead(), err)
		}
		for name, sizes := range cuts(n) {
			r := scorer.Start()
			r.Sample(lo, hi)
			for b := range frame.blocks(names, sizes) {
				r.Survey(b.Cols, min(max(lo-b.Lo, 0), b.Len()), min(max(hi-b.Lo, 0), b.Len()))
			}
			r.Fit()
			for b := range frame.blocks(names, sizes) {
				score, z := r.Next(b.Cols)
				for i := range market.Instruments {
					if row, ok := sameBits(score[i], want.Col(i)[b.Lo:b.Hi]); !ok {
						t.Fatalf("cut %s: F at %d is %v, of the whole %v", name, b.Lo+row, score[i][row], want.Col(i)[b.Lo+row])
					}
					for k := range c.Components {
						if row, ok := sameBits(z[k][i], want.Z[k].Col(i)[b.Lo:b.Hi]); !ok {
							t.Fatalf("cut %s: z %d at %d is %v, of the whole %v", name, k, b.Lo+row, z[k][i][row], want.Z[k].Col(i)[b.Lo+row])
						}
					}
				}
			}
			if got := errTexts(r.Warnings()); !slices.Equal(got, errTexts(want.Warnings)) || len(got) < 3 {
				t.Errorf("cut %s: warnings %q, of the whole %q", name, got, errTexts(want.Warnings))
			}
		}
		if !slices.ContainsFunc(want.Col(0), func(v float64) bool { return !math.IsNaN(v) }) {
			t.Errorf("missing %q: F has no value", missing)
		}
	}
}

func errTexts(errs []error) []string {
	var out []string
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}
