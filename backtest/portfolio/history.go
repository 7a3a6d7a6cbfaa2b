package portfolio

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// minImpactBars is the shortest window of impact's volatility and turnover.
const minImpactBars = 20

// history is the past of a market's columns, as far as impact and allocation look back, and what was asked of it in the
// block in progress. The portfolios of a market share it: the first that comes to a block adds it.
type history struct {
	mu     sync.Mutex
	impact int   // rows that impact looks back on; 0: it is not asked for
	shares int64 // time that allocation looks back on, µs; 0 likewise
	past
}

// past is what history holds.
type past struct {
	lo, hi   int // rows kept
	labels   []int64
	last     []float64   // close of row hi − 1, per instrument
	returns  [][]float64 // log return of each row, per instrument
	turnover [][]float64 // where impact is asked for

	impacts map[place][2]float64
	inverse map[int][]float64
	scratch []float64
}

// place is a row of an instrument.
type place struct{ instrument, row int }

// want says what a portfolio looks back on.
func (h *history) want(m *Market, impact, shares bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if impact {
		h.impact = max(minImpactBars, int(math.Round(m.Grid.BarsPerYear/daysPerYear)))
	}
	if shares {
		h.shares = int64(shareWindow / time.Microsecond)
	}
}

// add takes the rows of a block that are not there yet.
func (h *history) add(b *bars.Block, closes, turnover [][]float64) {
	if h.impact == 0 && h.shares == 0 || b.Len() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.returns == nil, b.Lo < h.lo, b.Lo > h.hi: // the first block, or the first of another playing
		n := len(closes)
		h.past = past{lo: b.Lo, hi: b.Lo, last: make([]float64, n), returns: make([][]float64, n), turnover: make([][]float64, n)}
		for i := range h.last {
			h.last[i] = math.NaN()
		}
	case b.Hi <= h.hi:
		return
	}
	h.forget(b)
	h.impacts, h.inverse = map[place][2]float64{}, map[int][]float64{}
	known := h.hi - b.Lo
	h.labels = append(h.labels, b.Close[known:]...)
	for i, x := range closes {
		last := h.last[i]
		for _, c := range x[known:] {
			h.returns[i] = append(h.returns[i], factors.LogReturn(last, c))
			last = c
		}
		h.last[i] = last
		if h.impact > 0 {
			h.turnover[i] = append(h.turnover[i], turnover[i][known:]...)
		}
	}
	h.hi = b.Hi
}

// forget drops rows that nothing looks back on from the block on, once they are half of what is kept.
func (h *history) forget(b *bars.Block) {
	old, _ := slices.BinarySearch(h.labels, b.Close[0]-h.shares)
	if h.shares == 0 {
		old = len(h.labels)
	}
	if h.impact > 0 {
		old = min(old, b.Lo-h.lo-h.impact)
	}
	if old <= len(h.labels)/2 {
		return
	}
	drop := func(x []float64) []float64 { return append(x[:0], x[old:]...) }
	h.labels = append(h.labels[:0], h.labels[old:]...)
	for i := range h.returns {
		h.returns[i] = drop(h.returns[i])
		if h.impact > 0 {
			h.turnover[i] = drop(h.turnover[i])
		}
	}
	h.lo += old
}

// volatility is the std of an instrument's log returns and the median of its turnovers over the window of impact that
// ends before row t. It takes O(w log w) time for a window of w bars, once for all portfolios.
func (h *history) volatility(instrument, t int) (sigma, turnover float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := place{instrument, t}
	if x, ok := h.impacts[at]; ok {
		return x[0], x[1]
	}
	hi := t - h.lo
	lo := min(max(max(1, t-h.impact)-h.lo, 0), hi) // row 0 of the grid has no return
	h.scratch = defined(h.scratch[:0], h.returns[instrument][lo:hi])
	sigma = metrics.Std(h.scratch)
	h.scratch = defined(h.scratch[:0], h.turnover[instrument][lo:hi])
	turnover = metrics.Quantile(h.scratch, 0.5)
	h.impacts[at] = [2]float64{sigma, turnover}
	return sigma, turnover
}

// inverseVolatilities are 1/σ of each instrument's log returns over the window of allocation that ends with row t; nil
// where one has too few that vary.
func (h *history) inverseVolatilities(t int) []float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if x, ok := h.inverse[t]; ok {
		return x
	}
	hi := t - h.lo + 1
	lo, _ := slices.BinarySearch(h.labels, h.labels[hi-1]-h.shares+1)
	inverse := make([]float64, len(h.returns))
	for i, x := range h.returns {
		h.scratch = defined(h.scratch[:0], x[lo:hi])
		sigma := metrics.Std(h.scratch)
		if len(h.scratch) < minShareBars || !(sigma > 0) {
			inverse = nil
			break
		}
		inverse[i] = 1 / sigma
	}
	h.inverse[t] = inverse
	return inverse
}

// defined appends the defined values of x to dst.
func defined(dst, x []float64) []float64 {
	for _, v := range x {
		if metrics.Defined(v) {
			dst = append(dst, v)
		}
	}
	return dst
}
