package portfolio

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// stream is a market of random walks whose targets change every so many rows on average, cut into blocks.
type stream struct {
	Market
	span   study.Span
	names  []string
	blocks []*bars.Block
	target [][][]float64 // by block, instrument
}

func newStream(rows, instruments, every int, contract datasets.Contract) *stream {
	s := &stream{names: []string{"close", "open", "trades", "turnover", "funding_rate"}}
	s.Grid = &factors.Grid{Every: time.Minute, BarsPerYear: 525600}
	s.span = study.Span{Hi: rows, To: int64(rows) * minute}
	labels := make([]int64, rows)
	for t := range labels {
		labels[t] = int64(t+1) * minute
	}
	columns, target := make([][][]float64, len(s.names)), make([][]float64, instruments)
	for i := range instruments {
		s.Grid.Instruments = append(s.Grid.Instruments, datasets.Instrument{Exchange: "test", Symbol: string(rune('A' + i))})
		s.Contracts = append(s.Contracts, contract)
		r := rand.New(rand.NewPCG(1, uint64(i)))
		closes, turnover, price, weight := make([]float64, rows), make([]float64, rows), 100.0, 0.0
		target[i] = make([]float64, rows)
		for t := range closes {
			price *= 1 + 0.0005*r.NormFloat64()
			if r.IntN(every) == 0 {
				weight = float64(r.IntN(5)-2) / 2
			}
			closes[t], turnover[t], target[i][t] = price, 1e6*r.ExpFloat64(), weight
		}
		for k, x := range [][]float64{closes, closes, fill(rows, 1), turnover, fill(rows, 1e-5)} {
			columns[k] = append(columns[k], x)
		}
	}
	for lo := 0; lo < rows; lo += 8192 {
		hi := min(rows, lo+8192)
		b := &bars.Block{Lo: lo, Hi: hi, Close: labels[lo:hi]}
		cut := func(x [][]float64) (part [][]float64) {
			for _, c := range x {
				part = append(part, c[lo:hi])
			}
			return part
		}
		for _, x := range columns {
			b.Cols = append(b.Cols, cut(x))
		}
		s.blocks = append(s.blocks, b)
		s.target = append(s.target, cut(target))
	}
	return s
}

// play plays portfolios of the same execution side by side.
func (s *stream) play(b *testing.B, e study.ExecutionConfig, options ...Options) (bytes uint64) {
	m := &Market{Grid: s.Grid, Contracts: s.Contracts}
	var list []*Portfolio
	var fields [][]int
	places := func(names []string) (at []int) {
		for _, name := range names {
			at = append(at, slices.Index(s.names, name))
		}
		return at
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, o := range options {
		p, err := New(m, s.span, e, o)
		if err != nil {
			b.Fatal(err)
		}
		list, fields = append(list, p), append(fields, places(append(p.Fields(), p.Optional()...)))
	}
	remembered := places(m.Remembers())
	for k, block := range s.blocks {
		m.Remember(block, remembered)
		for j, p := range list {
			p.Step(block, fields[j], s.target[k])
		}
	}
	runtime.ReadMemStats(&after)
	for _, p := range list {
		if _, err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return after.TotalAlloc - before.TotalAlloc
}

func BenchmarkStep(b *testing.B) {
	const rows = 1_296_000
	inverseFunded := datasets.Contract{Inverse: true, Multiplier: 1, ContinuousFunding: true}
	for _, c := range []struct {
		name               string
		instruments, every int
		contract           datasets.Contract
		set                func(*study.ExecutionConfig)
		options            []Options
	}{
		{name: "linear", instruments: 1, every: 800, contract: linear},
		{name: "linear, rows kept", instruments: 1, every: 800, contract: linear, options: []Options{{Keep: true}}},
		{name: "linear, held", instruments: 1, every: 800, contract: linear, options: []Options{{Hold: true}}},
		{name: "linear, target every 3", instruments: 1, every: 3, contract: linear},
		{name: "inverse", instruments: 1, every: 800, contract: inverse},
		{name: "inverse, funding accrues", instruments: 1, every: 800, contract: inverseFunded, set: func(e *study.ExecutionConfig) { e.Funding = true }},
		{name: "band", instruments: 1, every: 800, contract: linear, set: func(e *study.ExecutionConfig) { e.RebalanceBand = 0.05 }},
		{name: "impact", instruments: 1, every: 60, contract: linear, set: func(e *study.ExecutionConfig) { e.Impact = study.ImpactConfig{Model: study.SquareRoot, K: 0.1} }},
		{name: "10 instruments", instruments: 10, every: 60, contract: linear},
		{name: "40 instruments", instruments: 40, every: 60, contract: linear},
		{name: "100 trials", instruments: 1, every: 60, contract: linear, options: make([]Options, 100)},
	} {
		b.Run(c.name, func(b *testing.B) {
			if c.options == nil {
				c.options = []Options{{}}
			}
			n := rows / c.instruments / len(c.options)
			s, e := newStream(n, c.instruments, c.every, c.contract), execution()
			e.TakerBps = 0
			if c.set != nil {
				c.set(&e)
			}
			var bytes uint64
			for b.Loop() {
				bytes = s.play(b, e, c.options...)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n*c.instruments*len(c.options)), "ns/row")
			b.ReportMetric(float64(bytes)/float64(len(c.options)), "B/portfolio")
		})
	}
}
