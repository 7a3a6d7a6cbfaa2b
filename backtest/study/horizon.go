package study

import (
	"fmt"

	"github.com/qf-dev/qf/factors"
)

// Horizon is how far ahead a return looks.
type Horizon struct {
	Name string
	Bars int // of the grid
}

// HorizonsOn are the horizons in bars of a grid, the primary one among them.
func (e EvaluationConfig) HorizonsOn(g *factors.Grid) (list []Horizon, primary int, err error) {
	for _, w := range append(e.Horizons[:len(e.Horizons):len(e.Horizons)], e.PrimaryHorizon) {
		bars, err := w.In(g)
		if err != nil {
			return nil, 0, fmt.Errorf("horizon: %w", err)
		}
		known := false
		for k, h := range list {
			if h.Bars == bars {
				known, primary = true, k
			}
		}
		if !known {
			primary = len(list)
			list = append(list, Horizon{w.String(), bars})
		}
	}
	return list, primary, nil // the primary horizon came last
}
