package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/signals"
)

const (
	levelCount = 5
	noLevel    = levelCount // place of a missing score, after those of signals.Levels()
	minVisits  = 10         // visits to a level below which its t is not reported
)

// leveling is a signal as levels: of each instrument the level at each row of the chunk, and how often levels came and went.
type leveling struct {
	signal int // index into Setup.Signals
	of     [][]int8
	last   []int8
	next   [levelCount + 1][levelCount + 1]int // how often each came after each, over all instruments
	bars   [levelCount + 1]int
	tests  []*levelTest // by horizon; nil where it is longer than the window
}

func newLeveling(signal, instruments int) *leveling {
	l := &leveling{signal: signal, of: make([][]int8, instruments), last: make([]int8, instruments)}
	for i := range l.last {
		l.last[i] = noLevel
	}
	return l
}

// take finds the levels of instrument i's next rows. They descend, by one, along signals.Levels().
func (l *leveling) take(i int, x []float64, cuts signals.Cuts) {
	l.of[i] = levelsOf(&l.of[i], x, cuts)
}

func levelsOf(buffer *[]int8, x []float64, cuts signals.Cuts) []int8 {
	of := resize(buffer, len(x))
	for k, f := range x {
		switch { // as signals.Cuts.LevelOf
		case f > cuts.StrongLong:
			of[k] = 0
		case f > cuts.Long:
			of[k] = 1
		case f < cuts.StrongShort:
			of[k] = 4
		case f < cuts.Short:
			of[k] = 3
		case math.IsNaN(f):
			of[k] = noLevel
		default:
			of[k] = 2
		}
	}
	return of
}

// count counts the levels of the next rows, by instrument.
func (l *leveling) count(levels [][]int8) {
	for i, of := range levels {
		last := l.last[i]
		for _, at := range of {
			l.next[last][at]++
			l.bars[at]++
			last = at
		}
		l.last[i] = last
	}
}

// levelTest gathers the forward returns of one signal's levels at one horizon, and what tests each level's mean return m, over
// its n bars, against 0 under overlap: with D the membership, the series x_t = Σ_i D·(R − m) by bar has mean 0 and long-run
// variance S over the T bars at which any instrument has both a level and a return, and
//
//	t = m·n/sqrt(T·S),  T·S = Σ_t x_t·(W_t + W'_t)
//
// with W_t the sum of the last h values of x up to t and W'_t that without x_t, as in metrics.HansenHodrick. x is linear in
// m, so that sums of a_t = Σ_i D·R and c_t = Σ_i D and of their windows do for all of them, before m is known. Returns
// are counted from a centre.
type levelTest struct {
	h        int
	centre   float64
	known    bool
	n        [levelCount]int
	up, down [levelCount]int
	sum      [levelCount]float64    // Σ (R − centre)
	squares  [levelCount][3]float64 // Σ a², a·c, c²
	windows  [levelCount][3]float64 // Σ a·Wa, a·Wc + c·Wa, c·Wc
	wa, wc   [levelCount]float64
	bars     int
	members  []member // of the last h bars
	place    int      // of the next, and
	one      bool     // the members are of one instrument
}

// member is what a level had at a bar.
type member struct {
	bar   int32
	level int8
	a, c  float64
}

// add takes the levels and the forward returns of the next rows, by instrument.
func (t *levelTest) add(levels [][]int8, returns [][]float64) {
	rows := len(levels[0])
	old := 0
	for k := range rows {
		any := false
		var a, c [levelCount]float64
		for i, of := range levels {
			at, r := of[k], returns[i][k]
			if at == noLevel || !metrics.Defined(r) {
				continue
			}
			if !t.known {
				t.centre, t.known = r, true
			}
			any = true
			t.n[at]++
			if r > 0 {
				t.up[at]++
			} else if r < 0 {
				t.down[at]++
			}
			a[at] += r - t.centre
			c[at]++
		}
		if !any {
			continue
		}
		bar := int32(t.bars)
		t.bars++
		for ; old < len(t.members) && t.members[old].bar <= bar-int32(t.h); old++ {
			m := &t.members[old]
			t.wa[m.level] -= m.a
			t.wc[m.level] -= m.c
		}
		for at := range int8(levelCount) {
			x, y := a[at], c[at]
			if y == 0 {
				continue
			}
			t.members = append(t.members, member{bar, at, x, y})
			t.sum[at] += x
			t.wa[at] += x
			t.wc[at] += y
			q, w := &t.squares[at], &t.windows[at]
			q[0] += float64(x * x)
			q[1] += float64(x * y)
			q[2] += float64(y * y)
			w[0] += float64(x * t.wa[at])
			w[1] += float64(x*t.wc[at]) + float64(y*t.wa[at])
			w[2] += float64(y * t.wc[at])
		}
	}
	t.members = append(t.members[:0], t.members[old:]...)
}

// addOne is add for one instrument, whose bars have a member each.
func (t *levelTest) addOne(of []int8, r []float64) {
	if t.one = true; t.members == nil {
		t.members = make([]member, t.h)
	}
	for k, at := range of {
		x := r[k]
		if at == noLevel || !metrics.Defined(x) {
			continue
		}
		if !t.known {
			t.centre, t.known = x, true
		}
		t.n[at]++
		if x > 0 {
			t.up[at]++
		} else if x < 0 {
			t.down[at]++
		}
		x -= t.centre
		q, w := &t.squares[at], &t.windows[at]
		t.sum[at] += x
		q[0] += float64(x * x)
		if t.h == 1 {
			continue
		}
		old := &t.members[t.place]
		if t.bars >= t.h {
			t.wa[old.level] -= old.a
			t.wc[old.level]--
		}
		old.level, old.a = at, x
		if t.place++; t.place == t.h {
			t.place = 0
		}
		t.bars++
		a, c := t.wa[at]+x, t.wc[at]+1
		t.wa[at], t.wc[at] = a, c
		w[0] += float64(x * a)
		w[1] += float64(x*c) + a
		w[2] += c
	}
}

// settle fills what addOne leaves out, since every bar has one member.
func (t *levelTest) settle(at int) {
	q, n := &t.squares[at], float64(t.n[at])
	q[1], q[2] = t.sum[at], n
	if t.h == 1 {
		t.windows[at] = [3]float64{q[0], 2 * q[1], q[2]}
	}
}

// outcome is what a level was followed by.
type outcome struct {
	n, hits int
	mean, t float64
	why     string // t is missing
}

// outcomes are the levels'; fallback gives T·S of Newey and West, with lag 2h, of a level's x, given m, or NaN and why.
func (t *levelTest) outcomes(fallback func(level int, mean float64) (float64, string)) [levelCount]outcome {
	var out [levelCount]outcome
	for at, level := range signals.Levels() {
		o := &out[at]
		o.n, o.hits = t.n[at], t.up[at]
		if level < signals.Neutral {
			o.hits = t.down[at]
		}
		n := float64(o.n)
		m := t.sum[at] / n
		o.mean = t.centre + m
		if t.one {
			t.settle(at)
		}
		q, w := t.squares[at], t.windows[at]
		squares := q[0] - float64(2*m*q[1]) + float64(float64(m*m)*q[2])
		windows := w[0] - float64(m*w[1]) + float64(float64(m*m)*w[2])
		s := 2*windows - squares
		if o.n > 0 && !(s > constantShare*q[0]) {
			s, o.why = fallback(at, o.mean)
		}
		o.t = o.mean * n / math.Sqrt(s)
	}
	return out
}

// rows gives the signal's five rows at a horizon, the instruments taken together.
func (l *leveling) rows(signal, window string, h study.Horizon, outcomes [levelCount]outcome) []LevelRow {
	all := signals.Levels()
	scored := 0
	for _, n := range l.bars[:levelCount] {
		scored += n
	}
	rows := make([]LevelRow, len(all))
	for at, level := range all {
		bars, visits := l.bars[at], l.bars[at]-l.next[at][at] // runs of the level: a missing score ends one
		o := outcomes[at]
		row := LevelRow{
			Signal: signal, Window: window, Level: level.String(), Bars: bars, Horizon: h.Name,
			Share: Figure(float64(bars) / float64(scored)), MeanHolding: Figure(float64(bars) / float64(visits)),
			MeanReturn: null, HitRate: null, T: null, BreakEven: null,
		}
		if o.n > 0 {
			row.MeanReturn, row.HitRate = Figure(o.mean), Figure(float64(o.hits)/float64(o.n))
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
		case math.IsNaN(o.t) || math.IsInf(o.t, 0):
			row.reason("t", o.why)
		default:
			row.T = Figure(o.t)
		}
		if bars == 0 {
			row.reason("mean_holding_bars", "the score was never at this level")
		}
		if scored == 0 {
			row.reason("share", "no bar has a score")
		}
		rows[at] = row
	}
	return rows
}

// transitions are a signal's level changes, from every level to every level.
func (l *leveling) transitions(signal, window string) []TransitionRow {
	all := signals.Levels()
	var out []TransitionRow
	for from := range all {
		total := 0
		for _, n := range l.next[from][:levelCount] {
			total += n
		}
		for to, n := range l.next[from][:levelCount] {
			row := TransitionRow{Signal: signal, Window: window, From: all[from].String(), To: all[to].String(), Bars: n, Share: null}
			if total == 0 {
				row.Reasons = map[string]string{"share": "no bar at this level has a next one"}
			} else {
				row.Share = Figure(float64(n) / float64(total))
			}
			out = append(out, row)
		}
	}
	return out
}

func (r *LevelRow) reason(key, why string) { say(&r.Reasons, key, why) }
