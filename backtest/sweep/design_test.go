package sweep

import (
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
)

// The first points of scipy 1.10's qmc.Sobol(10, scramble=False).
func TestSobolAgainstScipy(t *testing.T) {
	s, err := newSobol(10)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range [][]float64{
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5},
		{0.75, 0.25, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75},
		{0.25, 0.75, 0.75, 0.75, 0.25, 0.25, 0.75, 0.25, 0.25, 0.25},
		{0.375, 0.375, 0.625, 0.875, 0.375, 0.125, 0.375, 0.875, 0.875, 0.625},
		{0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375, 0.375, 0.125},
	} {
		if got := s.next(); !slices.Equal(got, want) {
			t.Errorf("point %d: %v, want %v", k, got, want)
		}
	}
	if _, err := newSobol(11); err == nil {
		t.Error("a sequence of 11 settings")
	}
}

func settings(list ...study.SweepSetting) study.SweepSettings { return list }

func lines(points []Point) (out []string) {
	for _, p := range points {
		out = append(out, strings.Join(p, " "))
	}
	return out
}

func TestGrid(t *testing.T) {
	c := &study.SweepConfig{Method: "grid", Settings: settings(
		study.SweepSetting{Path: "a.long", Values: []string{"0.5", "1"}},
		study.SweepSetting{Path: "b.w", From: 1, To: 100, Steps: 3, Log: true},
	), Constraints: []string{"short = -long", "w < 50", "strong = 2*long"}}
	paths, points, err := Design(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a.long", "b.w", "a.short", "a.strong"}; !slices.Equal(paths, want) {
		t.Errorf("paths %v, want %v", paths, want)
	}
	if got, want := lines(points), []string{"0.5 1 -0.5 1", "0.5 10 -0.5 1", "1 1 -1 2", "1 10 -1 2"}; !slices.Equal(got, want) {
		t.Errorf("points %q, want %q", got, want)
	}
	for text, want := range map[string]string{
		"w > 200": "leave no combination", "nothing = 1": "whole path", "longer < 1": "did you mean long?", "w": "want a comparison", "w < x": "x is not among",
	} {
		c.Constraints = []string{text}
		if _, _, err := Design(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	c.Constraints = nil
	for range 6 {
		c.Settings = append(c.Settings, study.SweepSetting{Path: "more", From: 0, To: 1, Steps: 10})
	}
	if _, _, err := Design(c); err == nil || !strings.Contains(err.Error(), "more than 100000 combinations") {
		t.Errorf("a large grid: %v", err)
	}
}

// Lengths of time are compared as such.
func TestConstraintsOfWindows(t *testing.T) {
	c := &study.SweepConfig{Method: "grid", Settings: settings(
		study.SweepSetting{Path: "factors[fast].window", Values: []string{`"4h"`, `"1d"`}},
		study.SweepSetting{Path: "factors[slow].window", Values: []string{`"20h"`, `"2d"`}},
	), Constraints: []string{"factors[fast].window < factors[slow].window"}}
	_, points, err := Design(c)
	if got, want := lines(points), []string{`"4h" "20h"`, `"4h" "2d"`, `"1d" "2d"`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// Draws are the same for a seed, distinct, within their ranges, and as many as there can be.
func TestDraws(t *testing.T) {
	c := &study.SweepConfig{Method: "random", Trials: 200, Seed: 7, Settings: settings(
		study.SweepSetting{Path: "a.x", From: -1, To: 1}, study.SweepSetting{Path: "a.y", Values: []string{"1", "2", "3"}},
	), Constraints: []string{"x < 0.5"}}
	_, first, err := Design(c)
	if err != nil || len(first) != 200 {
		t.Fatalf("%d draws, %v", len(first), err)
	}
	_, again, _ := Design(c)
	if !slices.Equal(lines(first), lines(again)) {
		t.Error("the same seed draws other points")
	}
	if c.Seed = 8; true {
		if _, other, _ := Design(c); slices.Equal(lines(first), lines(other)) {
			t.Error("another seed draws the same points")
		}
	}
	c.Settings = settings(study.SweepSetting{Path: "a.y", Values: []string{"1", "2", "3"}})
	c.Constraints = nil
	for _, method := range []string{"random", "sobol"} {
		if c.Method = method; true {
			if _, few, err := Design(c); err != nil || len(few) != 3 {
				t.Errorf("%s of three values: %v, %v", method, few, err)
			}
		}
	}
}
