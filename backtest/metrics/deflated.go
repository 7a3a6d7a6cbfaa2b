package metrics

import "math"

// Deflation is what the best of several trials has to beat: the Sharpe ratio that the best of as many worthless ones is
// expected to show. Ratios are per period.
type Deflation struct {
	Trials      int     // that have a ratio
	Correlation float64 // mean over pairs of trials, of their returns; NaN where no pair has one
	Effective   float64 // number of independent trials that they amount to
	Variance    float64 // of their ratios, ddof 1; NaN of fewer than two
	Best        float64 // ExpectedMaxSharpe(Variance, Effective): 0 of one trial
}

// Deflate sums trials up by their ratios, of which NaN are left out, and the mean correlation of their returns, ρ:
//
//	Effective = ρ + (1 − ρ)·Trials
//
// with ρ held between 0 and 1, and 0 where it is NaN. Bailey and López de Prado (2014), appendix 3.
func Deflate(ratios []float64, correlation float64) Deflation {
	var known []float64
	for _, v := range ratios {
		if Defined(v) {
			known = append(known, v)
		}
	}
	s := Std(known)
	d := Deflation{Trials: len(known), Correlation: correlation, Variance: float64(s * s)}
	rho := 0.0
	if Defined(correlation) {
		rho = min(1, max(0, correlation))
	}
	if d.Trials > 0 {
		d.Effective = rho + float64((1-rho)*float64(d.Trials))
	}
	if d.Trials > 1 {
		d.Best = ExpectedMaxSharpe(d.Variance, d.Effective)
	}
	return d
}

// Deflated is the probability that the true ratio exceeds what the best of the trials is expected to show by chance:
// Probabilistic(d.Best). Of one trial that is Probabilistic(0). Bailey and López de Prado (2014).
func (s SharpeInference) Deflated(d Deflation) float64 { return s.Probabilistic(d.Best) }

// Correlations adds up Pearson's correlations of pairs of series, without looking at single pairs: with z a series about its
// mean and of length 1, Σ_{i≠j} z_i·z_j = |Σ z_i|² − Σ |z_i|². Constant series have no correlation and do not count.
type Correlations struct {
	Sum   float64 // over ordered pairs
	Pairs float64
}

// Within adds the pairs of series of the same periods.
func (c *Correlations) Within(series [][]float64) {
	total, n := standardized(series)
	own := float64(n)
	for _, v := range total {
		c.Sum += float64(v * v)
	}
	c.Sum -= own
	c.Pairs += float64(own * (own - 1))
}

// Between adds the pairs of a series of a with one of b, all of the same periods.
func (c *Correlations) Between(a, b [][]float64) {
	ta, na := standardized(a)
	tb, nb := standardized(b)
	if na == 0 || nb == 0 {
		return
	}
	for t, v := range ta {
		c.Sum += float64(2 * v * tb[t])
	}
	c.Pairs += float64(2 * float64(na) * float64(nb))
}

// Mean is the mean correlation; NaN without a pair.
func (c Correlations) Mean() float64 { return c.Sum / c.Pairs }

// standardized sums the series that vary, each about its mean and of length 1.
func standardized(series [][]float64) (total []float64, n int) {
	for _, x := range series {
		if len(x) < MinPairs || Constant(x) {
			continue
		}
		if total == nil {
			total = make([]float64, len(x))
		}
		m := Mean(x)
		length := math.Sqrt(squares(x, m))
		for t, v := range x {
			total[t] += (v - m) / length
		}
		n++
	}
	return total, n
}
