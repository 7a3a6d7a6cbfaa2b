package factors

import (
	"slices"
	"testing"
)

// A factor that looks ahead knows the rows of the sample, and has no value outside it.
func TestSampleFactors(t *testing.T) {
	market := testMarket(t, 400, "BTCUSDT")
	const lo, hi = 60, 380
	volatility := mustCompute(t, market, mustMake(t, "volatility", Params{"window": "15"}, market.Grid)).Panels[0].Col(0)
	sample := volatility[lo:hi]
	p := Params{"window": "15", "min_periods": "0.9", "sample": "full"}
	frame, err := Compute(t.Context(), market, []Factor{
		mustMake(t, "volatility_percentile", p, market.Grid), mustMake(t, "vol_regime", p, market.Grid),
	}, Options{Lo: lo, Hi: hi})
	if err != nil {
		t.Fatal(err)
	}
	var known []float64
	for _, v := range sample {
		if v == v {
			known = append(known, v)
		}
	}
	slices.Sort(known)
	quantile := func(q float64) float64 {
		h := float64(len(known)-1) * q
		k := int(h)
		return known[k] + (h-float64(k))*(known[k+1]-known[k])
	}
	low, high := quantile(0.2), quantile(0.8)
	for row := range market.Len() {
		pct, regime := nan, nan
		if v := volatility[row]; row >= lo && row < hi && v == v {
			below, equal, n := 0.0, 0.0, 0.0
			for _, o := range sample {
				switch {
				case o < v:
					below++
				case o == v:
					equal++
				}
				if o == o {
					n++
				}
			}
			pct, regime = (below+(equal+1)/2)/n, 0
			if v <= low {
				regime = -1
			} else if v > high {
				regime = 1
			}
		}
		got := []float64{frame.Panels[0].Col(0)[row], frame.Panels[1].Col(0)[row]}
		if at, ok := sameBits(got, []float64{pct, regime}); !ok {
			t.Fatalf("row %d: %v, want %v and %v (column %d)", row, got, pct, regime, at)
		}
	}
}
