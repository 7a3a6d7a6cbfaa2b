package reports

import (
	"math"
	"testing"

	"github.com/qf-dev/qf/backtest"
)

// The bins of a streamed score count every value once, in equal widths, where the whole's bins do.
func TestGatherCountsEveryValue(t *testing.T) {
	c := backtest.ScoreCounts{Missing: 7, Below: 1, Above: 2, Cells: make([]int, 1<<14)}
	width := 2.0 * backtest.ScoreLimit / float64(len(c.Cells))
	var values []float64
	for k := range 5000 {
		v := math.Round(1000*math.Sin(float64(k)))/1000 + width/4 // never on the edge of a cell
		values = append(values, v)
		c.Cells[int((v+backtest.ScoreLimit)/width)]++
	}
	c.N, c.Least, c.Most = len(values)+3, -20, 30
	d := gather(c, Distribution{})
	in, lo, hi := 0, float64(d.Lo), float64(d.Hi)
	for at, n := range d.Counts {
		from := lo + float64(at)*(hi-lo)/float64(len(d.Counts))
		want := 0
		for _, v := range values {
			if v >= from && v < from+(hi-lo)/float64(len(d.Counts)) {
				want++
			}
		}
		if n != want {
			t.Errorf("bin %d from %v has %d values, want %d", at, from, n, want)
		}
		in += n
	}
	if in+d.Below+d.Above != d.N || d.Missing != 7 || len(d.Counts) > distributionBins {
		t.Errorf("%d in %d bins, %d below, %d above of %d, %d missing", in, len(d.Counts), d.Below, d.Above, d.N, d.Missing)
	}
	if empty := gather(backtest.ScoreCounts{Missing: 3}, Distribution{Counts: []int{}}); empty.Missing != 3 || len(empty.Counts) != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}
