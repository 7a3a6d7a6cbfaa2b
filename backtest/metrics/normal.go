package metrics

import "github.com/qf-dev/qf/factors/kernel/portable"

// NormalCDF is Φ, the distribution function of the standard normal.
func NormalCDF(z float64) float64 { return portable.NormalCDF(z) }

// NormalQuantile is Φ⁻¹ on [0, 1].
func NormalQuantile(p float64) float64 { return portable.NormalQuantile(p) }

// TwoSided is the probability of a standard normal at least as far from 0 as t.
func TwoSided(t float64) float64 { return portable.TwoSided(t) }
