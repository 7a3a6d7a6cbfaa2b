package study

import (
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// LooksAhead says which choices of the study let later data into earlier rows: figures of such a study
// could not have been earned, and its report begins with them.
func (s *Study) LooksAhead() []string {
	out := []string{}
	for _, name := range s.FullSampleFactors() {
		out = append(out, name+" places each value within the full sample, which looks ahead")
	}
	for k, c := range s.Composite.Components {
		if s.Normalization(k).Method == factors.FullSample {
			out = append(out, c.Factor+" is normalized by the mean and std of the full sample, which looks ahead")
		}
	}
	if s.Data.Clock == datasets.Timestamp {
		out = append(out, "bars by exchange time are not causal in arrival time: a row may join a bar before it could have been seen")
	}
	return out
}

// normalizesAhead reports whether a component knows, or is normalized over, the whole sample.
func (s *Study) NormalizesAhead() bool {
	knowing := s.FullSampleFactors()
	for k, c := range s.Composite.Components {
		if s.Normalization(k).Method == factors.FullSample || slices.Contains(knowing, c.Factor) {
			return true
		}
	}
	return false
}

// normalization is that of component k: its own or the composite's.
func (s *Study) Normalization(k int) factors.Normalization {
	if own := s.Composite.Components[k].Normalize; own != nil {
		return *own
	}
	return s.Composite.Normalize
}

// knowing lists the study's factors that know the full sample.
func (s *Study) FullSampleFactors() []string {
	var names []string
	for _, c := range s.Factors {
		if c.Params.FullSample() {
			names = append(names, c.Name)
		}
	}
	return names
}
