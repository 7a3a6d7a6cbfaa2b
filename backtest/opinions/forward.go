package opinions

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

// forwardReturns forms what the market did after each question: the log return ln(X_b/X_a) from the fill of a decision
// at the question's row, X_a delay rows later, to that of a decision at the first row a cadence later. It is NaN where
// a price is missing or past the end.
type forwardReturns struct {
	cadence    int64 // µs
	delay, end int   // rows
	open       []openReturn
	returns    []float64 // by question
}

// openReturn is a return whose second price has not come.
type openReturn struct {
	question, instrument int
	at                   int64 // label that the row of the later decision has, or is the first after
	first, last          int   // rows of the two prices; last is −1 until that row is known
	price                float64
}

// ask begins the return of the next question.
func (f *forwardReturns) ask(instrument, row int, label int64) {
	f.open = append(f.open, openReturn{
		question: len(f.returns), instrument: instrument, at: label + f.cadence, first: row + f.delay, last: -1, price: math.NaN(),
	})
	f.returns = append(f.returns, math.NaN())
}

// next takes the prices of a block's rows by instrument, after its questions.
func (f *forwardReturns) next(b *bars.Block, price [][]float64) {
	open := f.open[:0]
	for _, r := range f.open {
		if !f.take(&r, b, price[r.instrument]) {
			open = append(open, r)
		}
	}
	f.open = open
}

// take gives a return what the block has of it, and reports whether it is done.
func (f *forwardReturns) take(r *openReturn, b *bars.Block, price []float64) (done bool) {
	if r.first >= b.Lo && r.first < b.Hi {
		r.price = price[r.first-b.Lo]
	}
	if r.last < 0 {
		k, _ := slices.BinarySearch(b.Close, r.at)
		if k == len(b.Close) {
			return false
		}
		r.last = b.Lo + k + f.delay
	}
	switch {
	case r.last >= f.end:
		return true
	case r.last >= b.Hi:
		return false
	}
	if x := price[r.last-b.Lo]; priced(r.price) && priced(x) {
		f.returns[r.question] = portable.Log(x / r.price)
	}
	return true
}

// priced reports whether a price is one.
func priced(v float64) bool { return v > 0 && v <= math.MaxFloat64 }
