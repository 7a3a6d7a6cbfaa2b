package reports

import (
	"math"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/datasets"
)

// Month is what one calendar month (UTC) of the run over the whole span returned, in full or as far
// as the span covers it.
type Month struct {
	Month  string          `json:"month"` // 2024-01
	Days   int             `json:"days"`  // of the month in the span
	Return evaluate.Figure `json:"return"`
}

// months links the daily returns of a run by UTC month:
//
//	return = Π (1 + r) − 1
//
// It is null where the net of a day is not known, and of the months over whose border days are missing from the lake, so
// that one return is of both. A month after a ruin has no days and is left out.
func months(a *portfolio.Account) []Month {
	out := []Month{}
	growth := 1.0 // of the last month; NaN where it is not known
	next := datasets.DayOf(a.Span.From)
	for _, d := range a.Days {
		first := next
		for ; next <= d.Day; next++ {
			name := monthOf(next)
			if len(out) == 0 || out[len(out)-1].Month != name {
				out, growth = append(out, Month{Month: name}), 1
			}
			m := &out[len(out)-1]
			m.Days++
			if monthOf(first) != monthOf(d.Day) || !dayKnown(a, d.Day) {
				growth = math.NaN()
				m.Return = nan
			}
		}
		growth = float64(growth * (1 + d.Return))
		out[len(out)-1].Return = evaluate.Figure(growth - 1)
	}
	return out
}

func monthOf(d datasets.Day) string { return d.String()[:len("2024-01")] }
