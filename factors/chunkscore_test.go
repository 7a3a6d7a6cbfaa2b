package factors

import (
	"math"
	"testing"
)

// A composite in chunks has the bits of the whole, however its components are normalized.
func TestChunkScoreIsComposite(t *testing.T) {
	market := testMarket(t, 400, "BTCUSDT")
	const lo, hi = 30, 390
	var fs []Factor
	for _, f := range []struct{ kind, window string }{{"momentum", "14"}, {"volatility", "20"}, {"liquidity_score", "20"}, {"ofi", "9"}, {"momentum", "7"}} {
		made, err := Make(f.kind+f.window, f.kind, Params{"window": f.window}, market.Grid)
		if err != nil {
			t.Fatal(err)
		}
		fs = append(fs, made)
	}
	frame := mustCompute(t, market, fs...)
	c := Composite{Normalize: Normalization{Method: FullSample}, Components: []Component{
		{Factor: "momentum14", Weight: 0.4}, {Factor: "volatility20", Weight: -0.2},
		{Factor: "liquidity_score20", Weight: 0.25, Normalize: &Normalization{Method: Fixed, Mean: 0.5, Std: 0.25}},
		{Factor: "ofi9", Weight: 0.15, Normalize: &Normalization{Method: None}},
		{Factor: "momentum7", Weight: 0.1, Normalize: &Normalization{Method: Rolling, Window: Window{Bars: 25}}},
	}}
	want, err := frame.Composite(c, lo, hi)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{13, 100, 1000} {
		score, all, err := c.Chunks(fs, market.Grid)
		if err != nil {
			t.Fatal(err)
		}
		chunks := NewChunks(all)
		var cols ChunkColumns
		each := func(from, to int, f func(columns [][]float64, from, to int)) {
			for ; from < to; from += size {
				end := min(from+size, to)
				base := max(0, from-chunks.Back())
				in := make([][]float64, len(chunks.Fields()))
				for i, name := range chunks.Fields() {
					in[i] = market.Panel(name).Col(0)[base:end]
				}
				chunks.Eval(&cols, base, from, in)
				columns := make([][]float64, len(all))
				for k := range columns {
					col, _ := cols.Factor(k)
					columns[k] = col[from-base : end-base]
				}
				f(columns, from, end)
			}
		}
		each(lo, hi, func(columns [][]float64, _, _ int) { score.Survey(columns) })
		score.Fit()
		each(0, market.Len(), func(columns [][]float64, from, to int) {
			got := make([]float64, to-from)
			score.Eval(got, columns)
			for k, v := range got {
				if w := want.Col(0)[from+k]; math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
					t.Fatalf("chunks of %d: row %d is %v, of the whole %v", size, from+k, v, w)
				}
			}
		})
		if a, b := len(score.Warnings()), len(want.Warnings); a != b {
			t.Errorf("chunks of %d: %d warnings, of the whole %d", size, a, b)
		}
	}
}

func TestChunkScoreSaysWhatItCannotDo(t *testing.T) {
	market := testMarket(t, 100, "BTCUSDT")
	f := mustMake(t, "momentum", Params{"window": "14"}, market.Grid)
	for _, c := range []Composite{
		{Missing: Renormalize}, {Normalize: Normalization{Method: Expanding}}, {Normalize: Normalization{Method: CrossSection}},
		{Normalize: Normalization{Method: FullSample, Clip: 3}},
	} {
		c.Components = []Component{{Factor: f.Name, Weight: 1}}
		if _, _, err := c.Chunks([]Factor{f}, market.Grid); err == nil {
			t.Errorf("%+v is available in chunks", c)
		}
	}
}
