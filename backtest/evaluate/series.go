package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// series gathers what tests the mean of a series u whose values are known as they come, in order and closed up: products of
// ranks, means over instruments, correlations across them. It is pairs with the means known.
type series struct {
	h, n         int
	sum, squares float64
	window       float64 // Σ u_t·W_t, W the sum of the last h values
	head         float64 // Σ_{t<h−1} (h − 1 − t)·u_t
	w            float64
	stale        int
	u            []float64 // the last h values, zeros before the first, then a chunk's

	phases *metrics.Phases // nil where the t of values that do not overlap is not wanted
	blocks *metrics.Blocks
	days   []daySum // nil where they are not wanted, as hours
	hours  []daySum
}

// daySum is what a tested series adds up to over a day, or an hour of the day, that has n of its values.
type daySum struct{ n, sum float64 }

func newSeries(h int) *series {
	return &series{h: h, u: make([]float64, h), blocks: metrics.NewBlocks(h)}
}

// add takes the next values; cut says which days and hours they are of, and may be nil where none are wanted.
func (s *series) add(u []float64, cut []stretch) {
	n, h := len(u), s.h
	if n == 0 {
		return
	}
	s.u = append(s.u[:h], u...)
	w := s.w
	if s.stale++; s.stale*refresh >= h || s.n < h {
		s.stale, w = 0, 0
		for _, v := range s.u[:h] {
			w += v
		}
	}
	old := s.u[:n]
	var sum, squares, window float64
	for k, v := range u {
		w += v - old[k]
		sum += v
		squares += float64(v * v)
		window += float64(v * w)
	}
	s.w = w
	s.sum += sum
	s.squares += squares
	s.window += window
	for t := s.n; t < min(h-1, s.n+n); t++ {
		s.head += float64(float64(h-1-t) * u[t-s.n])
	}
	if s.phases != nil {
		s.phases.Add(u, u, 0, 0)
	}
	s.blocks.Add(u)
	if s.days != nil || s.hours != nil {
		for _, c := range cut {
			part := metrics.Sum(u[c.lo:c.hi])
			if n := float64(c.hi - c.lo); s.days != nil {
				s.days[c.day].n += n
				s.days[c.day].sum += part
			}
			if n := float64(c.hi - c.lo); s.hours != nil {
				s.hours[c.hour].n += n
				s.hours[c.hour].sum += part
			}
		}
	}
	s.n += n
	copy(s.u[:h], s.u[n:])
}

// longRun is what Hansen and Hodrick's test is made of.
func (s *series) longRun() metrics.LongRun {
	nan := math.NaN()
	l := metrics.LongRun{N: s.n, H: s.h, Mean: nan, Variance: nan, S: nan}
	n, h := float64(s.n), float64(s.h)
	m := s.sum / n
	squares := s.squares - float64(m*s.sum)
	if s.n < metrics.MinPairs || !(squares > constantShare*s.squares) {
		return l
	}
	tail := 0.0
	for j, v := range s.u[:s.h] {
		tail += float64(float64(j) * v)
	}
	counts := float64(h*n) - float64(h*(h-1)/2)
	if s.n < s.h {
		counts = n * (n + 1) / 2
	}
	cross := s.window - float64(m*(float64(2*h*s.sum)-s.head-tail)) + float64(float64(m*m)*counts)
	if s.h == 1 {
		cross = squares
	}
	l.Mean, l.Variance, l.S = m, squares/n, (2*cross-squares)/n
	return l
}

// test judges the series; again gives its values once more, where Newey and West must judge. scale divides them.
func (s *series) test(again func() ([]float64, error)) (metrics.Significance, string, error) {
	nonOverlapping := math.NaN()
	if s.phases != nil {
		nonOverlapping = s.phases.MeanT(0)
	}
	return judge(s.longRun(), nonOverlapping, s.blocks.Test, again)
}

const notKept = "the Hansen–Hodrick variance is not positive, and Newey and West's needs the columns that evaluation.rank_ic or persistence keep"

// judge is metrics.LongRun.Judge, with Newey and West's variance where Hansen and Hodrick's is not positive. again gives the
// tested series once more; where it is nil there is no such variance, and the string says so.
func judge(l metrics.LongRun, nonOverlapping float64, few func() metrics.SmallSample, again func() ([]float64, error)) (metrics.Significance, string, error) {
	why := ""
	switch {
	case l.N <= l.H: // a window that holds all values adds up to 0
		l.S, why = math.NaN(), "the sample is no longer than the horizon"
	case l.S <= 0 && again == nil:
		l.S, why = math.NaN(), notKept
	case l.S <= 0:
		u, err := again()
		if err != nil {
			return metrics.Significance{}, "", err
		}
		l.S, l.Fallback = metrics.NeweyWest(u, 2*l.H), true
	}
	return l.Judge(nonOverlapping, few), why, nil
}
