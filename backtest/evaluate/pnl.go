package evaluate

import "github.com/qf-dev/qf/backtest/study"

// PnLRow is what one run earned: figures by the keys of PnLFigures.
type PnLRow struct {
	Signal  string
	Window  string
	Figures map[string]Figure
	Reasons map[string]string // why a figure is null, by its key
}

// Of is a figure; null where there is none of that key.
func (r *PnLRow) Of(key string) Figure {
	if f, ok := r.Figures[key]; ok {
		return f
	}
	return null
}

// Metric says what a figure of PnLRow is, so that nobody has to guess by which convention it was computed.
type Metric struct {
	Figure     string `json:"figure"` // its key in PnLRow
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
	PerYear    Figure `json:"periods_per_year"` // what it is annualized with; null where it is not
	DDOF       Figure `json:"ddof"`             // what n is lessened by in a deviation or a moment; null where there is none
	Baseline   string `json:"baseline"`         // what it is measured against; empty where against nothing
	Count      string `json:"counted_by"`       // the key in PnLRow that counts its observations; empty where none does
}

// Metrics describes the figures of PnLRow in their order.
func Metrics(e study.EvaluationConfig) []Metric { return nil }
