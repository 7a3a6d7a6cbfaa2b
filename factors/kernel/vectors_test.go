package kernel

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// vector is one case of testdata/rolling.json.
type vector struct {
	Name     string `json:"name"`
	Window   int    `json:"window"`
	X        column `json:"x"`
	Std      column `json:"std_exact_ddof1"`
	Mean     column `json:"mean"`
	Median   column `json:"median"`
	Min      column `json:"min"`
	Max      column `json:"max"`
	Quantile column `json:"quantile_0.9"`
}

// column is a series with null for missing.
type column []float64

func (c *column) UnmarshalJSON(b []byte) error {
	var v []*float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*c = make(column, len(v))
	for i, p := range v {
		if (*c)[i] = nan; p != nil {
			(*c)[i] = *p
		}
	}
	return nil
}

func vectors(t *testing.T) []vector {
	b, err := os.ReadFile("testdata/rolling.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func TestAgainstPandasVectors(t *testing.T) {
	const tol = 1e-12 // relative to the window's largest value
	for _, c := range vectors(t) {
		got := make([]float64, len(c.X))
		for _, k := range []struct {
			name string
			run  func(dst, x []float64, window, minPeriods int)
			want column
		}{
			{"Std", Std, c.Std}, {"Mean", Mean, c.Mean}, {"Median", Median, c.Median},
			{"Min", Min, c.Min}, {"Max", Max, c.Max}, {"Quantile 0.9", at(0.9), c.Quantile},
		} {
			k.run(got, c.X, c.Window, c.Window)
			for i, want := range k.want {
				scale := math.Abs(want)
				if k.name != "Std" {
					for _, v := range window(c.X, i, c.Window) {
						scale = math.Max(scale, math.Abs(v))
					}
				}
				if !near(got[i], want, tol, scale) {
					t.Errorf("%s of %s at %d = %v, want %v", k.name, c.Name, i, got[i], want)
				}
			}
		}
	}
}
