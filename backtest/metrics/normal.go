package metrics

import "math"

// NormalCDF is Φ, the distribution function of the standard normal.
func NormalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// NormalQuantile is Φ⁻¹ on (0, 1).
func NormalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// TwoSided is the probability of a standard normal at least as far from 0 as t.
func TwoSided(t float64) float64 { return math.Erfc(math.Abs(t) / math.Sqrt2) }
