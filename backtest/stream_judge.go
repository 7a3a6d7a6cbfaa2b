package backtest

import (
	"context"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"maps"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// streamJudge is the second pass: what is gathered while the study is traded.
type streamJudge struct {
	st     *stream
	tests  [][]*icTest // by signal, the composite last, and horizon
	levels *levelCounts
	values *ScoreCounts
	run    *streamRun
	hold   *streamRun
	free   *streamRun // without costs; nil where run has none
	thin   thinner

	close []scratch // by signal
}

// scratch holds the pairs of a signal that has gaps.
type scratch struct {
	f, r   []float64
	of     []centred // by day of the chunk
	buffer []float64 // of its tests
}

func (st *stream) newJudge() (*streamJudge, error) {
	j := &streamJudge{st: st, levels: newLevelCounts(len(st.horizons)), values: &ScoreCounts{}, close: make([]scratch, len(st.fs)+1)}
	j.thin = thinner{rows: st.rows(), count: min(thinStretches, st.rows())}
	for _, means := range st.means {
		var tests []*icTest
		for h, m := range means {
			tests = append(tests, newICTest(st.horizons[h].Bars, m, st.days))
		}
		j.tests = append(j.tests, tests)
	}
	var err error
	e := st.s.Execution
	if j.run, err = st.newStreamRun(e, false, false, false); err != nil {
		return nil, err
	}
	if j.hold, err = st.newStreamRun(e, true, false, false); err != nil {
		return nil, err
	}
	if e.TakerBps > 0 || e.HalfSpreadBps > 0 {
		j.free, err = st.newStreamRun(e, false, true, false)
	}
	return j, err
}

// add takes the next chunk; each task has a state of its own.
func (j *streamJudge) add(c *sheet) error {
	signals := len(j.tests)
	tasks := []func(){
		func() { j.run.play(j.st, c) }, func() { j.hold.play(j.st, c) },
		func() { j.levels.add(c) }, func() { j.values.add(c.score) },
	}
	if j.free != nil {
		tasks = append(tasks, func() { j.free.play(j.st, c) })
	}
	err := datasets.ForEach(context.Background(), j.st.workers(), signals+len(tasks), func(_ context.Context, k int) error {
		if k < len(tasks) {
			tasks[k]()
			return nil
		}
		k -= len(tasks)
		x := c.score
		if k < signals-1 {
			x = c.columns[k]
		}
		j.signal(c, k, x)
		return nil
	})
	j.thin.add(j.st, c, j.run, j.hold)
	return err
}

// signal adds the pairs of one signal, closed up over gaps.
func (j *streamJudge) signal(c *sheet, k int, x []float64) {
	whole := k == len(j.st.fs) && metrics.Defined(metrics.Sum(x)) || k < len(j.st.fs) && j.st.whole[(c.lo-j.st.span.Lo)/j.st.length][k]
	j.close[k].of = slices.Grow(j.close[k].of[:0], len(c.days))[:len(c.days)]
	ofF := j.close[k].of
	clear(ofF)
	for h, t := range j.tests[k] {
		r := c.ahead[h]
		for at, d := range c.days {
			lo, hi := d.lo, min(d.hi, len(r))
			if lo >= hi {
				break
			}
			f, r := x[lo:hi], r[lo:hi]
			ofR := c.returned[h][at]
			if !whole {
				s := &j.close[k]
				s.f, s.r = s.f[:0], s.r[:0]
				for i, v := range f {
					if metrics.Defined(v) {
						s.f, s.r = append(s.f, v), append(s.r, r[i])
					}
				}
				f, r = s.f, s.r
				ofR = centre(r, t.of.r)
			}
			if !whole || ofF[at].n != len(f) {
				ofF[at] = centre(f, t.of.f)
			}
			t.add(d.day, f, r, ofF[at], ofR, &j.close[k].buffer)
		}
	}
}

// evaluated is what is said about the study.
func (j *streamJudge) evaluated() (*Evaluated, error) {
	st, ev := j.st, &Evaluated{}
	judge := &judge{m: &Market{Frame: &factors.Frame{Grid: st.grid}}, s: st.s, horizons: st.horizons, primary: st.primary, traded: study.Composite}
	results := make([]horizonRows, len(st.horizons))
	for h, horizon := range st.horizons {
		out := &results[h]
		for k, name := range st.names() {
			p := &pairing{view: &view{judge: judge, w: st.span, name: All, days: st.days}, h: horizon}
			own := p.row(name, st.tape.Instrument.String())
			j.tests[k][h].fill(&own, p)
			pooled := own
			pooled.Instrument, pooled.Reasons = Pooled, maps.Clone(own.Reasons)
			p.bootstrap(&pooled, p.sums)
			own.reason("pearson_low", "only pooled rows are resampled")
			own.reason("pearson_high", "only pooled rows are resampled")
			out.ic = append(out.ic, own, pooled)
			out.quantiles = append(out.quantiles, nil)
			out.spreads = append(out.spreads, SpreadRow{Signal: name, Horizon: horizon.Name, Spread: null, Monotonicity: null,
				Reasons: map[string]string{"spread": notStreamed, "monotonicity": notStreamed}})
			if k == len(st.fs) {
				out.daily = p.dailyRows(name)
			}
		}
		out.levels = j.levels.rows(study.Composite, horizon, h)
	}
	judge.collect(ev, All, results)
	ev.Transitions = (&view{judge: judge, name: All}).transitions(study.Composite, j.levels.leveled())
	for _, name := range st.names() {
		ev.Memory = append(ev.Memory, MemoryRow{Signal: name, Instrument: st.tape.Instrument.String(), Lag1: null, HalfLife: null, Time: null,
			Reasons: map[string]string{"autocorrelation": notStreamed, "half_life_bars": notStreamed, "integrated_bars": notStreamed}})
	}
	return ev, j.earned(ev)
}

// earned fills what the runs earned.
func (j *streamJudge) earned(ev *Evaluated) error {
	e := j.st.s.Evaluation
	own, err := j.run.close()
	if err != nil {
		return err
	}
	hold, err := j.hold.close()
	if err != nil {
		return fmt.Errorf("buy and hold: %w", err)
	}
	if hold.unknown > 0 {
		hold = nil
	}
	ev.PnL = []PnLRow{own.row(study.Composite, All, hold, e)}
	free := own
	if j.free != nil {
		if free, err = j.free.close(); err != nil {
			return err
		}
	}
	delay := j.st.s.Execution.Delay
	if slices.Contains(j.st.s.Evaluation.Delays, delay) {
		ev.Variants = append(ev.Variants, own.variant("delay", delay, e))
	}
	ev.Variants = append(ev.Variants, free.variant("zero_cost", delay, e))
	if hold != nil {
		ev.Variants = append(ev.Variants, hold.variant("buy_and_hold", delay, e))
	}
	return nil
}

// names lists the signals.
func (st *stream) names() []string {
	var names []string
	for _, f := range st.fs {
		names = append(names, f.Name)
	}
	return append(names, study.Composite)
}
