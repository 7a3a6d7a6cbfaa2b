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
	Skew     column `json:"skew_pandas"`
	Kurt     column `json:"kurt_excess_pandas"`
	Adjusted column `json:"ewm_mean_span10_adjust_true"`
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
			{"Skew", Skew, c.Skew}, {"Kurt", Kurt, c.Kurt},
			{"FadingMean", span10, c.Adjusted},
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

// span10 is the exponentially weighted mean of the vectors' span.
func span10(dst, x []float64, _, _ int) { NewFadingMean(2./(10+1), len(x), 1).Next(dst, x) }

var sample = []float64{0.9283, -0.605, -0.5339, -1.0698, -0.6543, 0.4279, -0.1892, 0.3287, 0.3619, 1.3207, -0.3428, -1.4769, 1.0672, -0.3315, 1.1146, 0.3834, -0.1311, 0.3488, 1.951, 2.077, 0.0694}

func TestQuantileVector(t *testing.T) {
	// numpy 1.24.2, its default method.
	got := make([]float64, len(sample))
	for q, want := range map[float64]float64{0: -1.4769, 0.05: -1.0698, 0.25: -0.3428, 0.5: 0.3287, 0.9: 1.3207, 0.95: 1.951, 1: 2.077} {
		if Quantile(got, sample, len(sample), 0, q); !near(got[len(got)-1], want, 1e-14, 1) {
			t.Errorf("Quantile %v = %v, want %v", q, got[len(got)-1], want)
		}
	}
}

func TestShapeVector(t *testing.T) {
	// scipy 1.10.1: skew and kurtosis with bias=False.
	got := make([]float64, len(sample))
	if Skew(got, sample, len(sample), 0); !near(got[len(got)-1], 0.30451033067169186, 1e-13, 1) {
		t.Errorf("Skew = %v", got[len(got)-1])
	}
	if Kurt(got, sample, len(sample), 0); !near(got[len(got)-1], -0.2488867898522824, 1e-13, 1) {
		t.Errorf("Kurt = %v", got[len(got)-1])
	}
}
