package factors

import (
	"fmt"
	"math"
)

// Component is one weighed factor of a composite.
type Component struct {
	Factor    string         `yaml:"factor"`
	Weight    float64        `yaml:"weight" range:"[-1e6,1e6]"`
	Normalize *Normalization `yaml:"normalize"` // nil: the composite's
}

// MissingPolicy says what a missing component does to F.
type MissingPolicy string

const (
	Strict      MissingPolicy = "strict"      // F is missing
	Renormalize MissingPolicy = "renormalize" // F = Σ_present w·z · Σ|w| / Σ_present |w|
)

// Composite defines F = Σ weight · z.
type Composite struct {
	Components []Component   `yaml:"components"`
	Normalize  Normalization `yaml:"normalize"`
	Missing    MissingPolicy `yaml:"missing"` // empty: Strict
}

// Score is a composite with what went into it.
type Score struct {
	*Panel            // F, named "composite"
	Z        []*Panel // the normalized components, in order
	Warnings []error
}

// Composite normalizes, weighs and sums the components' panels: a Scorer over one block. Rows [lo, hi) are the sample
// that FullSample takes its mean and std from; the other methods use rows up to each bar alone. Warnings are those of
// Scoring.
func (f *Frame) Composite(c Composite, lo, hi int) (*Score, error) {
	if lo < 0 || lo > hi || hi > f.Len() {
		panic("factors: the sample is not within the grid")
	}
	fs, cols := make([]Factor, len(f.Panels)), make([][][]float64, len(f.Panels))
	for k, p := range f.Panels {
		fs[k].Name, cols[k] = p.Name, p.cols64()
	}
	scorer, err := c.Scorer(fs, f.Grid)
	if err != nil {
		return nil, err
	}
	r := scorer.Start()
	r.Sample(lo, hi)
	r.Survey(cols, lo, hi)
	r.Fit()
	score, z := r.Next(cols)
	s := &Score{Panel: NewPanel("composite", f.Grid, score...), Warnings: r.Warnings()}
	for k, comp := range c.Components {
		s.Z = append(s.Z, NewPanel(comp.Factor, f.Grid, z[k]...))
	}
	return s, nil
}

func (c Composite) validate() error {
	if len(c.Components) == 0 {
		return fmt.Errorf("there are no components")
	}
	for _, comp := range c.Components {
		if math.IsNaN(comp.Weight) || math.IsInf(comp.Weight, 0) {
			return fmt.Errorf("%s: weight is %v, want a number", comp.Factor, comp.Weight)
		}
	}
	if c.Missing != "" && c.Missing != Strict && c.Missing != Renormalize {
		return fmt.Errorf("missing is %q, want %s or %s", c.Missing, Strict, Renormalize)
	}
	return nil
}

// normalization is component k's own, or the composite's.
func (c Composite) normalization(k int) Normalization {
	if own := c.Components[k].Normalize; own != nil {
		return *own
	}
	return c.Normalize
}
