package opinions

import (
	"math"
	"testing"

	"github.com/qf-dev/qf/signals/llm"
)

var nan = math.NaN()

// Five bars, of which all but the first have an opinion:
//
//	F         0.4  0.6  −0.8  none  1.2
//	opinion   –    1    1     −0.5  −0.5
//	blend     –    0.7·0.6+0.3·1 = 0.72   −0.56+0.3 = −0.26   none   0.84−0.15 = 0.69
//	gate      –    0.6  0 (signs differ)  none  0
//	replace   –    1    1     −0.5  −0.5
func TestCombineByHand(t *testing.T) {
	f, opinion := []float64{0.4, 0.6, -0.8, nan, 1.2}, []float64{nan, 1, 1, -0.5, -0.5}
	for mode, want := range map[llm.Combine][]float64{
		llm.Blend:   {nan, 0.72, -0.26, nan, 0.69},
		llm.Gate:    {nan, 0.6, 0, nan, 0},
		llm.Replace: {nan, 1, 1, -0.5, -0.5},
	} {
		got := make([]float64, len(f))
		CombineColumns(got, mode, 0.3, f, opinion)
		for k, x := range got {
			if math.Abs(x-want[k]) > 1e-15 || math.IsNaN(x) != math.IsNaN(want[k]) {
				t.Errorf("%s at bar %d: %v, want %v", mode, k, x, want[k])
			}
		}
	}
}

func TestGateNeedsTheSameSign(t *testing.T) {
	for _, c := range []struct{ f, opinion, want float64 }{
		{0.7, 0.1, 0.7}, {-0.7, -0.1, -0.7}, {0.7, -2, 0}, {-0.7, 2, 0}, {0.7, 0, 0}, {0, 1, 0}, {0, 0, 0},
	} {
		if got := Combine(llm.Gate, 0, c.f, c.opinion); got != c.want {
			t.Errorf("gate of %v by %v is %v, want %v", c.f, c.opinion, got, c.want)
		}
	}
}
