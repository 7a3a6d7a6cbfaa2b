package reports

import (
	"slices"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// Transition counts the bars of the span, over all instruments, at which the composite stood at one
// level and at the next bar at another or the same. A bar without a score is neither.
type Transition struct {
	Level string          `json:"level"`
	Next  string          `json:"next"`
	Bars  int             `json:"bars"`
	Share backtest.Figure `json:"share"` // of the bars at Level that have a next; null without any
}

// ascending lists the levels from strong short to strong long.
func ascending() []signals.Level {
	out := signals.Levels()
	slices.Sort(out)
	return out
}

func transitions(p *factors.Panel, lo, hi int, cuts signals.Cuts) []Transition {
	type step struct{ from, to signals.Level }
	counts, totals := map[step]int{}, map[signals.Level]int{}
	for i := range p.Instruments {
		last := signals.NoLevel
		for _, v := range p.Col(i)[lo:hi] {
			now := cuts.LevelOf(v)
			if last != signals.NoLevel && now != signals.NoLevel {
				counts[step{last, now}]++
				totals[last]++
			}
			last = now
		}
	}
	var out []Transition
	for _, from := range ascending() {
		for _, to := range ascending() {
			n := counts[step{from, to}]
			out = append(out, Transition{from.String(), to.String(), n, backtest.Figure(float64(n) / float64(totals[from]))})
		}
	}
	return out
}
