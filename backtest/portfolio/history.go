package portfolio

import (
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/kernel"
)

// minImpactBars is the shortest window of impact's volatility and turnover.
const minImpactBars = 20

// history is what impact and allocation look back on, worked out once for all portfolios of a market. It covers the
// rows of the last block that was remembered.
type history struct {
	impact int   // rows that impact looks back on; 0: it is not asked for
	shares int64 // time that allocation looks back on, µs; 0 likewise
	starts []int // the first rows of spans, in which allocation sets shares beside those that begin a day

	lo, hi  int
	label   int64 // of the row before the block
	columns []trailing
	returns []float64 // scratch: log returns of one instrument

	labels  []int64           // of the rows kept for allocation, the last of which is row hi − 1
	inverse map[int][]float64 // 1/σ of each instrument at the rows that set shares; nil where one has none
}

// trailing is one instrument's part.
type trailing struct {
	close                float64        // of the row before
	sigma, median        kernel.Rolling // std of log returns and median of turnover over impact's window
	volatility, turnover []float64      // their values, one for the row before the block and one for each of its rows
	kept                 []float64      // log returns, by labels
}

// want says what a portfolio looks back on.
func (h *history) want(m *Market, first int, impact, shares bool) {
	if impact {
		h.impact = max(minImpactBars, int(math.Round(m.Grid.BarsPerYear/daysPerYear)))
	}
	if shares {
		h.shares = int64(shareWindow / time.Microsecond)
		h.starts = append(h.starts, first)
	}
}

// Remembers are the fields of which the portfolios of m look back on more than the row before, in the order in which
// Remember places them; nil where they do not look back.
func (m *Market) Remembers() []string {
	switch {
	case m.history.impact > 0:
		return []string{"close", "turnover"}
	case m.history.shares > 0:
		return []string{"close"}
	}
	return nil
}

// Remember takes the rows of a block before any portfolio of m plays them: all rows of the grid from the first on, those
// before a span too. fields places Remembers in b.Cols. Where nothing looks back it does nothing.
func (m *Market) Remember(b *bars.Block, fields []int) {
	h := &m.history
	if h.impact == 0 && h.shares == 0 || b.Len() == 0 {
		return
	}
	n := len(m.Grid.Instruments)
	switch {
	case h.columns == nil, b.Lo == 0: // the first block, or the first of another playing
		h.begin(n, b.Lo)
	case b.Lo != h.hi:
		panic("portfolio: Remember of rows that do not follow those before")
	}
	for i := range n {
		c := &h.columns[i]
		c.earn(&h.returns, b.Cols[fields[0]][i])
		if h.impact > 0 {
			turnover := b.Cols[fields[1]][i]
			if b.Lo == 0 {
				turnover = slices.Clone(turnover)
				turnover[0] = math.NaN() // the grid's first row has no return, and counts in neither
			}
			c.trail(h.returns, turnover)
		}
		if h.shares > 0 {
			c.kept = append(c.kept, h.returns...)
		}
	}
	if h.shares > 0 {
		h.allot(b)
	}
	h.lo, h.hi, h.label = b.Lo, b.Hi, b.Close[b.Len()-1]
}

// begin forgets everything.
func (h *history) begin(instruments, first int) {
	nan := math.NaN()
	h.columns, h.labels, h.hi, h.label = make([]trailing, instruments), nil, first, math.MinInt64
	for i := range h.columns {
		c := &h.columns[i]
		c.close = nan
		if h.impact > 0 {
			c.sigma, c.median = kernel.NewStd(h.impact, 0), kernel.NewMedian(h.impact, 0)
			c.volatility, c.turnover = []float64{nan}, []float64{nan}
		}
	}
}

// earn writes the log returns of rows.
func (c *trailing) earn(returns *[]float64, closes []float64) {
	*returns = (*returns)[:0]
	last := c.close
	for _, x := range closes {
		*returns = append(*returns, factors.LogReturn(last, x))
		last = x
	}
	c.close = last
}

// trail continues the columns of impact.
func (c *trailing) trail(returns, turnover []float64) {
	next := func(column *[]float64, of kernel.Rolling, x []float64) {
		(*column)[0] = (*column)[len(*column)-1]
		*column = slices.Grow((*column)[:1], len(x))[:1+len(x)]
		of.Next((*column)[1:], x)
	}
	next(&c.volatility, c.sigma, returns)
	next(&c.turnover, c.median, turnover)
}

// before is the std of an instrument's log returns, and the median of its turnovers, over the window of impact that ends
// before row t.
func (h *history) before(instrument, t int) (volatility, turnover float64) {
	c := &h.columns[instrument]
	return c.volatility[t-h.lo], c.turnover[t-h.lo]
}

// holds reports whether the rows of a block were remembered.
func (h *history) holds(b *bars.Block) bool {
	return h.impact == 0 && h.shares == 0 || h.columns != nil && h.lo <= b.Lo && b.Hi <= h.hi
}

// allot works out 1/σ of each instrument over the window of allocation that ends with each row of the block in which
// shares are set.
func (h *history) allot(b *bars.Block) {
	old, _ := slices.BinarySearch(h.labels, b.Close[0]-h.shares)
	if old > len(h.labels)/2 {
		h.labels = append(h.labels[:0], h.labels[old:]...)
		for i := range h.columns {
			x := h.columns[i].kept
			h.columns[i].kept = append(x[:0], x[old:]...)
		}
	}
	first := len(h.labels)
	h.labels = append(h.labels, b.Close...)
	h.inverse = map[int][]float64{}
	last := h.label
	for k, label := range b.Close {
		if row := b.Lo + k; datasets.DayOf(label-1) != datasets.DayOf(last-1) || slices.Contains(h.starts, row) {
			h.inverse[row] = h.inverseVolatilities(first + k)
		}
		last = label
	}
}

// inverseVolatilities are 1/σ of each instrument's log returns over the window that ends with the k-th row kept; nil
// where one has too few that vary.
func (h *history) inverseVolatilities(k int) []float64 {
	lo, _ := slices.BinarySearch(h.labels, h.labels[k]-h.shares+1)
	inverse := make([]float64, len(h.columns))
	for i, c := range h.columns {
		h.returns = defined(h.returns[:0], c.kept[lo:k+1])
		sigma := metrics.Std(h.returns)
		if len(h.returns) < minShareBars || !(sigma > 0) {
			return nil
		}
		inverse[i] = 1 / sigma
	}
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
