package sweep

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Index facts of skfolio's WalkForward (its tests at commit c06db840), rolling windows of 12 periods: purged_size 1, test_size 4
// and train_size 1; the last test may be shorter.
func TestWalkVectors(t *testing.T) {
	got := walk(12, 1, 1, 4, 4)
	want := []split{{[2]int{0, 1}, [2]int{2, 6}}, {[2]int{4, 5}, [2]int{6, 10}}, {[2]int{8, 9}, [2]int{10, 12}}}
	if !slices.Equal(got, want) {
		t.Errorf("walk = %v, want %v", got, want)
	}
	// By hand: steps shorter than tests overlap.
	got = walk(8, 3, 0, 4, 2)
	want = []split{{[2]int{0, 3}, [2]int{3, 7}}, {[2]int{2, 5}, [2]int{5, 8}}, {[2]int{4, 7}, [2]int{7, 8}}}
	if !slices.Equal(got, want) {
		t.Errorf("walk = %v, want %v", got, want)
	}
	if got := walk(5, 3, 2, 1, 1); got != nil {
		t.Errorf("too few periods: %v", got)
	}
}

// walked walks trials of noise, of which one earns edge more a day than the others.
func walked(seed uint64, edge float64, change func(*study.Study)) (*WalkForward, [][]float64) {
	s := study.Default()
	day := func(n int) factors.Window { return factors.Window{Time: time.Duration(n) * 24 * time.Hour} }
	s.Sweep = &study.SweepConfig{Objective: "sharpe", WalkForward: &study.WalkForwardConfig{Train: day(60), Test: day(30), Step: day(30)}}
	s.Evaluation.Bootstrap = 500
	if change != nil {
		change(s)
	}
	var days []datasets.Day
	for d := range 270 {
		days = append(days, datasets.Day(19000+d))
	}
	r := rand.New(rand.NewPCG(seed, 3))
	var returns [][]float64
	var numbers []int
	for k := range 30 {
		x := make([]float64, len(days))
		for d := range x {
			x[d] = 0.01 * r.NormFloat64()
			if k == 7 {
				x[d] += edge
			}
		}
		returns, numbers = append(returns, x), append(numbers, k+1)
	}
	return walkForward(returns, days, numbers, 2, s), returns
}

// Out of sample a planted trial is found; of noise alone the interval holds 0 about as often as it says, in 90 to 99 of 100
// worlds (400 others: 380), though the chosen looked good in training.
func TestWalkForwardTellsSignalFromNoise(t *testing.T) {
	found, holds, good := 0, 0, 0
	for seed := range uint64(100) {
		if w, _ := walked(seed, 0.004, nil); w.Low > 0 && w.PSR > 0.95 {
			found++
		}
		w, _ := walked(seed, 0, nil)
		if w.Low < 0 && w.High > 0 {
			holds++
		}
		if w.InSample > 2 {
			good++
		}
	}
	if found < 90 || holds < 90 || holds > 99 || good < 90 {
		t.Errorf("of 100 worlds found %d signals; of noise %d intervals hold 0 and %d looked good in training", found, holds, good)
	}
}

// Nothing of a test's own days, or of those after training, decides which trial it is of.
func TestWalkForwardDoesNotLookAhead(t *testing.T) {
	w, returns := walked(1, 0, nil)
	if len(w.Windows) != 7 || len(w.Days) != 208 || w.Days[0] != 19062 {
		t.Fatalf("%d windows, %d days from %v; want 7 and 208 from 19062", len(w.Windows), len(w.Days), w.Days[0])
	}
	equity := 1.0
	for k, window := range w.Windows {
		if window.TestFrom-window.TrainTo != 2 || window.TrainTo-window.TrainFrom != 60 {
			t.Errorf("window %d: %+v", k, window)
		}
		best := 0
		from, to := int(window.TrainFrom)-19000, int(window.TrainTo)-19000
		for i := range returns {
			if objective(returns[i][from:to], "sharpe") > objective(returns[best][from:to], "sharpe") {
				best = i
			}
		}
		if best+1 != window.Trial {
			t.Errorf("window %d chose %d, want %d", k, window.Trial, best+1)
		}
		for d := window.TestFrom; d < window.TestTo; d++ {
			equity *= 1 + returns[best][d-19000]
		}
	}
	if math.Abs(equity-1-float64(w.Total)) > 1e-12 {
		t.Errorf("total return %v, want %v", w.Total, equity-1)
	}
	short, _ := walked(1, 0, func(s *study.Study) { s.Sweep.WalkForward.Train.Time *= 9 })
	if short.Reason == "" || short.Sharpe == short.Sharpe || len(short.Windows) != 0 {
		t.Errorf("too few days: %+v", short)
	}
}
