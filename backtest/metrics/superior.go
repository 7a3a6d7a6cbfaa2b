package metrics

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// Superiority says whether the best of several trials earns more than nothing, given that it was picked as the best. Its
// p-values are (1 + resamples that reach what was seen)/(1 + resamples), so none is 0.
type Superiority struct {
	Trials  int     // that vary
	Block   float64 // mean length of the bootstrap's blocks
	Best    int     // the trial of the largest t
	Stat    float64 // max(0, its t)
	Lower   float64 // Hansen's p-value, of the liberal recentring,
	Value   float64 // the consistent one, which is the one to read,
	Upper   float64 // and the conservative one
	Reality float64 // White's reality check: means that are not studentized

	StepDown []float64 // Romano and Wolf's adjusted p-value of each trial; NaN of what never varies
}

// minPeriods is the number of periods below which nothing is resampled.
const minPeriods = 10

// TestSuperiority tests returns, by trial and then period, all of the same periods. Whole periods are resampled, by the
// stationary bootstrap of Politis and Romano (1994), for all trials alike, in blocks whose mean length is the median of the
// trials' BlockLength. With d̄ a trial's mean of n periods, d̄* a resample's, and
//
//	ω² = γ0 + 2·Σ_{i=1…n−1} κ_i·γ_i,  κ_i = (n − i)/n·(1 − q)^i + i/n·(1 − q)^(n−i),  q = 1/block
//
// the variance of √n·d̄* (γ the biased autocovariances), and t = √n·d̄/ω:
//
//   - Value, Lower, Upper: max(0, max t) against max(0, max √n·(d̄* − g)/ω), with g = d̄ (Upper), max(d̄, 0) (Lower), and d̄
//     where t ≥ −√(2·ln ln n), else 0 (Value): a trial that is clearly worse than nothing does not speak for the best.
//     Hansen (2005).
//   - Reality: max √n·d̄ against max √n·(d̄* − d̄). White (2000).
//   - StepDown: trials by t, descending; the j-th against the maximum of √n·(d̄* − d̄)/ω over the trials from it on, then the
//     running maximum. It bounds the chance of one false finding or more, given how the trials depend. Romano and Wolf
//     (2005, 2016).
//
// Everything is NaN for fewer than 10 periods, without draws, or where no trial varies. It takes O(draws·trials·periods).
func TestSuperiority(returns [][]float64, draws int, seed uint64) Superiority {
	nan := math.NaN()
	s := Superiority{Block: nan, Best: -1, Stat: nan, Lower: nan, Value: nan, Upper: nan, Reality: nan, StepDown: make([]float64, len(returns))}
	var list []*contender
	var lengths []float64
	for i, x := range returns {
		if len(x) != len(returns[0]) {
			panic("metrics: TestSuperiority of unequal lengths")
		}
		s.StepDown[i] = nan
		if len(x) < minPeriods || Constant(x) {
			continue
		}
		list = append(list, &contender{trial: i, mean: Mean(x), returns: x})
		lengths = append(lengths, BlockLength(x))
	}
	if s.Trials = len(list); s.Trials == 0 || draws < 1 {
		return s
	}
	s.Block = Quantile(lengths, 0.5)
	n := len(returns[0])
	against := -math.Sqrt(2 * portable.Log(portable.Log(float64(n))))
	whites := math.Inf(-1)
	weights := blockWeights(n, s.Block)
	for _, c := range list {
		c.scale = math.Sqrt(float64(n) / resampledVariance(c.returns, weights))
		c.t = float64(c.mean * c.scale)
		c.worse = c.t < against
		whites = max(whites, c.mean)
	}
	slices.SortStableFunc(list, func(a, b *contender) int { return cmp.Compare(b.t, a.t) })
	s.Best, s.Stat = list[0].trial, max(0, list[0].t)

	r := rand.NewPCG(seed, 0)
	days, counts := make([]int32, n), make([]float64, n)
	reached := make([]int, len(list)) // by place
	var lower, value, upper, reality int
	for range draws {
		Stationary(days, n, s.Block, r)
		clear(counts)
		for _, d := range days {
			counts[d]++
		}
		var l, v, u float64
		white, running := math.Inf(-1), math.Inf(-1)
		for k := len(list) - 1; k >= 0; k-- {
			c := list[k]
			mean := products(c.returns, counts, 0, 0) / float64(n)
			apart := mean - c.mean
			t := float64(apart * c.scale)
			atNull, asSeen := t, float64(mean*c.scale)
			white, u = max(white, apart), max(u, atNull)
			if c.mean > 0 {
				l = max(l, atNull)
			} else {
				l = max(l, asSeen)
			}
			if c.worse {
				v = max(v, asSeen)
			} else {
				v = max(v, atNull)
			}
			if running = max(running, t); running >= c.t {
				reached[k]++
			}
		}
		lower += reach(l, s.Stat)
		value += reach(v, s.Stat)
		upper += reach(u, s.Stat)
		reality += reach(white, whites)
	}
	p := func(count int) float64 { return float64(1+count) / float64(1+draws) }
	s.Lower, s.Value, s.Upper, s.Reality = p(lower), p(value), p(upper), p(reality)
	largest := 0.0
	for k, c := range list {
		largest = max(largest, p(reached[k]))
		s.StepDown[c.trial] = largest
	}
	return s
}

// contender is a trial that varies.
type contender struct {
	trial       int
	returns     []float64
	mean, scale float64 // scale is √n/ω
	t           float64
	worse       bool // than nothing, beyond doubt
}

func reach(v, seen float64) int {
	if v >= seen {
		return 1
	}
	return 0
}

// blockWeights are the κ_i of a stationary bootstrap: the chance that periods i apart stay i apart, wrapped or not.
func blockWeights(n int, block float64) []float64 {
	w := make([]float64, n)
	stay := 1 - 1/block
	for i := 1; i < n; i++ {
		far := float64(i) / float64(n)
		w[i] = float64((1-far)*portable.Pow(stay, float64(i))) + float64(far*portable.Pow(stay, float64(n-i)))
	}
	return w
}

// resampledVariance is n times the variance of the mean of a stationary resample of x, exactly.
func resampledVariance(x, weights []float64) float64 {
	n, m := len(x), Mean(x)
	total := squares(x, m)
	for i := 1; i < n; i++ {
		total += float64(2 * weights[i] * products(x[i:], x[:n-i], m, m))
	}
	return total / float64(n)
}
