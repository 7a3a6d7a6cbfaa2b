package backtest

import (
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"slices"
	"strconv"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Evaluate judges the scores over each window and, as window "all", over the rows of whole, and the
// trials by what they earned. Where whole is the only window it has no rows beside those of "all".
//
// The last trial is that of the study: daily IC, variants and the stability of returns are its own. Columns are
// judged in parallel; every figure is summed in the order of its rows, so that the result does not depend on it.
func Evaluate(m *Market, scores Scores, s *study.Study, whole study.Span, windows []study.Span, trials []Trial) (*Evaluated, error) {
	j, err := newJudge(m, scores, s)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	ev := &Evaluated{}
	j.traded = trials[len(trials)-1].Signal
	runs := make([]*Run, len(trials))
	for k, t := range trials {
		runs[k] = t.All
	}
	if err := j.window(ev, All, whole, trials, runs); err != nil {
		return nil, err
	}
	if len(windows) > 1 {
		for i, w := range windows {
			for k, t := range trials {
				runs[k] = t.Runs[i]
			}
			if err := j.window(ev, strconv.Itoa(w.Index), w, trials, runs); err != nil {
				return nil, err
			}
		}
		ev.Stability = j.stability(ev)
	}
	return ev, nil
}

// judge holds what is common to all windows.
type judge struct {
	m        *Market
	scores   []*factors.Panel
	leveled  int    // index into scores of the first that is judged by its levels, too
	traded   string // signal of the study's own trial
	s        *study.Study
	price    [][]float64 // the execution price of each instrument
	horizons []study.Horizon
	primary  int // index into horizons
}

func newJudge(m *Market, scores Scores, s *study.Study) (*judge, error) {
	j := &judge{m: m, scores: slices.Concat(scores.Factors, scores.Levels), leveled: len(scores.Factors), s: s}
	var err error
	if j.price, err = j.prices(); err != nil {
		return nil, err
	}
	j.horizons, j.primary, err = s.Evaluation.HorizonsOn(m.Grid)
	return j, err
}

func (j *judge) prices() ([][]float64, error) {
	p := j.m.Panel(j.s.Execution.Price)
	if p == nil {
		return nil, fmt.Errorf("the market lacks the %s column", j.s.Execution.Price)
	}
	out := make([][]float64, len(j.m.Instruments))
	for i := range out {
		out[i] = p.Col(i)
	}
	return out, nil
}

// window adds the rows of one window; runs are the trials' in it.
func (j *judge) window(ev *Evaluated, name string, w study.Span, trials []Trial, runs []*Run) error {
	if w.Lo == w.Hi {
		ev.Hold = append(ev.Hold, nil)
		ev.Warnings = append(ev.Warnings, fmt.Errorf("window %s, %s to %s, has no bars and no figures", name, stamp(w.From), stamp(w.To)))
		return nil
	}
	v := j.view(name, w)
	results := make([]horizonRows, len(j.horizons))
	datasets.ForAll(len(results), func(k int) { results[k] = v.horizon(k) })
	j.collect(ev, name, results)
	for k, l := range v.levels {
		ev.Transitions = append(ev.Transitions, v.transitions(j.scores[j.leveled+k].Name, l)...)
	}
	hold, err := benchmark(j.m, w, j.s.Execution)
	if err != nil {
		return err
	}
	for k, t := range trials {
		ev.PnL = append(ev.PnL, pnlRow(j.m, t.Signal, name, runs[k], hold, j.s.Evaluation))
	}
	var equity []float64
	if hold != nil {
		equity = hold.Equity
	}
	ev.Hold = append(ev.Hold, equity)
	if name != All {
		return nil
	}
	ev.Memory = v.memoryRows()
	ev.Variants, err = variants(j.m, runs[len(runs)-1], hold, j.s)
	return err
}

// view prepares a window.
func (j *judge) view(name string, w study.Span) *view {
	v := &view{judge: j, w: w, name: name, days: j.m.days(w)}
	v.rank()
	return v
}

// collect orders the rows by signal, instrument and horizon, and adjusts p-values over the horizons.
func (j *judge) collect(ev *Evaluated, name string, results []horizonRows) {
	perHorizon := len(results[0].ic)
	for at := range perHorizon {
		rows := make([]ICRow, len(results))
		for k := range results {
			rows[k] = results[k].ic[at]
		}
		adjust(rows, j.primary)
		ev.IC = append(ev.IC, rows...)
	}
	for at := range results[0].levels {
		for k := range results {
			ev.Levels = append(ev.Levels, results[k].levels[at])
		}
	}
	if name != All {
		return
	}
	for at := range results[0].quantiles {
		for k := range results {
			ev.Spread = append(ev.Spread, results[k].quantiles[at]...)
			ev.Spreads = append(ev.Spreads, results[k].spreads[at])
		}
	}
	ev.Slices = append(ev.Slices, results[j.primary].slices...)
	ev.Daily = append(ev.Daily, results[j.primary].daily...)
}

// daySpan is the rows of one UTC day; none where nothing was recorded.
type daySpan struct {
	day    datasets.Day
	lo, hi int
}

// days cuts the window's rows into UTC days.
func (m *Market) days(w study.Span) []daySpan {
	var list []daySpan
	t := w.Lo
	for d := datasets.DayOf(w.From); d <= datasets.DayOf(w.To-1); d++ {
		lo, end := t, (d + 1).Start()
		for t < w.Hi && m.Close[t] <= end {
			t++
		}
		list = append(list, daySpan{d, lo, t})
	}
	return list
}

// barsOf is the number of bars that a day has when nothing is missing.
func (m *Market) barsOf(d daySpan) int {
	if m.Every > 0 {
		return int(24 * 3600 * 1e9 / m.Every.Nanoseconds())
	}
	return d.hi - d.lo
}

// Scores is what is judged, in report order.
type Scores struct {
	Factors []*factors.Panel // by their IC
	Levels  []*factors.Panel // and by their levels: the composite; where models are asked, their opinions and the two combined
}

// Trial is a score that was traded.
type Trial struct {
	Signal string // in reports
	All    *Run   // over the whole span
	Runs   []*Run // one per window
}
