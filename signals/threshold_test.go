package signals

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

var standard = Threshold{DefaultCuts, DefaultWeights}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		f      float64
		level  Level
		name   string
		target float64
	}{
		{math.Inf(1), StrongLong, "strong_long", 1},
		{math.Nextafter(1, 2), StrongLong, "strong_long", 1},
		{1, Long, "long", 0.5}, // a boundary belongs to the level nearer neutral
		{math.Nextafter(0.5, 1), Long, "long", 0.5},
		{0.5, Neutral, "neutral", 0},
		{0, Neutral, "neutral", 0},
		{-0.5, Neutral, "neutral", 0},
		{math.Nextafter(-0.5, -1), Short, "short", -0.5},
		{-1, Short, "short", -0.5},
		{math.Nextafter(-1, -2), StrongShort, "strong_short", -1},
		{math.NaN(), NoLevel, "missing", 0},
	} {
		l := standard.LevelOf(c.f)
		if l != c.level || l.String() != c.name {
			t.Errorf("LevelOf(%v) = %v, want %v", c.f, l, c.name)
		}
		target, err := Targets(t.Context(), standard, score(c.f), nil)
		if err != nil {
			t.Fatal(err)
		}
		if target.Name != "target" || target.Col(0)[0] != c.target {
			t.Errorf("the target of %v is %v, want %v", c.f, target.Col(0)[0], c.target)
		}
	}
}

func score(f ...float64) *factors.Panel {
	g := &factors.Grid{Close: make([]int64, len(f)), Instruments: []datasets.Instrument{{Exchange: "binance", Symbol: "A"}}}
	for t := range f {
		g.Close[t] = int64(t+1) * 60e6
	}
	return factors.NewPanel("composite", g, f)
}

func TestThresholdValidate(t *testing.T) {
	r := Threshold{Cuts{StrongLong: 1, Long: 0.5, Short: 0.6, StrongShort: -1}, Weights{StrongLong: 1.5, Short: math.NaN()}}
	want := "thresholds: want strong_short < short < long < strong_long, have -1, 0.6, 0.5, 1\n" +
		"weights: strong_long is 1.5, want −1 to 1\nweights: short is NaN, want −1 to 1"
	if err := r.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := Targets(t.Context(), r, score(1), nil); err == nil {
		t.Error("Targets took cuts that are out of order")
	}
	if err := standard.Validate(); err != nil {
		t.Error(err)
	}
}

func TestTargetsStop(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := Targets(ctx, standard, score(1), nil); !errors.Is(err, stop) {
		t.Errorf("%v, want the cause of the context", err)
	}
}
