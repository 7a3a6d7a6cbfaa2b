package sweep

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

// Limit bounds the trials of a sweep.
const Limit = 100_000

// Point is one combination: the value of each setting, as YAML, in the order of Design's paths.
type Point []string

// Design lists the trials of a sweep, and the paths that their values are of: those of the settings, then those that constraints
// set. A grid goes through the last setting first. Draws that constraints refuse are drawn again; equal ones are made once.
func Design(c *study.SweepConfig) (paths []string, points []Point, err error) {
	var ties []study.Constraint
	for _, s := range c.Settings {
		paths = append(paths, s.Path)
	}
	for _, text := range c.Constraints {
		t, err := study.ParseConstraint(text, c.Settings)
		if err != nil {
			return nil, nil, fmt.Errorf("sweep.constraints: %w", err)
		}
		ties = append(ties, t)
		if t.Sets {
			paths = append(paths, t.Left)
		}
	}
	seen := map[string]bool{}
	add := func(values []string) {
		p := Point(values)
		at := map[string]string{}
		for k, v := range values {
			at[paths[k]] = v
		}
		for _, t := range ties {
			set, stays := t.Hold(func(path string) string { return at[path] })
			if !stays {
				return
			}
			if t.Sets {
				p = append(p, set)
			}
		}
		if key := fmt.Sprintf("%q", p); !seen[key] {
			seen[key] = true
			points = append(points, p)
		}
	}
	if c.Method == "grid" {
		if err := grid(c.Settings, add); err != nil {
			return nil, nil, err
		}
	} else {
		draw, err := drawer(c)
		if err != nil {
			return nil, nil, err
		}
		// A constraint may leave almost nothing: then there are fewer.
		for tries := 0; len(points) < c.Trials && tries < 200*c.Trials+1000; tries++ {
			values := make([]string, len(c.Settings))
			for k, u := range draw() {
				values[k] = drawn(c.Settings[k], u)
			}
			add(values)
		}
	}
	if len(points) == 0 {
		return nil, nil, fmt.Errorf("sweep: the constraints leave no combination")
	}
	return paths, points, nil
}

// grid calls add with every combination.
func grid(settings []study.SweepSetting, add func([]string)) error {
	total := 1
	values := make([][]string, len(settings))
	for k, s := range settings {
		values[k] = s.Values
		for i := range s.Steps {
			values[k] = append(values[k], within(s, float64(i)/float64(s.Steps-1)))
		}
		if total *= len(values[k]); total > Limit {
			return fmt.Errorf("sweep: more than %d combinations: take fewer values, or method random or sobol", Limit)
		}
	}
	for n := range total {
		point := make([]string, len(settings))
		for k := len(settings) - 1; k >= 0; k-- {
			point[k] = values[k][n%len(values[k])]
			n /= len(values[k])
		}
		add(point)
	}
	return nil
}

// drawer gives points of the unit cube: seeded draws, or the Sobol sequence from its second point on (the first is a corner).
func drawer(c *study.SweepConfig) (func() []float64, error) {
	n := len(c.Settings)
	if c.Method == "sobol" {
		s, err := newSobol(n)
		if err != nil {
			return nil, err
		}
		s.next()
		return s.next, nil
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0x5eed))
	return func() []float64 {
		u := make([]float64, n)
		for k := range u {
			u[k] = rng.Float64()
		}
		return u
	}, nil
}

// drawn is the value of a setting at u of [0, 1): of a list or of a range's steps each with the same share.
func drawn(s study.SweepSetting, u float64) string {
	if s.Values != nil {
		return s.Values[int(u*float64(len(s.Values)))]
	}
	if s.Steps > 0 {
		return within(s, math.Floor(u*float64(s.Steps))/float64(s.Steps-1))
	}
	return within(s, u)
}

// within is the value of a range at u of [0, 1], rounded to nine digits, so that it reads as one would write it.
func within(s study.SweepSetting, u float64) string {
	v := s.From + float64(u*(s.To-s.From))
	if s.Log {
		v = s.From * portable.Pow(s.To/s.From, u)
	}
	text := strconv.FormatFloat(v, 'g', 9, 64)
	v, _ = strconv.ParseFloat(text, 64)
	return strconv.FormatFloat(v, 'g', -1, 64)
}
