package portfolio

import "slices"

// Rows are what a replay did over the rows of one block. They are valid until the next Step.
type Rows struct {
	Lo    int     // grid row of the first
	Close []int64 // labels, Unix µs

	// By row, after everything that happened in it, marked at its close; nil unless Options ask for them. Over a bar
	// that has no price the last mark stands.
	Equity   []float64
	Quantity [][]float64 // per instrument, in units of amount, after the bar's fills
	Weight   [][]float64 // the same as signed fractions of equity at the bar's close
	Bar      []Attribution

	Fills []Fill      // by time, then instrument
	Trips []RoundTrip // those that ended, by the time of their end
}

// Fill is one execution.
type Fill struct {
	Row                   int     // grid row of the bar that filled
	Decided               int     // grid row of the bar whose close decided
	Instrument            int     // index into the grid's
	Quantity              float64 // signed, in units of amount
	Reference             float64 // the bar's execution price before costs
	Price                 float64 // the fill price: Reference moved against the trader by half the spread and impact
	Notional              float64 // of abs(Quantity) at Price, quote currency
	Held                  float64 // quantity after the fill
	Fee, Slippage, Impact float64
}

// RoundTrip is the time from a flat position, or one of the other sign, to the next.
type RoundTrip struct {
	Instrument     int
	Entry, Exit    int     // grid rows of the bars that filled
	Opened, Closed int64   // their labels, Unix µs
	PnL            float64 // price PnL and funding less all costs, quote currency
}

// reset begins the rows of a block.
func (r *Rows) reset(lo int, labels []int64) {
	r.Lo, r.Close, r.Fills, r.Trips = lo, labels, r.Fills[:0], r.Trips[:0]
	r.Equity, r.Bar = r.Equity[:0], r.Bar[:0]
	for i := range r.Quantity {
		r.Quantity[i], r.Weight[i] = r.Quantity[i][:0], r.Weight[i][:0]
	}
}

// grow makes room for the rows that are wanted.
func (r *Rows) grow(o Options, instruments int) {
	n := len(r.Close)
	if o.Equity || o.Keep {
		r.Equity = zeros(r.Equity, n)
	}
	if !o.Keep {
		return
	}
	if r.Quantity == nil {
		r.Quantity, r.Weight = make([][]float64, instruments), make([][]float64, instruments)
	}
	for i := range instruments {
		r.Quantity[i], r.Weight[i] = zeros(r.Quantity[i], n), zeros(r.Weight[i], n)
	}
	r.Bar = zeros(r.Bar, n)
}

// zeros is x with n zeros.
func zeros[T any](x []T, n int) []T {
	x = slices.Grow(x[:0], n)[:n]
	clear(x)
	return x
}

// flat writes an equity that does not move over n rows from row k of the block on.
func (r *Rows) flat(k, n int, equity float64) {
	if r.Equity == nil {
		return
	}
	for j := range n {
		r.Equity[k+j] = equity
	}
}
