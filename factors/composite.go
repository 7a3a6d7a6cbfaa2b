package factors

import (
	"fmt"
	"math"

	"github.com/qf-dev/qf/datasets"
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

// Composite normalizes, weighs and sums the components' panels. Rows [lo, hi) are the sample that
// FullSample takes its mean and std from; the other methods use rows up to each bar alone. Warnings
// name the components that look ahead, and those that hardly vary over [lo, hi) in the units of
// their normalization, so that they add a constant to F.
func (f *Frame) Composite(c Composite, lo, hi int) (*Score, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("composite: %w", err)
	}
	n := len(f.Instruments)
	norms := make([]normalizer, len(c.Components))
	in := make([]*Panel, len(c.Components))
	z := make([][][]float64, len(c.Components)) // by component and instrument
	for k, comp := range c.Components {
		if in[k] = f.Panel(comp.Factor); in[k] == nil {
			return nil, fmt.Errorf("composite: there is no factor %q%s", comp.Factor, datasets.DidYouMean(comp.Factor, f.names()))
		}
		norm, err := c.normalization(k).on(f.Grid, lo, hi)
		if err != nil {
			return nil, fmt.Errorf("composite: %s: %w", comp.Factor, err)
		}
		norms[k], z[k] = norm, make([][]float64, n)
		for i := range n {
			z[k][i] = make([]float64, f.Len())
		}
	}
	// A cross-section needs all instruments of a component at once, the others need one.
	datasets.ForAll(len(norms)*n, func(job int) {
		k, i := job/n, job%n
		if norms[k] != nil {
			norms[k](z[k][i], in[k].Col(i))
		} else if i == 0 {
			crossSection(z[k], in[k])
		}
	})

	s := &Score{}
	for k, comp := range c.Components {
		s.Warnings = append(s.Warnings, c.normalization(k).warnings(comp, f.Grid, z[k], lo, hi)...)
		for _, col := range z[k] {
			clip(col, c.normalization(k).Clip)
		}
		s.Z = append(s.Z, NewPanel(comp.Factor, f.Grid, z[k]...))
	}
	cols := make([][]float64, n)
	for i := range n {
		cols[i] = c.sum(s.Z, i)
	}
	s.Panel = NewPanel("composite", f.Grid, cols...)
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

// sum is instrument i's F = Σ weight·z. Products are rounded before they are added, so that every
// processor gives the same bits.
func (c Composite) sum(z []*Panel, i int) []float64 {
	cols := make([][]float64, len(z))
	total := 0.0
	for k, comp := range c.Components {
		cols[k] = z[k].Col(i)
		total += math.Abs(comp.Weight)
	}
	out := make([]float64, z[0].Len())
	for t := range out {
		sum, present, missing := 0.0, 0.0, 0
		for k, comp := range c.Components {
			v := cols[k][t]
			if math.IsNaN(v) {
				missing++
				continue
			}
			sum += float64(comp.Weight * v)
			present += math.Abs(comp.Weight)
		}
		switch {
		case missing == 0:
			out[t] = sum
		case c.Missing == Renormalize && present > 0:
			out[t] = sum * (total / present)
		default:
			out[t] = math.NaN()
		}
	}
	return out
}

func (f *Frame) names() []string {
	names := make([]string, len(f.Panels))
	for i, p := range f.Panels {
		names[i] = p.Name
	}
	return names
}
