package backtest

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// minVisits is the number of visits to a level below which its t is not reported.
const minVisits = 10

// levelStats is how one level behaved, over all instruments.
type levelStats struct {
	bars, visits int // bars at the level and runs of them; a null score ends a run
	n, hits      int // bars with a forward return, and those that went the level's way
	sum          float64
}

// levels gives the composite's five rows at this horizon. The instruments are taken together. t is that of the
// level's mean return m against 0 under overlap: with D the membership, the series Σ_i D·(R − m) per bar has
// mean 0 and long-run variance S over its n bars, and t = m·ΣD/sqrt(n·S).
func (p *pairing) levels(score *factors.Panel) []LevelRow {
	cuts, bars := p.s.Signals.Thresholds, p.w.Hi-p.w.Lo
	all := signals.Levels()
	stats := make(map[signals.Level]*levelStats, len(all))
	for _, l := range all {
		stats[l] = &levelStats{}
	}
	levels := make([][]signals.Level, len(p.m.Instruments))
	scored := 0
	for i := range levels {
		levels[i] = make([]signals.Level, bars)
		last := signals.NoLevel
		for k, f := range p.column(score, i) {
			l := cuts.LevelOf(f)
			levels[i][k] = l
			if l != signals.NoLevel {
				s := stats[l]
				scored++
				s.bars++
				if l != last {
					s.visits++
				}
				if r := p.returns[i][k]; metrics.Defined(r) {
					s.n++
					s.sum += r
					if l < signals.Neutral && r < 0 || l >= signals.Neutral && r > 0 {
						s.hits++
					}
				}
			}
			last = l
		}
	}
	rows := make([]LevelRow, 0, len(all))
	for _, l := range all {
		s := stats[l]
		row := LevelRow{
			Signal: score.Name, Window: p.name, Level: l.String(), Bars: s.bars, Horizon: p.h.name,
			Share: Figure(float64(s.bars) / float64(scored)), MeanHolding: Figure(float64(s.bars) / float64(s.visits)),
			MeanReturn: Figure(s.sum / float64(s.n)), HitRate: Figure(float64(s.hits) / float64(s.n)), T: null,
		}
		switch {
		case scored == 0:
			row.reason("share", "no bar has a score")
			row.reason("mean_return", "no bar has a score")
		case s.n == 0:
			row.reason("mean_return", "no bar at this level has a forward return")
		case s.visits < minVisits:
			row.reason("t", "fewer than 10 visits")
		case s.n < 10*p.h.bars:
			row.reason("t", "the bars at this level span fewer than 10 horizons")
		default:
			row.T = Figure(p.levelT(levels, l, s))
		}
		rows = append(rows, row)
	}
	return rows
}

// levelT is levels' t.
func (p *pairing) levelT(levels [][]signals.Level, l signals.Level, s *levelStats) float64 {
	mean, x := s.sum/float64(s.n), p.pooled[:0]
	for k := range p.w.Hi - p.w.Lo {
		v, any := 0.0, false
		for i := range levels {
			if r := p.returns[i][k]; metrics.Defined(r) && levels[i][k] != signals.NoLevel {
				any = true
				if levels[i][k] == l {
					v += r - mean
				}
			}
		}
		if any {
			x = append(x, v)
		}
	}
	variance, _ := metrics.LongRunVariance(x, p.h.bars)
	return mean * float64(s.n) / math.Sqrt(variance*float64(len(x)))
}

func (r *LevelRow) reason(key, why string) {
	if r.Reasons == nil {
		r.Reasons = map[string]string{}
	}
	r.Reasons[key] = why
}
