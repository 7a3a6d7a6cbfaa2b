package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// streamRun is a replay that comes chunk by chunk, summed up as it goes.
type streamRun struct {
	b    *book
	hold bool // buys at the first bar and holds
	rows int  // of the chunk before
	last int64

	ones     []float64
	equity   []float64
	quantity []float64
	weight   []float64
	bar      []Ledger // where the rows are wanted
	fills    []Fill   // of the chunk

	a     account
	water *metrics.Watermark
	days  []streamDay
	held  float64 // after the last fill
	since int64   // label of the bar that began the round trip
	bars  int
}

// streamDay is what a day leaves.
type streamDay struct {
	rows    bool    // there were any
	equity  float64 // after the last
	holding bool    // after the last
	filled  bool
}

// newStreamRun starts a replay. With rows it keeps what each chunk's rows show.
func (st *stream) newStreamRun(e study.ExecutionConfig, hold, frictionless, rows bool) (*streamRun, error) {
	grid := *st.grid
	grid.Close = []int64{st.span.From} // a row, so that there are columns; those of each chunk take their place
	row := []float64{0}
	m := &Market{
		Frame:       &factors.Frame{Grid: &grid},
		Contracts:   []datasets.Contract{st.contract},
		Settlements: [][]bars.Settlement{st.tape.Settlements}, Days: [][]bars.DayStatus{st.tape.Days},
	}
	for _, name := range []string{"open", "close", "trades", "turnover"} {
		m.Panels = append(m.Panels, factors.NewPanel(name, &grid, row))
	}
	if hold {
		e.RebalanceBand = 0
	}
	w := study.Span{From: st.span.From, To: st.span.To}
	b, err := newBook(m, factors.NewPanel("target", &grid, row), w, e)
	if err != nil {
		return nil, err
	}
	b.frictionless = frictionless
	r := &streamRun{b: b, hold: hold, last: st.span.From, days: make([]streamDay, len(st.days))}
	r.water = metrics.NewWatermark(e.InitialCapital, st.span.From)
	r.a = account{window: st.span, capital: e.InitialCapital, final: e.InitialCapital}
	if rows {
		r.bar = []Ledger{}
	}
	return r, nil
}

// play plays the rows of a chunk.
func (r *streamRun) play(st *stream, c *sheet) {
	b, n := r.b, len(c.ts)
	r.fills = r.fills[:0]
	r.equity, r.quantity, r.weight = zeroed(r.equity, n), zeroed(r.quantity, n), zeroed(r.weight, n)
	for len(r.ones) < n {
		r.ones = append(r.ones, 1)
	}
	run, s := b.run, &b.assets[0]
	if r.bar != nil {
		r.bar = slices.Grow(r.bar[:0], n)[:n]
		clear(r.bar)
		run.Bar = r.bar
	}
	run.Equity, run.Quantity, run.Weight = r.equity, [][]float64{r.quantity}, [][]float64{r.weight}
	if run.Ruined {
		for i := range r.equity {
			r.equity[i] = b.equity
		}
	}
	b.m.Close = c.ts
	s.close, s.price, s.trades, s.target = c.price, c.price, r.ones[:n], c.target
	if r.hold {
		s.target = r.ones[:n]
	}
	for k := range s.orders {
		s.orders[k].decided -= r.rows
	}
	b.w = study.Span{Hi: n, From: r.last, To: st.span.To}
	if c.hi < st.span.Hi {
		b.w.Hi++ // the last bar of the window is yet to come
	}
	run.Fills, run.Trips = r.fills, run.Trips[:0]
	b.play(0, n)
	r.fills, run.Fills = run.Fills, nil
	r.rows, r.last = n, c.ts[n-1]
	r.sum(st, c)
}

// zeroed is x with n zeros.
func zeroed(x []float64, n int) []float64 {
	x = slices.Grow(x[:0], n)[:n]
	clear(x)
	return x
}

// sum adds what the chunk showed to the account.
func (r *streamRun) sum(st *stream, c *sheet) {
	a := &r.a
	for k, e := range r.equity {
		r.water.Add(e, c.ts[k])
	}
	for _, w := range r.weight {
		a.exposure += math.Abs(w)
	}
	r.bars += len(c.ts)
	for _, t := range r.b.run.Trips {
		if t.PnL > 0 {
			a.wins++
		}
	}
	a.trips += len(r.b.run.Trips)
	a.trades += len(r.fills)
	for i := range r.fills {
		f := &r.fills[i]
		r.b.forgotten.add(Ledger{Fees: f.Fee, Slippage: f.Slippage, Impact: f.Impact})
		a.turnover += st.contract.Notional(f.Reference, math.Abs(f.Quantity)) / r.equity[f.Row]
		a.notional += f.Notional
		if turned := f.Held == 0 || math.Signbit(f.Held) != math.Signbit(r.held); r.held != 0 && turned {
			a.hours += float64(c.ts[f.Row]-r.since) / float64(microsPerHour)
			r.since = c.ts[f.Row]
		} else if r.held == 0 {
			r.since = c.ts[f.Row]
		}
		r.held = f.Held
	}
	at := 0
	for _, g := range c.days {
		d := &r.days[g.day]
		for ; at < len(r.fills) && r.fills[at].Row < g.hi; at++ {
			d.filled = true
		}
		d.rows, d.equity, d.holding = true, r.equity[g.hi-1], r.quantity[g.hi-1] != 0
	}
}

// close ends the replay.
func (r *streamRun) close() (*account, error) {
	if err := r.b.close(); err != nil {
		return nil, err
	}
	run, a := r.b.run, &r.a
	a.total, a.ruined, a.unknown, a.final = run.Total, run.Ruined, run.UnknownSettlements, r.b.equity
	a.exposure /= float64(r.bars)
	a.down = r.water.Drawdown()
	before, holding := a.capital, false
	for _, d := range r.days {
		after, any := before, holding || d.filled
		if d.rows {
			after, holding = d.equity, d.holding
		}
		a.returns, a.held = append(a.returns, after/before-1), append(a.held, any || holding)
		if after <= 0 {
			break
		}
		before = after
	}
	return a, nil
}
