package factors

import (
	"fmt"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors/kernel"
)

// Scorer is a composite of factors on a grid. It is read only.
type Scorer struct {
	composite   Composite
	columns     []int           // place among the factors, by component
	norms       []Normalization // by component
	starts      []func() Eval   // by component, see Normalization.start
	instruments []datasets.Instrument
}

// Scorer prepares a composite of the factors fs on g, whose labels are not needed.
func (c Composite) Scorer(fs []Factor, g *Grid) (*Scorer, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("composite: %w", err)
	}
	names := make([]string, len(fs))
	for k, f := range fs {
		names[k] = f.Name
	}
	s := &Scorer{composite: c, instruments: g.Instruments}
	for k, comp := range c.Components {
		at := slices.Index(names, comp.Factor)
		if at < 0 {
			return nil, fmt.Errorf("composite: there is no factor %q%s", comp.Factor, datasets.DidYouMean(comp.Factor, names))
		}
		n := c.normalization(k)
		start, err := n.start(g)
		if err != nil {
			return nil, fmt.Errorf("composite: %s: %w", comp.Factor, err)
		}
		s.columns, s.norms, s.starts = append(s.columns, at), append(s.norms, n), append(s.starts, start)
	}
	return s, nil
}

// LooksAhead reports whether a component is normalized by the mean and std of the full sample: a Scoring then wants
// Survey for each block of the sample, and Fit, before its first Next.
func (s *Scorer) LooksAhead() bool {
	return slices.ContainsFunc(s.norms, func(n Normalization) bool { return n.Method == FullSample })
}

// Scoring is a composite with the state that it carries from block to block: of one sample where it looks ahead. Its
// columns keep their memory.
type Scoring struct {
	scorer *Scorer
	evals  [][]Eval          // by component and instrument
	sample [][]kernel.Sample // by component and instrument: of the factor in Survey, else of z before it is clipped
	fits   [][]fit           // by component and instrument
	in     [][][][]float64   // by component and instrument: the one input of an Eval
	z      [][][]float64     // by component and instrument
	score  [][]float64       // by instrument
	row    [][]float64       // by component, for cross-sections
	parts  [][][]float64     // by instrument and component: z
	rows   int               // seen by Next

	members [][]bool      // of the next rows, see bars.Block; nil: all are
	masked  [][][]float64 // by component and instrument: what members have, of cross-sections
	lo, hi  int           // the sample's rows
}

type fit struct{ mean, std float64 }

// Start begins with row 0.
func (s *Scorer) Start() *Scoring {
	n := len(s.instruments)
	r := &Scoring{scorer: s, hi: math.MaxInt, score: make([][]float64, n), parts: make([][][]float64, n)}
	for _, start := range s.starts {
		evals := make([]Eval, n)
		for i := range evals {
			if start != nil {
				evals[i] = start()
			}
		}
		r.evals = append(r.evals, evals)
		r.sample = append(r.sample, make([]kernel.Sample, n))
		r.fits = append(r.fits, make([]fit, n))
		r.z = append(r.z, make([][]float64, n))
		r.in = append(r.in, make([][][]float64, n))
		r.row = append(r.row, make([]float64, n))
		r.masked = append(r.masked, make([][]float64, n))
	}
	return r
}

// Sample says which rows of the grid, counted from row 0, Warnings looks at; all of them where it is not called.
func (r *Scoring) Sample(lo, hi int) { r.lo, r.hi = lo, hi }

// Survey takes rows [lo, hi) of a block's columns, by factor and instrument, as the next rows of the sample.
func (r *Scoring) Survey(cols [][][]float64, lo, hi int) {
	for k, n := range r.scorer.norms {
		if n.Method == FullSample {
			for i := range r.sample[k] {
				r.sample[k][i].Add(cols[r.scorer.columns[k]][i][lo:hi])
			}
		}
	}
}

// Members says who is a member in the rows of the next Next: a cross-section is that of members, and who is none has no score.
func (r *Scoring) Members(m [][]bool) { r.members = m }

// ofMembers are the columns of a component where the instrument is a member, and missing elsewhere.
func (r *Scoring) ofMembers(k int, x [][]float64) [][]float64 {
	if r.members == nil {
		return x
	}
	MaskInto(r.masked[k], x, r.members)
	return r.masked[k]
}

// Fit takes mean and std from the rows surveyed.
func (r *Scoring) Fit() {
	for k, n := range r.scorer.norms {
		if n.Method == FullSample {
			for i := range r.sample[k] {
				mean, std := r.sample[k][i].MeanStd(max(n.MinPeriods, minSample))
				r.fits[k][i] = fit{mean, std}
			}
		}
	}
}

// Next computes the rows that follow those before: F = Σ weight·z by instrument, and z by component and instrument. cols are
// the rows' columns by factor and instrument. The columns returned are valid until the next call.
func (r *Scoring) Next(cols [][][]float64) (score [][]float64, z [][][]float64) {
	n := len(r.scorer.instruments)
	rows := 0
	if n > 0 {
		rows = len(cols[r.scorer.columns[0]][0])
	}
	// A cross-section needs all instruments of a component at once, the others need one.
	datasets.ForAll(len(r.z)*n, func(job int) {
		k, i := job/n, job%n
		x := cols[r.scorer.columns[k]]
		if r.scorer.norms[k].Method != CrossSection {
			r.z[k][i] = grown(r.z[k][i], rows)
			r.normalize(k, i, x[i])
		} else if i == 0 {
			for i := range n {
				r.z[k][i] = grown(r.z[k][i], rows)
			}
			crossSection(r.z[k], r.ofMembers(k, x), r.row[k])
		}
	})
	lo, hi := min(max(r.lo-r.rows, 0), rows), max(min(r.hi-r.rows, rows), 0)
	datasets.ForAll(n, func(i int) {
		for k, n := range r.scorer.norms {
			if n.Method != FullSample && n.traps() && lo < hi {
				r.sample[k][i].Add(r.z[k][i][lo:hi])
			}
			clip(r.z[k][i], n.Clip)
		}
		r.score[i] = grown(r.score[i], rows)
		r.sum(r.score[i], i)
		if r.members != nil {
			for t, in := range r.members[i] {
				if !in {
					r.score[i][t] = math.NaN()
				}
			}
		}
	})
	r.rows += rows
	return r.score, r.z
}

// grown is x with room for n values, which hold anything.
func grown(x []float64, n int) []float64 { return slices.Grow(x[:0], n)[:n] }

// normalize writes z of one component and instrument.
func (r *Scoring) normalize(k, i int, x []float64) {
	z := r.z[k][i]
	if r.scorer.norms[k].Method != FullSample {
		r.in[k][i] = append(r.in[k][i][:0], x)
		r.evals[k][i](z, r.in[k][i])
		return
	}
	f := r.fits[k][i]
	for t, v := range x {
		z[t] = standardize(v, f.mean, f.std)
	}
}

// sum writes instrument i's F = Σ weight·z.
func (r *Scoring) sum(dst []float64, i int) {
	z := r.parts[i][:0]
	for k := range r.z {
		z = append(z, r.z[k][i])
	}
	r.parts[i] = z
	r.scorer.composite.Weigh(dst, z)
}

// Weigh writes F = Σ weight·z of one instrument, given the normalized components as Scoring.Next gives them: their columns
// in the order of c.Components. A missing component does to F what c.Missing says. Composites of the same
// components with other weights share a Scoring this way. Products are rounded before they are added, so that every processor
// gives the same bits.
func (c Composite) Weigh(dst []float64, z [][]float64) {
	clear(dst)
	for k, comp := range c.Components {
		w := comp.Weight
		for t, z := range z[k][:len(dst)] {
			dst[t] += float64(w * z)
		}
	}
	for t, f := range dst {
		if math.IsNaN(f) {
			dst[t] = c.present(z, t)
		}
	}
}

// present is F of a row in which a component is missing.
func (c Composite) present(columns [][]float64, t int) float64 {
	if c.Missing != Renormalize {
		return math.NaN()
	}
	sum, present, total := 0.0, 0.0, 0.0
	for k, comp := range c.Components {
		total += math.Abs(comp.Weight)
		if z := columns[k][t]; !math.IsNaN(z) {
			sum += float64(comp.Weight * z)
			present += math.Abs(comp.Weight)
		}
	}
	if !(present > 0) {
		return math.NaN()
	}
	return sum * (total / present)
}

// Warnings name the components that look ahead, and those that hardly vary over the sample in the units of their
// normalization, before clipping, so that they add a constant to F.
func (r *Scoring) Warnings() []error {
	var out []error
	for k, n := range r.scorer.norms {
		comp := r.scorer.composite.Components[k]
		if n.Method == FullSample {
			out = append(out, n.ahead(comp))
		}
		if !n.traps() {
			continue
		}
		for i := range r.sample[k] {
			mean, std := r.sample[k][i].MeanStd(minSample)
			if std < flat {
				out = append(out, n.trap(comp, r.scorer.instruments[i], mean, std))
			}
		}
	}
	return out
}

// traps reports whether a component may hardly vary in the units of the normalization.
func (n Normalization) traps() bool {
	switch n.Method {
	case "", Rolling, Expanding, Fixed:
		return true
	}
	return false
}

// ahead says that the normalization looks ahead.
func (n Normalization) ahead(c Component) error {
	return fmt.Errorf("%s is normalized by the mean and std of the full sample, which looks ahead", c.Factor)
}

// Again begins with row 0 once more, with the mean and std that were fitted and the rows of Sample.
func (r *Scoring) Again() *Scoring {
	again := r.scorer.Start()
	for k, fits := range r.fits {
		copy(again.fits[k], fits)
	}
	again.lo, again.hi = r.lo, r.hi
	return again
}
