package evaluate

import "github.com/qf-dev/qf/datasets/scratch"

// kept are the columns that some figures need as a whole, by row of the window. A nil kept keeps nothing.
type kept struct {
	signals [][]*scratch.Column[float64] // by signal and instrument
	prices  []*scratch.Column[float64]   // by instrument
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

func (k *kept) signal(s, i int, x []float64) error {
	if k == nil {
		return nil
	}
	return k.signals[s][i].Append(x)
}

func (k *kept) price(i int, x []float64) error {
	if k == nil {
		return nil
	}
	return k.prices[i].Append(x)
}

// reader gives parts of the kept columns in memory of its own.
type reader struct {
	kept *kept
	f    [][]float64 // by instrument
	p    []float64
	r    [][]float64
}

func (k *kept) reader() *reader {
	return &reader{kept: k, f: make([][]float64, len(k.prices)), r: make([][]float64, len(k.prices))}
}

// signal is rows [lo, hi) of a signal.
func (r *reader) signal(s, i, lo, hi int) ([]float64, error) {
	return r.kept.signals[s][i].View(resize(&r.f[i], hi-lo), lo, hi)
}

// returns are the forward returns of rows [lo, hi).
func (r *reader) returns(i, delay, h, lo, hi int) ([]float64, error) {
	out, to := resize(&r.r[i], hi-lo), min(hi+delay+h, r.kept.prices[i].Len())
	if to <= lo {
		to = lo
	}
	p, err := r.kept.prices[i].View(resize(&r.p, to-lo), lo, to)
	if err != nil {
		return nil, err
	}
	forward(out, p, delay, h)
	return out, nil
}
