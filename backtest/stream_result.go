package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Streamed is what a result has instead of whole columns, where the study has too many bars for them. The
// columns of such a result have the rows alone that charts are drawn by: the last of each stretch and of each day, and
// the least and greatest equity of each stretch.
type Streamed struct {
	Bars   int // of the span
	WarmUp int // before it
	Score  ScoreCounts

	stream *stream
}

// stream runs a streamed study from the lake to the figures.
func (st *stream) backtest(ctx context.Context) (*Result, error) {
	st.o.log("streaming %d trades: what normalizations know of the sample", st.rows())
	if err := st.learn(ctx); err != nil {
		return nil, err
	}
	j, err := st.newJudge()
	if err != nil {
		return nil, err
	}
	st.o.log("streaming them again: trading and evaluating %d signals", len(j.tests))
	if err := st.playback(ctx, st.span.Lo, st.span.Hi, st.chunks.Fields(), st.decide, j.add); err != nil {
		return nil, err
	}
	r := st.result()
	r.warn(fmt.Errorf("%d bars are streamed: ranks, quantile buckets, slices, autocorrelation, t of levels and other delays, which need whole columns or replays of their own, are not computed", st.rows()))
	if r.Evaluation, err = j.evaluated(); err != nil {
		return nil, err
	}
	st.draw(r, j)
	if len(st.quotes) > 0 {
		r.warn(fmt.Errorf("the lake's %s are not joined to streamed trades: fills pay execution.half_spread_bps", st.quotes[0]))
	}
	r.warn(j.run.b.run.Warnings...)
	r.Digest, err = digest(st.s, r.Sources, nil)
	return r, err
}

// result is the study's result without figures.
func (st *stream) result() *Result {
	grid := *st.grid
	r := &Result{
		Study: st.s, Sources: st.tape.Sources, Span: st.span,
		Market:   &Market{Frame: &factors.Frame{Grid: &grid}, Contracts: []datasets.Contract{st.contract}, Settlements: [][]bars.Settlement{st.tape.Settlements}, Days: [][]bars.DayStatus{st.tape.Days}},
		Streamed: &Streamed{Bars: st.rows(), WarmUp: st.span.Lo, stream: st},
	}
	slices.SortFunc(r.Sources, func(a, b datasets.Info) int { return a.Partition.Compare(b.Partition) })
	r.warn(st.score.Warnings()...)
	r.warnLookAhead()
	r.warnConventions(st.rows())
	st.warnWarmup(r)
	r.warnCoverage()
	return r
}

// warnWarmup is Result.warnWarmup of what the first pass saw.
func (st *stream) warnWarmup(r *Result) {
	for k, name := range st.names() {
		first := st.firstRow[k]
		if st.first[k] == 0 {
			first = -1
		}
		r.warnFirst(name, st.tape.Instrument, first, st.first[k])
	}
}

// draw gives a result the rows that are drawn.
func (st *stream) draw(r *Result, j *streamJudge) {
	rows := j.thin.kept
	slices.SortFunc(rows, func(a, b thinRow) int { return cmp.Compare(a.row, b.row) })
	rows = slices.CompactFunc(rows, func(a, b thinRow) bool { return a.row == b.row })
	n := len(rows)
	column := func(f func(thinRow) float64) []float64 {
		out := make([]float64, n)
		for k, x := range rows {
			out[k] = f(x)
		}
		return out
	}
	g := r.Market.Grid
	g.Close = make([]int64, n)
	run := j.run.b.run
	all := &Run{
		Capital: run.Capital, Bar: make([]Ledger, n), Total: run.Total, ByAsset: run.ByAsset, Ruined: run.Ruined, Residual: run.Residual,
		UnknownSettlements: run.UnknownSettlements, Warnings: run.Warnings,
		Equity: column(func(x thinRow) float64 { return x.equity }),
		Weight: [][]float64{column(func(x thinRow) float64 { return x.weight })}, Quantity: [][]float64{column(func(x thinRow) float64 { return x.quantity })},
	}
	var before Ledger
	for k, x := range rows {
		g.Close[k] = x.ts
		all.Bar[k] = Ledger{Fees: x.costs.Fees - before.Fees, Slippage: x.costs.Slippage - before.Slippage, Impact: x.costs.Impact - before.Impact}
		before = x.costs
	}
	r.Span = study.Span{Hi: n, From: st.span.From, To: st.span.To}
	r.Windows = []study.Span{r.Span}
	all.Window = r.Span
	r.Market.Panels = []*factors.Panel{factors.NewPanel("close", g, column(func(x thinRow) float64 { return x.price }))}
	r.Factors = &factors.Frame{Grid: g}
	r.Score = &factors.Score{Panel: factors.NewPanel(study.Composite, g, column(func(x thinRow) float64 { return x.score })), Warnings: st.score.Warnings()}
	r.Traded = r.Score.Panel
	r.Target = factors.NewPanel("target", g, column(func(x thinRow) float64 { return x.target }))
	all.Target = r.Target
	r.All, r.Runs = all, []*Run{all}
	r.Streamed.Score = *j.values
	hold := column(func(x thinRow) float64 { return x.hold })
	if j.hold.b.run.UnknownSettlements > 0 {
		hold = nil
	}
	r.Evaluation.Hold = [][]float64{hold}
}

// warnConventions says where the study keeps a published convention that a reader would not expect.
func (r *Result) warnConventions(rows int) {
	s := r.Study
	annual := ""
	for _, c := range s.Factors {
		k, err := factors.Find(c.Kind)
		if err != nil {
			continue
		}
		if k.Name == "momentum_z" {
			r.warn(fmt.Errorf("%s: a momentum is measured against the mean and std of single returns, which are not scaled to its window: its values are wide by about the root of it", c.Name))
		}
		if k.AnnualVolatility() && annual == "" {
			annual = c.Name
		}
	}
	days := float64(r.Span.To-r.Span.From) / float64(datasets.MicrosPerDay)
	if pace := float64(rows) / days * daysPerYear; s.Bars.Kind != "time" && annual != "" && (pace > 2*s.Bars.BarsPerYear || pace < s.Bars.BarsPerYear/2) {
		r.warn(fmt.Errorf("bars_per_year is %.6g, and the span has %.3g bars a year: annualized factors such as %s keep the study's convention and are not volatilities per year", s.Bars.BarsPerYear, pace, annual))
	}
	if e := s.Execution; e.TakerBps == 0 && e.HalfSpreadBps == 0 {
		r.warn(errors.New("fills pay no fee and no spread: break_even_bps says what they could have paid"))
	}
}
