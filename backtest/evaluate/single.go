package evaluate

import (
	"context"
	"math/bits"
)

// single gathers the pairs of every signal and horizon of one instrument.
type single struct {
	w       *Window
	signals []*deviations
	ahead   []*ahead   // by horizon; nil where it is longer than the window
	pairs   [][]*pairs // by horizon and signal
	chunks  int
}

func (w *Window) newSingle() *single {
	s := &single{w: w, ahead: make([]*ahead, len(w.horizons)), pairs: grid[*pairs](len(w.horizons), len(w.Signals))}
	for range w.Signals {
		s.signals = append(s.signals, newDeviations(w.reach-w.delay))
	}
	for _, k := range w.within {
		h := w.horizons[k].Bars
		s.ahead[k] = &ahead{h: h, deviations: *newDeviations(h)}
		for j := range w.Signals {
			s.pairs[k][j] = newPairs(h, w.Span.Hi-w.Span.Lo, len(w.calendar.days), w.all && k == w.primary)
		}
	}
	return s
}

// piece is a chunk of rows of one instrument.
type piece struct {
	lo, rows int
	signals  [][]float64 // raw
	price    []float64   // from lo on, as far as returns look and there is any
	cut      []stretch
}

// before lists what must be done of a piece before its pairs: each task writes places of its own.
func (s *single) before(p piece) (tasks []func() error) {
	for j, d := range s.signals {
		tasks = append(tasks, func() error { d.take(p.signals[j], p.lo, p.cut); return nil })
	}
	for _, k := range s.w.within {
		tasks = append(tasks, func() error {
			a := s.ahead[k]
			a.r = resize(&a.r, p.rows)
			a.take(p.price, p.rows, s.w.delay, p.lo, p.cut)
			return nil
		})
	}
	return tasks
}

// pair lists the pairs of a piece.
func (s *single) pair(p piece) (tasks []func() error) {
	for _, k := range s.w.within {
		for j, d := range s.signals {
			tasks = append(tasks, func() error {
				s.pairs[k][j].pair(d, p.signals[j], s.ahead[k], p.lo, p.cut)
				return nil
			})
		}
	}
	return tasks
}

// next moves on to the next piece. After 1, 2, 4, 8, … of them all centres move to the means so far, so that they are never far
// off.
func (s *single) next() {
	if s.chunks++; bits.OnesCount(uint(s.chunks)) != 1 {
		return
	}
	for _, k := range s.w.within {
		a := s.ahead[k]
		for j, d := range s.signals {
			p := s.pairs[k][j]
			if dx, dy := d.move(), a.move(); (dx != 0 || dy != 0) && p.n > 0 {
				x, y := p.lastX, p.lastY
				if x == nil {
					x, y = d.x[len(d.x)-p.h:], a.x[len(a.x)-p.h:]
				}
				p.shift(dx, dy, x, y)
			}
		}
	}
	for _, d := range s.signals {
		d.shift(d.move())
	}
	for _, k := range s.w.within {
		a := s.ahead[k]
		a.shift(a.move())
		a.stale = a.h // W is of the old centre
	}
}

// reads gathers the pairs of instrument i from its kept columns.
func (s *single) read(ctx context.Context, i int) error {
	w, r := s.w, s.w.kept.reader(len(s.signals))
	p := piece{signals: make([][]float64, len(s.signals))}
	for p.lo = 0; p.lo < w.rows; p.lo += p.rows {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		var err error
		p.rows = min(chunk, w.rows-p.lo)
		p.cut = w.calendar.between(p.cut, p.lo, p.lo+p.rows)
		if p.price, err = r.price(i, p.lo, min(p.lo+p.rows+w.reach, w.rows)); err != nil {
			return err
		}
		for j := range p.signals {
			if p.signals[j], err = r.signal(j, i, p.lo, p.lo+p.rows); err != nil {
				return err
			}
		}
		for _, task := range append(s.before(p), s.pair(p)...) {
			_ = task() // none fails
		}
		s.next()
	}
	return nil
}
