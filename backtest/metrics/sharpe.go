package metrics

import "math"

// SharpeInference is what the inference on a Sharpe ratio needs to know of the returns, per period:
// the ratio (ddof 1), the number of periods, the biased skewness and the biased raw kurtosis.
type SharpeInference struct {
	Ratio, N, Skew, Kurtosis float64
}

// InferSharpe takes them from returns per period. Its fields are NaN where r is constant or shorter than 2.
func InferSharpe(r []float64) SharpeInference {
	skew, kurtosis := Shape(r)
	return SharpeInference{Sharpe(r, 0, 1), float64(len(r)), skew, kurtosis}
}

// spread is n − 1 times the variance of the ratio's estimate: 1 − γ3·SR + (γ4 − 1)/4·SR².
func (s SharpeInference) spread() float64 {
	return 1 - float64(s.Skew*s.Ratio) + float64((s.Kurtosis-1)/4*s.Ratio*s.Ratio)
}

// StdError is sqrt((1 − γ3·SR + (γ4 − 1)/4·SR²)/(n − 1)).
func (s SharpeInference) StdError() float64 { return math.Sqrt(s.spread() / (s.N - 1)) }

// Probabilistic is the probability that the true ratio exceeds benchmark, Φ((SR − benchmark)/StdError).
// Bailey and López de Prado (2012).
func (s SharpeInference) Probabilistic(benchmark float64) float64 {
	return NormalCDF((s.Ratio - benchmark) / s.StdError())
}

// MinTrackRecord is the number of periods after which Probabilistic reaches the confidence,
//
//	1 + (1 − γ3·SR + (γ4 − 1)/4·SR²)·(Φ⁻¹(confidence)/(SR − benchmark))²
//
// NaN where the ratio does not exceed the benchmark. Bailey and López de Prado (2012).
func (s SharpeInference) MinTrackRecord(benchmark, confidence float64) float64 {
	if !(s.Ratio > benchmark) {
		return math.NaN()
	}
	z := NormalQuantile(confidence) / (s.Ratio - benchmark)
	return 1 + float64(s.spread()*z*z)
}

// eulerGamma is the Euler–Mascheroni constant.
const eulerGamma = 0.57721566490153286060651209008240243

// ExpectedMaxSharpe is the largest ratio that the given number of worthless trials is expected to
// show, their ratios having the given variance:
//
//	sqrt(variance)·((1 − γ)·Φ⁻¹(1 − 1/trials) + γ·Φ⁻¹(1 − 1/(trials·e)))
//
// It is at least 0, what one trial is expected to show: the formula is for many, and falls without bound as trials falls to 1.
// Probabilistic against it is the deflated Sharpe ratio. Bailey and López de Prado (2014).
func ExpectedMaxSharpe(variance, trials float64) float64 {
	if trials <= 1 {
		return 0
	}
	return math.Sqrt(variance) * max(0, float64((1-eulerGamma)*NormalQuantile(1-1/trials))+float64(eulerGamma*NormalQuantile(1-1/float64(trials*math.E))))
}
