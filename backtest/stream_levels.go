package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/signals"
)

// levelIndex is the place of a score among signals.Levels(), and the one after them where it is missing.
func levelIndex(c signals.Cuts, f float64) int8 {
	all := signals.Levels()
	if l := c.LevelOf(f); l != signals.NoLevel {
		return int8(all[0] - l) // they descend by one
	}
	return int8(len(all))
}

// levelWeights are the targets by levelIndex.
func levelWeights(w signals.Weights) []float64 {
	var out []float64
	for _, l := range signals.Levels() {
		out = append(out, w.Of(l))
	}
	return append(out, w.Of(signals.NoLevel))
}

const noLevel = 5 // the index of a missing score

// levelCounts gathers what is said about the composite's levels and their forward returns.
type levelCounts struct {
	next   [noLevel + 1][noLevel + 1]int // how often each came after each
	bars   [noLevel + 1]int
	last   int8
	closed [][noLevel + 1]returned // by horizon
}

// returned sums the forward returns of a level's bars.
type returned struct {
	n, up, down int
	sum         float64
}

func newLevelCounts(horizons int) *levelCounts {
	return &levelCounts{last: noLevel, closed: make([][noLevel + 1]returned, horizons)}
}

// add takes the next rows.
func (l *levelCounts) add(c *sheet) {
	last := l.last
	for _, at := range c.level {
		l.next[last][at]++
		l.bars[at]++
		last = at
	}
	l.last = last
	for h, r := range c.ahead {
		sums := &l.closed[h]
		levels := c.level[:len(r)]
		for i, x := range r {
			s := &sums[levels[i]]
			s.n++
			s.sum += x
			if x > 0 {
				s.up++
			} else if x < 0 {
				s.down++
			}
		}
	}
}

// leveled is the counts as those of whole columns.
func (l *levelCounts) leveled() leveled {
	out := leveled{bars: make([]int, noLevel), visits: make([]int, noLevel), next: make([][]int, noLevel)}
	for at := range noLevel {
		out.bars[at] = l.bars[at]
		out.scored += l.bars[at]
		out.visits[at] = l.bars[at] - l.next[at][at]
		out.next[at] = l.next[at][:noLevel]
	}
	return out
}

// rows are the composite's level rows at horizon k.
func (l *levelCounts) rows(signal string, h study.Horizon, k int) []LevelRow {
	outcomes := make([]outcome, noLevel)
	for at, level := range signals.Levels() {
		s := l.closed[k][at]
		outcomes[at] = outcome{n: s.n, hits: s.up, mean: s.sum / float64(s.n), t: math.NaN()}
		if level < signals.Neutral {
			outcomes[at].hits = s.down
		}
	}
	rows := l.leveled().rows(signal, All, h, outcomes)
	for at := range rows {
		if _, said := rows[at].Reasons["t"]; !said {
			rows[at].reason("t", notStreamed)
		}
	}
	return rows
}
