package evaluate

import "github.com/qf-dev/qf/datasets/scratch"

// kept are the columns that some figures need as a whole, by row of the window. A nil kept keeps nothing.
type kept struct {
	signals [][]*scratch.Column[float64] // by signal and instrument
	prices  []*scratch.Column[float64]   // by instrument
	returns []*scratch.Column[float64]   // by horizon, of the only instrument; nil of several, where they are made again
}

func newKept(space *scratch.Space, signals, instruments int) *kept {
	k := &kept{signals: make([][]*scratch.Column[float64], signals)}
	for range instruments {
		for s := range signals {
			k.signals[s] = append(k.signals[s], scratch.Floats(space))
		}
		k.prices = append(k.prices, scratch.Floats(space))
	}
	return k
}

// free gives all columns back.
func (k *kept) free() {
	if k == nil {
		return
	}
	for _, of := range append(k.signals, k.prices, k.returns) {
		for _, c := range of {
			c.Free()
		}
	}
}

// keepReturns keeps the forward returns of so many horizons.
func (k *kept) keepReturns(space *scratch.Space, horizons int) {
	for range horizons {
		k.returns = append(k.returns, scratch.Floats(space))
	}
}

func (k *kept) returned(horizon int, x []float64) error {
	if k == nil || k.returns == nil {
		return nil
	}
	return k.returns[horizon].Append(x)
}

// reader gives parts of the kept columns, in memory of its own where they are not on the heap.
type reader struct {
	kept *kept
	f    [][][]float64 // by signal and instrument
	p    [][]float64   // by instrument
}

func (k *kept) reader(signals int) *reader {
	return &reader{kept: k, f: grid[[]float64](signals, len(k.prices)), p: make([][]float64, len(k.prices))}
}

// signal is rows [lo, hi) of a signal.
func (r *reader) signal(s, i, lo, hi int) ([]float64, error) {
	return r.kept.signals[s][i].View(&r.f[s][i], lo, hi)
}

// price is rows [lo, hi) of the price.
func (r *reader) price(i, lo, hi int) ([]float64, error) {
	return r.kept.prices[i].View(&r.p[i], lo, hi)
}
