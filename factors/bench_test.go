package factors

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
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
