package reports

import (
	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/factors"
)

// Month is what one calendar month (UTC) of the run over the whole span returned, in full or as far
// as the span covers it.
type Month struct {
	Month  string          `json:"month"` // 2024-01
	Days   int             `json:"days"`  // of the month in the span
	Return backtest.Figure `json:"return"`
}

// months cuts the equity of a run at the ends of UTC months:
//
//	return = E_last/E_previous − 1
//
// with the initial capital before the first bar; NaN once equity is not positive.
func months(g *factors.Grid, run *backtest.Run) []Month {
	out := []Month{}
	before := run.Capital
	w := run.Window
	for t := w.Lo; t < w.Hi; t++ {
		day := g.Day(t)
		if t+1 < w.Hi {
			next := g.Day(t + 1)
			if next == day {
				continue
			}
			if day.String()[:7] == next.String()[:7] {
				out = countDay(out, day.String()[:7])
				continue
			}
		}
		out = countDay(out, day.String()[:7])
		equity := run.Equity[t-w.Lo]
		m := &out[len(out)-1]
		m.Return = nan
		if before > 0 {
			m.Return = backtest.Figure(equity/before - 1)
		}
		before = equity
	}
	return out
}

// countDay adds a day that has bars to its month.
func countDay(out []Month, month string) []Month {
	if len(out) == 0 || out[len(out)-1].Month != month {
		out = append(out, Month{Month: month})
	}
	out[len(out)-1].Days++
	return out
}
