package sweep

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

// WalkForward is what choosing by the past would have earned: in each window the trial that is best on the training days is
// judged on the test days after them, which it has not seen. Test days in order are one record out of sample. A trial's returns
// are those of its run over the whole span: a change of trial between windows costs nothing.
type WalkForward struct {
	Objective string              `json:"objective"`
	Embargo   int                 `json:"embargo_days"` // between training and test
	Windows   []WalkForwardWindow `json:"windows"`

	Days    []datasets.Day    `json:"days"`
	Returns []evaluate.Figure `json:"returns"` // out of sample, by Days
	Equity  []evaluate.Figure `json:"equity"`  // from 1

	Total    evaluate.Figure `json:"total_return"`
	Sharpe   evaluate.Figure `json:"sharpe"` // per year, out of sample
	Low      evaluate.Figure `json:"sharpe_low"`
	High     evaluate.Figure `json:"sharpe_high"` // 95 % by stationary bootstrap
	PSR      evaluate.Figure `json:"psr"`
	InSample evaluate.Figure `json:"sharpe_in_sample"` // mean of the chosen ones' on their training days

	Reason string `json:"reason,omitempty"` // why there are no windows, or no figures of them
}

// WalkForwardWindow is one choice. Training days are [TrainFrom, TrainTo), test days [TestFrom, TestTo).
type WalkForwardWindow struct {
	TrainFrom datasets.Day    `json:"train_from"`
	TrainTo   datasets.Day    `json:"train_to"`
	TestFrom  datasets.Day    `json:"test_from"`
	TestTo    datasets.Day    `json:"test_to"`
	Trial     int             `json:"trial"` // the chosen
	Train     evaluate.Figure `json:"sharpe_train"`
	Test      evaluate.Figure `json:"sharpe_test"`
	Rank      int             `json:"rank_test"` // of the chosen among all by Sharpe ratio on the test days, 1 the best
}

// split is the places of training and test periods, both half-open.
type split struct{ train, test [2]int }

// walk lists the splits of n periods: tests step on, each after its training and a gap; the last test may be shorter.
func walk(n, train, gap, test, step int) (list []split) {
	for at := train + gap; at < n; at += step {
		list = append(list, split{[2]int{at - gap - train, at - gap}, [2]int{at, min(at+test, n)}})
	}
	return list
}

// embargo is the number of days between training and test: what the study says, else the primary horizon and the most that
// a trial's factors look back, so that no training label and no test factor know the other side.
func (r *Result) embargo() (int, error) {
	if text := r.Base.Sweep.WalkForward.Embargo; text != study.EmbargoAuto {
		e, err := factors.ParseWindow(text)
		return dayCount(e.Time), err
	}
	var longest time.Duration
	for _, t := range r.Trials {
		needs, err := t.Study.Needs()
		if err != nil {
			return 0, err
		}
		every := t.Study.Grid().Every
		horizon := t.Study.Evaluation.PrimaryHorizon
		longest = max(longest, time.Duration(needs.Warmup+horizon.Bars)*every+horizon.Time)
	}
	return dayCount(longest), nil
}

// dayCount is the days that a time takes up, part of a day for a whole one.
func dayCount(d time.Duration) int { return int((d + 24*time.Hour - 1) / (24 * time.Hour)) }

// WalkForward walks the section walk_forward of the sweep; nil where it has none.
func (r *Result) WalkForward() (*WalkForward, error) {
	if r.Base.Sweep.WalkForward == nil {
		return nil, nil
	}
	embargo, err := r.embargo()
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(slices.Clone(r.Outcomes), func(o *Outcome) bool { return o == nil })
	returns, places, days := r.common(list)
	numbers := make([]int, len(places))
	for k, at := range places {
		numbers[k] = list[at].Number
	}
	return walkForward(returns, days, numbers, embargo, r.Base), nil
}

func walkForward(returns [][]float64, days []datasets.Day, numbers []int, embargo int, s *study.Study) *WalkForward {
	null := evaluate.Figure(math.NaN())
	c := s.Sweep.WalkForward
	w := &WalkForward{
		Objective: s.Sweep.Objective, Embargo: embargo, Windows: []WalkForwardWindow{}, Days: []datasets.Day{}, Returns: []evaluate.Figure{}, Equity: []evaluate.Figure{},
		Total: null, Sharpe: null, Low: null, High: null, PSR: null, InSample: null,
	}
	train, test, step := dayCount(c.Train.Time), dayCount(c.Test.Time), dayCount(c.Step.Time)
	splits := walk(len(days), train, embargo, test, step)
	if len(splits) == 0 {
		w.Reason = fmt.Sprintf("all trials know %d days: training and embargo take %d + %d", len(days), train, embargo)
		return w
	}
	year := math.Sqrt(365)
	var record, chosen []float64
	for _, p := range splits {
		best, top := -1, math.Inf(-1)
		for k, x := range returns {
			if v := objective(x[p.train[0]:p.train[1]], s.Sweep.Objective); v > top {
				best, top = k, v
			}
		}
		if best < 0 { // nothing was traded in training: then nothing is traded in the test
			continue
		}
		on := func(k int) float64 { return metrics.Sharpe(returns[k][p.test[0]:p.test[1]], 0, 1) * year }
		window := WalkForwardWindow{
			TrainFrom: days[p.train[0]], TrainTo: days[p.train[1]-1] + 1, TestFrom: days[p.test[0]], TestTo: days[p.test[1]-1] + 1, Trial: numbers[best],
			Train: evaluate.Figure(metrics.Sharpe(returns[best][p.train[0]:p.train[1]], 0, 1) * year), Test: evaluate.Figure(on(best)), Rank: 1,
		}
		for k := range returns {
			if on(k) > on(best) {
				window.Rank++
			}
		}
		w.Windows = append(w.Windows, window)
		chosen = append(chosen, float64(window.Train))
		for d := p.test[0]; d < p.test[1]; d++ {
			if n := len(w.Days); n > 0 && days[d] <= w.Days[n-1] { // steps shorter than tests: the first window to test a day has it
				continue
			}
			w.Days = append(w.Days, days[d])
			record = append(record, returns[best][d])
		}
	}
	equity := 1.0
	for _, v := range record {
		equity *= 1 + v
		w.Returns, w.Equity = append(w.Returns, evaluate.Figure(v)), append(w.Equity, evaluate.Figure(equity))
	}
	if len(record) == 0 {
		w.Reason = "no trial traded in training"
		return w
	}
	w.Total, w.InSample = evaluate.Figure(equity-1), evaluate.Figure(metrics.Mean(chosen))
	i := metrics.InferSharpe(record)
	w.Sharpe, w.PSR = evaluate.Figure(i.Ratio*year), evaluate.Figure(i.Probabilistic(0))
	if w.Sharpe != w.Sharpe {
		w.Reason = "every day out of sample has the same return"
		return w
	}
	w.interval(record, s.Evaluation)
	return w
}

// minRecord is the number of days below which nothing is resampled.
const minRecord = 10

// interval resamples the record's days.
func (w *WalkForward) interval(record []float64, e study.EvaluationConfig) {
	block := metrics.BlockLength(record)
	if e.Bootstrap == 0 || len(record) < minRecord || block != block {
		w.Reason = "no interval: bootstrap is off, or there are fewer than 10 days out of sample"
		return
	}
	r := rand.NewPCG(e.Seed, 0)
	index, drawn, values := make([]int32, len(record)), make([]float64, len(record)), make([]float64, e.Bootstrap)
	for k := range values {
		metrics.Stationary(index, len(record), block, r)
		for i, at := range index {
			drawn[i] = record[at]
		}
		values[k] = metrics.Sharpe(drawn, 0, 365)
	}
	low, high := metrics.Interval(values, 0.95)
	w.Low, w.High = evaluate.Figure(low), evaluate.Figure(high)
}

// objective is what training chooses by: NaN where the returns do not vary.
func objective(x []float64, name string) float64 {
	if name == "total_return" && !metrics.Constant(x) {
		s := 0.0
		for _, v := range x {
			s += portable.Log1p(v)
		}
		return s
	}
	return metrics.Sharpe(x, 0, 1)
}
