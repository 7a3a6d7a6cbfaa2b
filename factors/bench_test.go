package factors

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/qf-dev/qf/datasets/bars"
)

// BenchmarkArticleStudy computes the published study's factors and score over one-minute bars of a
// year: momentum, volatility, liquidity and order flow, each standardized over 30 days.
func BenchmarkArticleStudy(b *testing.B) {
	const n = 525_600
	g := hourly(n, "A")
	g.Every /= 60
	g.BarsPerYear *= 60
	r := rand.New(rand.NewPCG(1, 1))
	price, turnover, flow := make([]float64, n), make([]float64, n), make([]float64, n)
	p := 1e5
	for t := range n {
		p *= math.Exp(1e-3 * r.NormFloat64())
		price[t], turnover[t], flow[t] = p, 1e6*math.Exp(r.NormFloat64()), 2*r.Float64()-1
	}
	market := &Frame{Grid: g, Panels: []*Panel{NewPanel("close", g, price), NewPanel("turnover", g, turnover), NewPanel("ofi_100t", g, flow)}}
	var fs []Factor
	c := Composite{}
	for _, k := range []struct {
		kind   string
		weight float64
	}{{"momentum", 0.4}, {"volatility", -0.2}, {"liquidity_score", 0.25}, {"ofi", 0.15}} {
		f, err := Make(k.kind, k.kind, nil, g)
		if err != nil {
			b.Fatal(err)
		}
		fs = append(fs, f)
		c.Components = append(c.Components, Component{Factor: k.kind, Weight: k.weight})
	}
	b.ReportAllocs()
	for b.Loop() {
		frame, err := Compute(context.Background(), market, fs, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := frame.Composite(c, 0, n); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/bar")
}

// BenchmarkTicks plays single trades through eight factors, and a composite of four of them over 100 trades, in blocks.
func BenchmarkTicks(b *testing.B) {
	const n, length = 1 << 17, 8192
	r := rand.New(rand.NewPCG(1, 1))
	market := map[string][]float64{"close": make([]float64, n), "turnover": make([]float64, n), "ofi_100t": make([]float64, n)}
	price := 600_000 // in ticks
	for t := range n {
		if r.IntN(3) == 0 {
			price += r.IntN(5) - 2
		}
		market["close"][t] = float64(price) / 10
		market["turnover"][t] = market["close"][t] * float64(1+r.IntN(500)) * 0.001
		market["ofi_100t"][t] = float64(r.IntN(201)-100) / 100
	}
	g := &Grid{Kind: bars.TickBars, BarsPerYear: 1e9, Instruments: hourly(0, "A").Instruments}
	var fs []Factor
	c := Composite{Normalize: Normalization{Window: Window{Bars: 100}}}
	for _, k := range []struct {
		kind, window string
		weight       float64
	}{{"momentum", "14", 0.4}, {"momentum", "100", 0}, {"volatility", "5", 0}, {"volatility", "20", -0.2}, {"volatility", "60", 0},
		{"amihud", "20", 0}, {"liquidity_score", "20", 0.25}, {"ofi", "100 trades", 0.15}} {
		f, err := Make(k.kind+k.window, k.kind, Params{"window": k.window}, g)
		if err != nil {
			b.Fatal(err)
		}
		fs = append(fs, f)
		if k.weight != 0 {
			c.Components = append(c.Components, Component{Factor: f.Name, Weight: k.weight})
		}
	}
	plan, err := NewPlan(fs, g)
	if err != nil {
		b.Fatal(err)
	}
	scorer, err := c.Scorer(fs, g)
	if err != nil {
		b.Fatal(err)
	}
	block := &bars.Block{Cols: make([][][]float64, len(plan.Fields()))}
	b.ReportAllocs()
	for b.Loop() {
		play, scoring := plan.Start(), scorer.Start()
		for lo := 0; lo < n; lo += length {
			block.Lo, block.Hi = lo, lo+length
			for k, name := range plan.Fields() {
				block.Cols[k] = [][]float64{market[name][lo : lo+length]}
			}
			cols, err := play.Next(context.Background(), block, 1)
			if err != nil {
				b.Fatal(err)
			}
			scoring.Next(cols)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/trade")
}
