package reports

import "github.com/qf-dev/qf/backtest"

// barCount is the number of bars of the span, of which a streamed result holds those alone that are drawn.
func barCount(r *backtest.Result) int {
	if r.Streamed != nil {
		return r.Streamed.Bars
	}
	return r.Span.Hi - r.Span.Lo
}

// warmUp is the number of bars before the span.
func warmUp(r *backtest.Result) int {
	if r.Streamed != nil {
		return r.Streamed.WarmUp
	}
	return r.Span.Lo
}

// distribution is that of the score that was traded.
func distribution(r *backtest.Result) Distribution {
	cuts := r.Study.Signals.Thresholds
	if r.Streamed == nil {
		return distribute(r.Traded, r.Span.Lo, r.Span.Hi, cuts)
	}
	return gather(r.Streamed.Score, distribute(r.Traded, 0, 0, cuts))
}

// gather makes the bins of d from finer cells: as wide as so many whole cells, that they reach four standard
// deviations to either side of the mean, or to the extreme values where those are nearer.
func gather(c backtest.ScoreCounts, d Distribution) Distribution {
	d.N, d.Missing = c.N, c.Missing
	if c.N == 0 {
		return d
	}
	d.Mean, d.Min, d.Max = backtest.Figure(c.Mean), backtest.Figure(c.Least), backtest.Figure(c.Most)
	std := 0.0
	if c.N > 1 {
		std = c.Std()
		d.Std = backtest.Figure(std)
	}
	width := 2.0 * backtest.ScoreLimit / float64(len(c.Cells))
	place := func(v float64) int {
		return whole((v+backtest.ScoreLimit)/width, len(c.Cells)-1)
	}
	lo, hi := place(max(c.Least, c.Mean-float64(4*std))), place(min(c.Most, c.Mean+float64(4*std)))+1
	each := (hi - lo + distributionBins - 1) / distributionBins
	bins := (hi - lo + each - 1) / each
	d.Below, d.Above, d.Counts = c.Below, c.Above, make([]int, bins)
	d.Lo = backtest.Figure(float64(lo)*width - backtest.ScoreLimit)
	d.Hi = backtest.Figure(float64(lo+each*bins)*width - backtest.ScoreLimit)
	for at, n := range c.Cells {
		switch bin := (at - lo) / each; {
		case at < lo:
			d.Below += n
		case bin >= bins:
			d.Above += n
		default:
			d.Counts[bin] += n
		}
	}
	return d
}
