package reports

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// levelNames are the five levels in the order of their scores.
var levelNames = map[string]string{
	"strong_short": "strong short", "short": "short", "neutral": "neutral", "long": "long", "strong_long": "strong long",
}

// levelSummary has the score's levels over the whole span at the primary horizon.
func levelSummary(d *Report) grid {
	return levelGrid("Levels of the score, mean return over "+d.PrimaryHorizon, slices.DeleteFunc(slices.Clone(d.Levels), func(r evaluate.LevelRow) bool {
		return r.Signal != d.Score || r.Window != evaluate.All || r.Horizon != d.PrimaryHorizon
	}), false)
}

// levelDetails has every other row.
func levelDetails(d *Report) grid {
	rows, note := bounded(slices.DeleteFunc(slices.Clone(d.Levels), func(r evaluate.LevelRow) bool {
		return r.Signal == d.Score && r.Window == evaluate.All && r.Horizon == d.PrimaryHorizon
	}), reportFile)
	g := levelGrid("Levels by signal, window and horizon", rows, true)
	g.Note = note
	return g
}

func levelGrid(caption string, rows []evaluate.LevelRow, scoped bool) grid {
	g := grid{Caption: caption}
	if scoped {
		g.Head = []heading{{Text: "Signal"}, {Text: "Window"}, {Text: "Horizon"}}
	}
	g.Head = append(g.Head,
		heading{Text: "Level"},
		heading{Text: "Share of bars", Numeric: true},
		heading{Text: "Bars", Numeric: true},
		heading{Text: "Mean stay", Title: "in bars", Numeric: true},
		heading{Text: "Mean return, bps", Title: "log return over the horizon, signed as it is", Numeric: true},
		heading{Text: "Hit rate", Title: "share of returns above zero; below zero for short levels", Numeric: true},
		heading{Text: "t", Numeric: true},
		heading{Text: "Break-even, bps", Title: "cost a side at which the mean return is gone", Numeric: true})
	for _, r := range rows {
		name, ok := levelNames[r.Level]
		if !ok {
			name = r.Level
		}
		var line []entry
		if scoped {
			line = []entry{words(signalName(r.Signal)), words(r.Window), words(r.Horizon)}
		}
		g.Rows = append(g.Rows, append(line,
			words(name),
			figure(r.Share, share(r.Share, 1), r.Reasons["share"]),
			integer(r.Bars),
			figure(r.MeanHolding, plain(r.MeanHolding, 1), r.Reasons["mean_holding_bars"]),
			figure(r.MeanReturn, signed(r.MeanReturn*1e4, 2), r.Reasons["mean_return"]),
			figure(r.HitRate, share(r.HitRate, 1), r.Reasons["hit_rate"]),
			figure(r.T, signed(r.T, 2), r.Reasons["t"]),
			figure(r.BreakEven, signed(r.BreakEven, 2), r.Reasons["break_even_bps"])))
	}
	return g
}

// transitionGrid has a row for each level and a column for each next one, both from short to long.
func transitionGrid(d *Report) grid {
	g := grid{Caption: "What follows each level at the next bar, share of bars", Head: []heading{{Text: "From"}}}
	for _, from := range []string{"strong_short", "short", "neutral", "long", "strong_long"} {
		line := []entry{words(levelNames[from])}
		for _, to := range []string{"strong_short", "short", "neutral", "long", "strong_long"} {
			k := slices.IndexFunc(d.Transitions, func(r evaluate.TransitionRow) bool {
				return r.Signal == d.Score && r.Window == evaluate.All && r.From == from && r.To == to
			})
			if k < 0 {
				return grid{}
			}
			r := d.Transitions[k]
			e := figure(r.Share, share(r.Share, 1), r.Reasons["share"])
			if e.Class == "" {
				e.Title = count(float64(r.Bars)) + " bars"
				e.Class, e.Strength = "heat up", whole(math.Round(100*float64(r.Share)), 100)
			}
			line = append(line, e)
		}
		g.Head = append(g.Head, heading{Text: levelNames[from], Numeric: true})
		g.Rows = append(g.Rows, line)
	}
	return g
}
