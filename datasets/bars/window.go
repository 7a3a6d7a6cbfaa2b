package bars

import (
	"math"
	"slices"
)

// tickWindow sums the notional that was bought and sold in the last n trades of one day-file.
//
// Trades stand in blocks of n, counted from the file's first. The last n trades are then the end of
// one block and the beginning of the next:
//
//	Σ = suffix (added up from its newest trade to its oldest) + prefix (added up in file order)
//
// Nothing is ever subtracted, so no trade that has left leaves a trace, and a sum depends on its n
// trades and on where the day begins among them: not on batches, bars or anything older. Sums are
// made when they are asked for, and of no more than is: at most four additions a trade, whatever n is.
type tickWindow struct {
	n, r      int // r trades are in the current block
	summed    int // so many of them are in the prefixes
	buy, sell blocks
}

// blocks is one side of a tickWindow.
type blocks struct {
	last    []float64 // the whole block before; nil when there is none
	current []float64 // n places, r taken
	suffix  []float64 // suffix[k] is the sum of last's k newest, for the k that may still be asked for; empty before
	prefix  float64   // the sum of current's first tickWindow.summed
}

func newTickWindow(n int) *tickWindow {
	side := func() blocks { return blocks{current: make([]float64, n)} }
	return &tickWindow{n: n, buy: side(), sell: side()}
}

// add takes trades in file order: what each bought and what each sold.
func (w *tickWindow) add(buy, sell []float64) {
	rest := w.n - w.r
	if whole := (len(buy) - rest) / w.n; whole > 0 { // no window reaches back beyond the last whole block
		skip := rest + (whole-1)*w.n
		buy, sell, w.r = buy[skip:], sell[skip:], 0
	}
	for len(buy) > 0 {
		k := copy(w.buy.current[w.r:], buy)
		copy(w.sell.current[w.r:], sell)
		buy, sell = buy[k:], sell[k:]
		if w.r += k; w.r == w.n {
			w.buy.turn()
			w.sell.turn()
			w.r, w.summed = 0, 0
		}
	}
}

// turn makes the full current block the one before.
func (b *blocks) turn() {
	if b.last == nil {
		b.last = make([]float64, len(b.current))
	}
	b.last, b.current = b.current, b.last
	b.suffix, b.prefix = b.suffix[:0], 0
}

// sums gives the window's two sums or, before the file's n-th trade, those of the trades so far.
func (w *tickWindow) sums() (buy, sell float64) {
	b, s := &w.buy, &w.sell
	for i, v := range b.current[w.summed:w.r] { // two chains of additions run side by side
		b.prefix += v
		s.prefix += s.current[w.summed+i]
	}
	w.summed = w.r
	if b.last == nil {
		return b.prefix, s.prefix
	}
	if len(b.suffix) == 0 {
		b.suffix, s.suffix = suffixes(b.suffix, s.suffix, b.last[w.r:], s.last[w.r:])
	}
	return b.suffix[w.n-w.r] + b.prefix, s.suffix[w.n-w.r] + s.prefix
}

// slide is add that writes the imbalance after each trade into dst; before the file's n-th it is NaN.
func (w *tickWindow) slide(dst, buy, sell []float64) {
	for len(buy) > 0 {
		k := min(len(buy), w.n-w.r)
		if w.sums(); w.buy.last != nil {
			b, s := w.buy.prefix, w.sell.prefix
			older := w.n - w.r // with the next trade, one less of the block before is in the window
			x, y := w.buy.suffix[older-k:older], w.sell.suffix[older-k:older]
			to, buy, sell := dst[:k], buy[:k], sell[:k]
			for i, v := range buy {
				b += v
				s += sell[i]
				B, S := x[k-1-i]+b, y[k-1-i]+s
				to[i] = (B - S) / (B + S)
			}
		} else {
			for i := range dst[:k] {
				dst[i] = math.NaN()
			}
		}
		w.add(buy[:k], sell[:k])
		if w.r == 0 {
			B, S := w.sums()
			dst[k-1] = (B - S) / (B + S)
		}
		dst, buy, sell = dst[k:], buy[k:], sell[k:]
	}
}

// suffixes gives the sums of the 0, 1, … len(x) newest values of x and of y, in the memory of sx and sy where that
// suffices.
func suffixes(sx, sy, x, y []float64) (toX, toY []float64) {
	n := len(x)
	sx, sy = slices.Grow(sx[:0], n+1)[:n+1], slices.Grow(sy[:0], n+1)[:n+1]
	a, b := 0.0, 0.0
	sx[0], sy[0] = a, b
	for i := n - 1; i >= 0; i-- {
		a += x[i]
		b += y[i]
		sx[n-i], sy[n-i] = a, b
	}
	return sx, sy
}

// tail gives the last n trades, or all there were, in file order.
func (w *tickWindow) tail() (buy, sell []float64) {
	return w.buy.tail(w.r), w.sell.tail(w.r)
}

func (b *blocks) tail(r int) []float64 {
	var t []float64
	if b.last != nil {
		t = append(t, b.last[r:]...)
	}
	return append(t, b.current[:r]...)
}

// tail is the last trades before a day, as far as the widest tick window needs them.
type tail struct {
	buy, sell             []float64 // in file order
	buySuffix, sellSuffix []float64
}

// push takes the last trades of one more day and keeps the newest n in all.
func (t *tail) push(day [2][]float64, n int) {
	newest := func(old, add []float64) []float64 {
		all := append(old[:len(old):len(old)], add...)
		return all[max(0, len(all)-n):]
	}
	t.buy, t.sell = newest(t.buy, day[0]), newest(t.sell, day[1])
	t.buySuffix, t.sellSuffix = suffixes(t.buySuffix, t.sellSuffix, t.buy, t.sell)
}

// ofi is the order-flow imbalance of the last n trades, (B − S)/(B + S), given what the day's
// tickWindow summed when it had seen so many. NaN where there were fewer than n since the last
// missing day, or B + S = 0.
func (t *tail) ofi(n int, seen, buy, sell float64) float64 {
	if seen < float64(n) {
		k := n - int(seen)
		if k > len(t.buy) {
			return math.NaN()
		}
		buy, sell = t.buySuffix[k]+buy, t.sellSuffix[k]+sell
	}
	return (buy - sell) / (buy + sell)
}
