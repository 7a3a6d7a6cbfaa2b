package bars

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The definition, instant by instant.
func TestSettledAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := &Series{Spec: Spec{Kind: TickBars}}
		begin := int64(0)
		if rapid.Bool().Draw(t, "time bars") {
			x.Spec = Spec{Every: 4 * time.Microsecond}
		}
		var labels []int64
		for at := begin; len(labels) < 10; {
			step := int64(4)
			if x.Spec.Every == 0 {
				step = rapid.Int64Range(0, 5).Draw(t, "step")
			}
			at += step
			labels = append(labels, at)
		}
		known := map[int64]float64{}
		gap := map[int64]bool{}
		for at := int64(0); at < 60; {
			at += rapid.Int64Range(0, 9).Draw(t, "pause")
			if rapid.Bool().Draw(t, "gap") {
				g := FundingGap{From: at - 1, To: at + rapid.Int64Range(0, 8).Draw(t, "length")}
				x.FundingGaps = append(x.FundingGaps, g)
				for i := at; i <= g.To; i++ {
					gap[i] = true
				}
				at = g.To + 1
				continue
			}
			x.Settlements = append(x.Settlements, Settlement{Time: at, Rate: float64(at + 1)})
			known[at] = float64(at + 1)
			at++
		}
		want := make([]float64, len(labels))
		for k, label := range labels {
			from := label - x.Spec.Every.Microseconds()
			if x.Spec.Every == 0 {
				if from = -100; k > 0 {
					from = labels[k-1]
				}
			}
			for i := from; i < label; i++ {
				want[k] += known[i]
				if gap[i] {
					want[k] = math.NaN()
				}
			}
		}
		if got := x.Settled(labels, filled(len(labels))); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("labels %v, settlements %v, gaps %v:\n got %v\nwant %v", labels, x.Settlements, x.FundingGaps, got, want)
		}
	})
}
