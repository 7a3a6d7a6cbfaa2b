package evaluate

import (
	"encoding/json"
	"math"
	"testing"
)

func TestFigureJSON(t *testing.T) {
	in := []Figure{0.1, -1e-7, 1e21, 25920, Figure(math.NaN()), Figure(math.Inf(1)), Figure(math.Inf(-1))}
	got, err := json.Marshal(in)
	if want := `[0.1,-1e-7,1e+21,25920,null,null,null]`; err != nil || string(got) != want {
		t.Fatalf("Marshal(%v) = %s, %v; want %s", in, got, err, want)
	}
	var back []Figure
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	for i, v := range back[:4] {
		if v != in[i] {
			t.Errorf("figure %d read back as %v, want %v", i, v, in[i])
		}
	}
	for i, v := range back[4:] {
		if !math.IsNaN(float64(v)) {
			t.Errorf("null %d read back as %v, want NaN", i, v)
		}
	}
}
