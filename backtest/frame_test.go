package backtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// A frame warns as a backtest does of what looks ahead, what is not yet warm, and which days are missing.
func TestFrameWarns(t *testing.T) {
	lake, s := simulatedLake(t, small, func(p datasets.Partition) bool { return p.Day.String() == "2024-01-04" }, "composite.normalize={method: full_sample}")
	f, err := NewFrame(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Rows(t.Context(), func(*FrameRows) error { return nil }); err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(f.Warnings)
	for _, want := range []string{"looks ahead", "are not in the lake"} {
		if !strings.Contains(said, want) {
			t.Errorf("no warning holds %q: %v", want, f.Warnings)
		}
	}
}
