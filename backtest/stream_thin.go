package backtest

import "slices"

// thinStretches is the number of equal stretches of rows that a streamed run is drawn by: of each, and of each day,
// the last row is kept, and of each stretch those of the least and the greatest equity.
const thinStretches = 512

// thinner keeps some rows of a streamed run for drawing.
type thinner struct {
	rows  int // of the span
	count int
	best  [2]thinRow // of the stretch in progress: least and greatest equity
	kept  []thinRow
	costs Ledger // of the run so far
}

// thinRow is one row with what charts show of it.
type thinRow struct {
	row                             int
	ts                              int64
	price, equity, hold             float64
	score, target, quantity, weight float64
	costs                           Ledger // fees, slippage and impact so far
}

// add takes the next rows.
func (t *thinner) add(st *stream, c *sheet, run, hold *streamRun) {
	first := c.lo - st.span.Lo
	fill := 0
	ends := make([]int, 0, len(c.days))
	for _, d := range c.days {
		ends = append(ends, d.hi)
	}
	for lo := 0; lo < len(c.ts); {
		stretch := (first + lo) * t.count / t.rows
		hi := min(len(c.ts), ((stretch+1)*t.rows+t.count-1)/t.count-first)
		least, most := lo, lo
		for k := lo; k < hi; k++ {
			if run.equity[k] < run.equity[least] {
				least = k
			}
			if run.equity[k] > run.equity[most] {
				most = k
			}
		}
		wanted := []int{least, most, hi - 1}
		for _, e := range ends {
			if e > lo && e <= hi {
				wanted = append(wanted, e-1)
			}
		}
		slices.Sort(wanted)
		wanted = slices.Compact(wanted)
		complete := (first+hi)*t.count/t.rows > stretch || first+hi == t.rows
		for _, k := range wanted {
			for ; fill < len(run.fills) && run.fills[fill].Row <= k; fill++ {
				f := run.fills[fill]
				t.costs.add(Ledger{Fees: f.Fee, Slippage: f.Slippage, Impact: f.Impact})
			}
			x := thinRow{
				row: first + k, ts: c.ts[k], price: c.price[k], equity: run.equity[k], hold: hold.equity[k], score: c.score[k],
				target: c.target[k], quantity: run.quantity[k], weight: run.weight[k], costs: t.costs,
			}
			if k == least && (t.best[0].ts == 0 || x.equity < t.best[0].equity) {
				t.best[0] = x
			}
			if k == most && (t.best[1].ts == 0 || x.equity > t.best[1].equity) {
				t.best[1] = x
			}
			if slices.Contains(ends, k+1) || complete && k == hi-1 {
				t.kept = append(t.kept, x)
			}
		}
		if complete {
			t.kept = append(t.kept, t.best[0], t.best[1])
			t.best = [2]thinRow{}
		}
		lo = hi
	}
	for ; fill < len(run.fills); fill++ {
		f := run.fills[fill]
		t.costs.add(Ledger{Fees: f.Fee, Slippage: f.Slippage, Impact: f.Impact})
	}
}
