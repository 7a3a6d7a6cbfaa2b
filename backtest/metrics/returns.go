package metrics

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// In these figures r are returns per period, perYear the number of periods a year (365 for days), and
// riskFree and required are per period.

// PeriodRate is the rate per period that compounds to annual over a year: (1 + annual)^(1/perYear) − 1.
func PeriodRate(annual, perYear float64) float64 { return portable.Pow(1+annual, 1/perYear) - 1 }

// Volatility is Std·sqrt(perYear).
func Volatility(r []float64, perYear float64) float64 { return Std(r) * math.Sqrt(perYear) }

// Sharpe is mean(r − riskFree)/std(r)·sqrt(perYear), ddof 1; NaN where the std is 0 or n < 2.
func Sharpe(r []float64, riskFree, perYear float64) float64 {
	s := Std(r)
	if s == 0 {
		return math.NaN()
	}
	return (Mean(r) - riskFree) / s * math.Sqrt(perYear)
}

// Downside is the annual downside deviation, over all periods:
//
//	sqrt( mean( min(r − required, 0)² ) · perYear )
func Downside(r []float64, required, perYear float64) float64 {
	if len(r) == 0 {
		return math.NaN()
	}
	s := 0.0
	for _, v := range r {
		d := min(v-required, 0)
		s += float64(d * d)
	}
	return math.Sqrt(s/float64(len(r))) * math.Sqrt(perYear)
}

// Sortino is mean(r − required)·perYear/Downside; NaN without a downside or for fewer than two periods.
func Sortino(r []float64, required, perYear float64) float64 {
	d := Downside(r, required, perYear)
	if len(r) < 2 || d == 0 {
		return math.NaN()
	}
	return (Mean(r) - required) * perYear / d
}

// CAGR is the growth a year, (1 + total)^(1/years) − 1; NaN where nothing is left.
func CAGR(total, years float64) float64 {
	if 1+total <= 0 || years <= 0 {
		return math.NaN()
	}
	return portable.Pow(1+total, 1/years) - 1
}

// Calmar is cagr/|maxDrawdown|; NaN without a drawdown.
func Calmar(cagr, maxDrawdown float64) float64 {
	if maxDrawdown == 0 {
		return math.NaN()
	}
	return cagr / math.Abs(maxDrawdown)
}

// Ulcer is the ulcer index of equity that earns the returns r one after the other:
//
//	sqrt( mean( d² ) ),  d = E_t/max_{s≤t} E_s − 1, the equity before the first return included in the maximum
//
// NaN of nothing. Martin and McCann (1989).
func Ulcer(r []float64) float64 {
	equity, top, ss := 1.0, 1.0, 0.0
	for _, v := range r {
		equity *= 1 + v
		top = max(top, equity)
		d := equity/top - 1
		ss += float64(d * d)
	}
	return math.Sqrt(ss / float64(len(r)))
}

// Omega is Σ max(r − threshold, 0)/Σ max(threshold − r, 0); NaN without a return below the threshold.
func Omega(r []float64, threshold float64) float64 {
	var up, down float64
	for _, v := range r {
		up += max(v-threshold, 0)
		down += max(threshold-v, 0)
	}
	if down == 0 {
		return math.NaN()
	}
	return up / down
}

// ValueAtRisk is the type 7 quantile of r at tail (0.05 for VaR 95): a return, so a loss is negative.
func ValueAtRisk(r []float64, tail float64) float64 { return Quantile(r, tail) }

// ExpectedShortfall is the mean of the returns at or below ValueAtRisk.
func ExpectedShortfall(r []float64, tail float64) float64 {
	cut := ValueAtRisk(r, tail)
	s, n := 0.0, 0
	for _, v := range r {
		if v <= cut {
			s += v
			n++
		}
	}
	return s / float64(n)
}

// ProfitFactor is Σ of the gains over Σ of the losses; NaN without a loss. It is Omega at 0.
func ProfitFactor(r []float64) float64 { return Omega(r, 0) }

// HitRate is the share of values above 0; NaN of nothing.
func HitRate(r []float64) float64 {
	n := 0
	for _, v := range r {
		if v > 0 {
			n++
		}
	}
	return float64(n) / float64(len(r))
}

// AlphaBeta regresses r on the benchmark b, both in excess of riskFree:
//
//	beta = cov(r, b)/var(b),  alpha = (1 + mean(r − riskFree − beta·(b − riskFree)))^perYear − 1
//
// NaN for fewer than two periods or a constant benchmark.
func AlphaBeta(r, b []float64, riskFree, perYear float64) (alpha, beta float64) {
	if len(r) != len(b) {
		panic("metrics: AlphaBeta of unequal lengths")
	}
	if len(r) < 2 || Constant(b) {
		return math.NaN(), math.NaN()
	}
	mr, mb := Mean(r), Mean(b)
	var rb, bb float64
	for t, v := range b {
		d := v - mb
		rb += float64((r[t] - mr) * d)
		bb += float64(d * d)
	}
	beta = rb / bb
	return portable.Pow(1+(mr-riskFree)-float64(beta*(mb-riskFree)), perYear) - 1, beta
}
