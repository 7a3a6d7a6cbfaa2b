package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// minVisits is the number of visits to a level below which its t is not reported.
const minVisits = 10

// leveled is a score as levels, over one window.
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
			at := int8(-1)
			if level := v.s.Signals.Thresholds.LevelOf(f); level != signals.NoLevel {
				at = int8(all[0] - level) // they descend by one
			}
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

// levelRows gives a score's five rows at this horizon, the instruments taken together.
func (p *pairing) levelRows(signal string, l leveled) []LevelRow {
	return l.rows(signal, p.name, p.h, p.outcomes(l))
}

func (l leveled) rows(signal, window string, h study.Horizon, outcomes []outcome) []LevelRow {
	all := signals.Levels()
	rows := make([]LevelRow, len(all))
	for at, level := range all {
		bars, visits := l.bars[at], l.visits[at]
		o := outcomes[at]
		row := LevelRow{
			Signal: signal, Window: window, Level: level.String(), Bars: bars, Horizon: h.Name,
			Share: Figure(float64(bars) / float64(l.scored)), MeanHolding: Figure(float64(bars) / float64(visits)),
			MeanReturn: Figure(o.mean), HitRate: Figure(float64(o.hits) / float64(o.n)), T: null,
			BreakEven: null,
		}
		switch {
		case level == signals.Neutral:
			row.reason("break_even_bps", "a neutral level takes no side")
		case o.n == 0:
			row.reason("break_even_bps", "no bar at this level has a forward return")
		case level < signals.Neutral:
			row.BreakEven = -row.MeanReturn / 2 / basisPoint
		default:
			row.BreakEven = row.MeanReturn / 2 / basisPoint
		}
		switch {
		case o.n == 0:
			for _, key := range []string{"mean_return", "hit_rate", "t"} {
				row.reason(key, "no bar at this level has a forward return")
			}
		case visits < minVisits:
			row.reason("t", "fewer than 10 visits")
		case o.n < 10*h.Bars:
			row.reason("t", "the bars at this level span fewer than 10 horizons")
		default:
			row.T = Figure(o.t)
		}
		if bars == 0 {
			row.reason("mean_holding_bars", "the score was never at this level")
		}
		if l.scored == 0 {
			row.reason("share", "no bar has a score")
		}
		rows[at] = row
	}
	return rows
}

// transitions are a score's level changes, from every level to every level.
func (v *view) transitions(signal string, l leveled) []TransitionRow {
	all := signals.Levels()
	var out []TransitionRow
	for from, next := range l.next {
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

// outcome sums the forward returns of a level's bars.
type outcome struct {
	n    int // bars that have one
	hits int // those that went the level's way
	sum  float64
	mean float64
	t    float64
}

// outcomes are the levels'.
func (p *pairing) outcomes(l leveled) []outcome {
	all := signals.Levels()
	out, up := make([]outcome, len(all)), make([]int, len(all))
	down := make([]int, len(all))
	for i, a := range p.ahead {
		of := l.of[i]
		for k, r := range a.returns {
			if at := of[k]; at >= 0 && metrics.Defined(r) {
				out[at].n++
				out[at].sum += r
				if r > 0 {
					up[at]++
				} else if r < 0 {
					down[at]++
				}
			}
		}
	}
	for at, level := range all {
		if out[at].hits = up[at]; level < signals.Neutral {
			out[at].hits = down[at]
		}
		out[at].mean = out[at].sum / float64(out[at].n)
	}
	p.levelTests(l, out)
	return out
}

// levelTests tests each level's mean return m, over its n bars, against 0 under overlap: with D the membership, the
// series x_t = Σ_i D·(R − m) by bar has mean 0 and long-run variance S over the T bars at which any instrument
// has both a level and a return, and
//
//	t = m·n/sqrt(T·S),  T·S = Σ_t x_t·(W_t + W'_t)
//
// with W_t the sum of the last h values of x up to t and W'_t that without x_t, as in metrics.HansenHodrick. The
// levels are summed side by side, so that all cost what one does.
func (p *pairing) levelTests(l leveled, outcomes []outcome) {
	members, bars := p.members(l, outcomes)
	within, sums := make([]float64, len(outcomes)), make([]float64, len(outcomes)) // W and T·S, per level
	old := 0
	for lo, hi := 0, 0; lo < len(members); lo = hi {
		bar := members[lo].bar
		for ; members[old].bar <= bar-int32(p.h.Bars); old++ {
			within[members[old].level] -= members[old].x
		}
		for hi = lo; hi < len(members) && members[hi].bar == bar; hi++ {
			sums[members[hi].level] += float64(members[hi].x * within[members[hi].level])
		}
		for _, m := range members[lo:hi] {
			within[m.level] += m.x
		}
		for _, m := range members[lo:hi] {
			sums[m.level] += float64(m.x * within[m.level])
		}
	}
	for at := range outcomes {
		o := &outcomes[at]
		if !(sums[at] > 0) && o.n > 0 {
			x := make([]float64, bars)
			for _, m := range members {
				if int(m.level) == at {
					x[m.bar] += m.x
				}
			}
			sums[at] = metrics.NeweyWest(x, 2*p.h.Bars) * float64(bars)
		}
		o.t = o.mean * float64(o.n) / math.Sqrt(sums[at])
	}
}

// member is what an instrument that has both a level and a forward return adds to the level's series.
type member struct {
	x     float64 // the return less the level's mean
	bar   int32   // counted over the bars that have a member
	level int8
}

// members lists them by bar.
func (p *pairing) members(l leveled, outcomes []outcome) (list []member, bars int) {
	list = p.memberships[:0]
	for k := range p.w.Hi - p.w.Lo {
		before := len(list)
		for i := range p.ahead {
			if at, r := l.of[i][k], p.ahead[i].returns[k]; at >= 0 && metrics.Defined(r) {
				list = append(list, member{r - outcomes[at].mean, int32(bars), at})
			}
		}
		if len(list) > before {
			bars++
		}
	}
	p.memberships = list
	return list, bars
}

func (r *LevelRow) reason(key, why string) {
	if r.Reasons == nil {
		r.Reasons = map[string]string{}
	}
	r.Reasons[key] = why
}
