package factors

import (
	"fmt"
	"math"
	"slices"

	"github.com/qf-dev/qf/factors/kernel"
)

// ChunkScore is a Composite of one instrument over chunks of rows, with the bits of Frame.Composite. Normalizations
// that know the full sample are fitted by a first pass over the sample: Survey for each chunk, then Fit.
type ChunkScore struct {
	parts    []scorePart // the components, in order
	grid     *Grid
	warnings []error
}

// scorePart is one component: z = (x − mean)/std of a factor's column, or the column itself.
type scorePart struct {
	column    int // place among the factors
	weight    float64
	of        Component
	norm      Normalization
	plain     bool // z is the column
	mean, std float64
	sample    kernel.Sample
}

// Chunks prepares a composite of the factors fs for chunks. It gives the factors to compute: fs, and after them
// the z of components whose normalization looks back. Cross-sections, expanding windows, clips and the renormalization
// of missing components need what a chunk does not have.
func (c Composite) Chunks(fs []Factor, g *Grid) (*ChunkScore, []Factor, error) {
	if err := c.validate(); err != nil {
		return nil, nil, fmt.Errorf("composite: %w", err)
	}
	if c.Missing == Renormalize {
		return nil, nil, fmt.Errorf("composite: missing: %s is not available", Renormalize)
	}
	s := &ChunkScore{grid: g}
	all := slices.Clone(fs)
	for k, comp := range c.Components {
		at := slices.IndexFunc(fs, func(f Factor) bool { return f.Name == comp.Factor })
		if at < 0 {
			return nil, nil, fmt.Errorf("composite: there is no factor %q", comp.Factor)
		}
		n := c.normalization(k)
		p := scorePart{column: at, weight: comp.Weight, of: comp, norm: n, mean: math.NaN(), std: math.NaN()}
		switch {
		case n.Clip != 0:
			return nil, nil, fmt.Errorf("composite: %s: clip is not available", comp.Factor)
		case n.Method == FullSample:
		case n.Method == Fixed:
			p.mean, p.std = n.Mean, n.Std
		case n.Method == None:
			p.plain = true
		case n.Method == "" || n.Method == Rolling || n.Method == Rank:
			z, err := n.trailing(fs[at], g)
			if err != nil {
				return nil, nil, fmt.Errorf("composite: %s: %w", comp.Factor, err)
			}
			p.column, p.plain = len(all), true
			all = append(all, z)
		default:
			return nil, nil, fmt.Errorf("composite: %s: normalization %s is not available", comp.Factor, n.method())
		}
		if fs[at].Sample != nil {
			return nil, nil, fmt.Errorf("composite: %s knows the full sample, and is not available as a component", comp.Factor)
		}
		s.parts = append(s.parts, p)
	}
	return s, all, nil
}

// trailing is a factor's z as a factor of its own.
func (n Normalization) trailing(f Factor, g *Grid) (Factor, error) {
	w, _, err := n.window(g)
	if err != nil {
		return Factor{}, err
	}
	z, err := n.start(g)
	if err != nil {
		return Factor{}, err
	}
	return Factor{
		Name: "z of " + f.Name, Key: fmt.Sprintf("z %s of %s over %d, %d", n.method(), f.Key, w, n.MinPeriods),
		Uses: []Factor{f}, Lookback: f.Lookback + w - 1, Block: w,
		Start: z,
	}, nil
}

// Columns gives each component's place among the factors.
func (s *ChunkScore) Columns() []int {
	out := make([]int, len(s.parts))
	for k := range s.parts {
		out[k] = s.parts[k].column
	}
	return out
}

// Survey takes the next rows of the sample of every component, as columns of the factors.
func (s *ChunkScore) Survey(columns [][]float64) {
	for k := range s.parts {
		s.parts[k].sample.Add(columns[s.parts[k].column])
	}
}

// Fit takes mean and std from the rows surveyed.
func (s *ChunkScore) Fit() {
	s.warnings = nil
	for k := range s.parts {
		p := &s.parts[k]
		mean, std := p.sample.MeanStd(minSample)
		switch p.norm.Method {
		case FullSample:
			p.mean, p.std = p.sample.MeanStd(max(p.norm.MinPeriods, minSample))
			s.warnings = append(s.warnings, p.norm.ahead(p.of))
			continue
		case None, Rank:
			continue
		case Fixed:
			mean, std = (mean-p.mean)/p.std, std/p.std
		}
		if std < flat {
			s.warnings = append(s.warnings, p.norm.trap(p.of, s.grid.Instruments[0], mean, std))
		}
	}
}

// Warnings are those of Score, once fitted.
func (s *ChunkScore) Warnings() []error { return s.warnings }

// Mean is the composite's mean over rows at which the components' columns have these means.
func (s *ChunkScore) Mean(of []float64) float64 {
	sum := 0.0
	for k := range s.parts {
		p := &s.parts[k]
		z := of[k]
		if !p.plain {
			z = (z - p.mean) / p.std
		}
		sum += p.weight * z
	}
	return sum
}

// Eval writes F = Σ weight·z, from the columns of the factors. Missing is NaN.
func (s *ChunkScore) Eval(dst []float64, columns [][]float64) {
	clear(dst)
	for k := range s.parts {
		p := &s.parts[k]
		x := columns[p.column][:len(dst)]
		switch {
		case p.plain:
			for t, v := range x {
				dst[t] += float64(p.weight * v)
			}
		case p.std > 0:
			w, mean, std := p.weight, p.mean, p.std
			for t, v := range x {
				dst[t] += float64(w * ((v - mean) / std))
			}
		default:
			for t := range dst {
				dst[t] = math.NaN()
			}
		}
	}
	for t, f := range dst {
		if f-f != 0 {
			dst[t] = s.at(columns, t)
		}
	}
}

// at is F at one row, where a component may be missing or infinite.
func (s *ChunkScore) at(columns [][]float64, t int) float64 {
	sum := 0.0
	for k := range s.parts {
		p := &s.parts[k]
		z := columns[p.column][t]
		if !p.plain {
			z = standardize(z, p.mean, p.std)
		}
		if math.IsNaN(z) {
			return math.NaN()
		}
		sum += float64(p.weight * z)
	}
	return sum
}
