package backtest

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// minVisits is the number of visits to a level below which its t is not reported.
const minVisits = 10

// leveled is the composite as levels, over one window.
type leveled struct {
	of     [][]int8 // per instrument and window row: index into signals.Levels(), or −1 without a score
	bars   []int    // per level, over all instruments
	visits []int    // runs of the level; a null score ends a run
	next   [][]int  // per level: how often each came at the next bar
	scored int
}

func (v *view) level(score *factors.Panel) leveled {
	all := signals.Levels()
	l := leveled{of: make([][]int8, len(v.m.Instruments)), bars: make([]int, len(all)), visits: make([]int, len(all)), next: make([][]int, len(all))}
	for at := range all {
		l.next[at] = make([]int, len(all))
	}
	for i := range l.of {
		x := v.column(score, i)
		l.of[i] = make([]int8, len(x))
		last := int8(-1)
		for k, f := range x {
			at := int8(slices.Index(all, v.s.Signals.Thresholds.LevelOf(f)))
			l.of[i][k] = at
			if at >= 0 {
				l.scored++
				l.bars[at]++
				if at != last {
					l.visits[at]++
				}
				if last >= 0 {
					l.next[last][at]++
				}
			}
			last = at
		}
	}
	return l
}

// levelRows gives the composite's five rows at this horizon, the instruments taken together.
func (p *pairing) levelRows(signal string) []LevelRow {
	all := signals.Levels()
	rows := make([]LevelRow, len(all))
	for at, level := range all {
		bars, visits := p.levels.bars[at], p.levels.visits[at]
		n, hits, sum := p.outcomes(int8(at), level < signals.Neutral)
		row := LevelRow{
			Signal: signal, Window: p.name, Level: level.String(), Bars: bars, Horizon: p.h.name,
			Share: Figure(float64(bars) / float64(p.levels.scored)), MeanHolding: Figure(float64(bars) / float64(visits)),
			MeanReturn: Figure(sum / float64(n)), HitRate: Figure(float64(hits) / float64(n)), T: null,
			BreakEven: null,
		}
		switch {
		case level == signals.Neutral:
			row.reason("break_even_bps", "a neutral level takes no side")
		case n == 0:
			row.reason("break_even_bps", "no bar at this level has a forward return")
		case level < signals.Neutral:
			row.BreakEven = -row.MeanReturn / 2 / basisPoint
		default:
			row.BreakEven = row.MeanReturn / 2 / basisPoint
		}
		switch {
		case n == 0:
			for _, key := range []string{"mean_return", "hit_rate", "t"} {
				row.reason(key, "no bar at this level has a forward return")
			}
		case visits < minVisits:
			row.reason("t", "fewer than 10 visits")
		case n < 10*p.h.bars:
			row.reason("t", "the bars at this level span fewer than 10 horizons")
		default:
			row.T = Figure(p.levelT(int8(at), n, sum/float64(n)))
		}
		if bars == 0 {
			row.reason("mean_holding_bars", "the score was never at this level")
		}
		if p.levels.scored == 0 {
			row.reason("share", "no bar has a score")
		}
		rows[at] = row
	}
	return rows
}

// transitions are the window's level changes, from every level to every level.
func (v *view) transitions(signal string) []TransitionRow {
	all := signals.Levels()
	var out []TransitionRow
	for from, next := range v.levels.next {
		total := 0
		for _, n := range next {
			total += n
		}
		for to, n := range next {
			row := TransitionRow{Signal: signal, Window: v.name, From: all[from].String(), To: all[to].String(), Bars: n, Share: Figure(float64(n) / float64(total))}
			if total == 0 {
				row.Reasons = map[string]string{"share": "no bar at this level has a next one"}
			}
			out = append(out, row)
		}
	}
	return out
}

// outcomes counts the bars at a level that have a forward return, sums these, and counts those that went the
// level's way.
func (p *pairing) outcomes(level int8, short bool) (n, hits int, sum float64) {
	for i, a := range p.ahead {
		of := p.levels.of[i]
		for k, r := range a.returns {
			if of[k] == level && metrics.Defined(r) {
				n++
				sum += r
				if short && r < 0 || !short && r > 0 {
					hits++
				}
			}
		}
	}
	return n, hits, sum
}

// levelT tests a level's mean return m, over its n bars, against 0 under overlap: with D the membership, the
// series Σ_i D·(R − m) by bar has mean 0 and long-run variance S over its T bars, and
//
//	t = m·n/sqrt(T·S)
func (p *pairing) levelT(level int8, n int, m float64) float64 {
	x := p.pooled[:0]
	for k := range p.w.Hi - p.w.Lo {
		v, any := 0.0, false
		for i := range p.ahead {
			if r := p.ahead[i].returns[k]; p.levels.of[i][k] >= 0 && metrics.Defined(r) {
				any = true
				if p.levels.of[i][k] == level {
					v += r - m
				}
			}
		}
		if any {
			x = append(x, v)
		}
	}
	variance, _ := metrics.LongRunVariance(x, p.h.bars)
	return m * float64(n) / math.Sqrt(variance*float64(len(x)))
}

func (r *LevelRow) reason(key, why string) {
	if r.Reasons == nil {
		r.Reasons = map[string]string{}
	}
	r.Reasons[key] = why
}
