package expr

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// fifty formulas share a deviation, ranks and a mean.
func fifty() []string {
	var list []string
	for k := range 50 {
		list = append(list, fmt.Sprintf("rank(delta(close, %d)) * demean(returns / ts_std(returns, 20)) + ts_rank(volume / ts_mean(volume, 20), 10) - ts_corr(close, volume, 10)", k+1))
	}
	return list
}

// BenchmarkFifty plays fifty formulas over 261 daily bars of 1,000 instruments: in one plan, and in one each.
func BenchmarkFifty(b *testing.B) {
	const n, rows = 1000, 261
	g := &factors.Grid{Every: 24 * time.Hour, BarsPerYear: 365}
	block := &bars.Block{Hi: rows}
	for t := range rows {
		block.Close = append(block.Close, int64(t+1)*datasets.MicrosPerDay)
	}
	r := rand.New(rand.NewPCG(1, 2))
	cols := map[string][][]float64{}
	for i := range n {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "binance", Symbol: fmt.Sprint("S", i)})
		price := 100.0
		var c, v []float64
		for range rows {
			price *= math.Exp(0.02 * r.NormFloat64())
			c, v = append(c, price), append(v, math.Exp(r.NormFloat64()))
		}
		cols["close"], cols["volume"] = append(cols["close"], c), append(cols["volume"], v)
	}
	scope := Scope{Instruments: g.Instruments}
	for k, text := range fifty() {
		scope.Factors = append(scope.Factors, Source{Name: fmt.Sprint("f", k), Expr: text})
	}
	fs, errs := Compile(scope, g)
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	play := func(fs []factors.Factor) {
		p, err := factors.NewPlan(fs, g)
		if err != nil {
			b.Fatal(err)
		}
		own := *block
		for _, name := range p.Fields() {
			own.Cols = append(own.Cols, cols[name])
		}
		if _, err := p.Start().Next(context.Background(), &own, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			play(fs)
		}
	})
	b.Run("apart", func(b *testing.B) {
		for b.Loop() {
			for k := range fs {
				play(fs[k : k+1])
			}
		}
	})
}
