package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

const (
	noiseBars   = 2600
	correlation = 0.7
	momentum    = 14 * 24 // hourly bars
)

// correlated are n series of white noise with the given correlation between any two.
func correlated(r *rand.Rand, n, bars int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, bars)
	}
	for t := range bars {
		common := r.NormFloat64()
		for i := range out {
			out[i][t] = math.Sqrt(correlation)*common + math.Sqrt(1-correlation)*r.NormFloat64()
		}
	}
	return out
}

// noiseWorld is a market whose scores know nothing: an AR(1) of 0.97 and a moving sum as long as a 14-day
// momentum, both correlated between instruments as their returns are.
func noiseWorld(instruments int, seed uint64) *frame {
	r := rand.New(rand.NewPCG(seed, 9))
	g := &factors.Grid{Every: time.Hour, BarsPerYear: 365 * 24}
	for t := range noiseBars {
		g.Close = append(g.Close, int64(t+1)*time.Hour.Microseconds())
	}
	for i := range instruments {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "test", Symbol: fmt.Sprint("S", i)})
	}
	prices, short := correlated(r, instruments, noiseBars), correlated(r, instruments, noiseBars)
	innovations := correlated(r, instruments, noiseBars+momentum)
	long := make([][]float64, instruments)
	for i := range instruments {
		p := 100.0
		for t, x := range prices[i] {
			p *= math.Exp(0.005 * x)
			prices[i][t] = p
		}
		for t := 1; t < noiseBars; t++ {
			short[i][t] += 0.97 * short[i][t-1]
		}
		long[i] = make([]float64, noiseBars)
		sum := 0.0
		for t, x := range innovations[i] {
			sum += x
			if t >= momentum {
				sum -= innovations[i][t-momentum]
				long[i][t-momentum] = sum
			}
		}
	}
	return &frame{grid: g, open: prices, closes: prices, signals: []Signal{{Name: "ar"}, {Name: "momentum"}}, values: [][][]float64{short, long}}
}

// Of factors that know nothing the headline t calls about one in twenty significant at 5 %, whatever their
// memory, the overlap and the correlation between instruments.
func TestHeadlineOnNoise(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of simulations")
	}
	for _, c := range []struct{ instruments, runs int }{{1, 400}, {10, 150}} {
		rows := make([][]ICRow, c.runs)
		datasets.ForAll(c.runs, func(seed int) {
			f, s := noiseWorld(c.instruments, uint64(seed)), studyOf(1, 24, 72)
			s.Evaluation.RankIC, s.Evaluation.Persistence = false, false
			for _, row := range judged(t, f, s, "0", f.whole(), 0, 1).IC {
				if row.Instrument == Pooled {
					rows[seed] = append(rows[seed], row)
				}
			}
		})
		for at, row := range rows[0] {
			significant := 0
			for _, r := range rows {
				if r[at].P < 0.05 {
					significant++
				}
			}
			share := float64(significant) / float64(c.runs)
			what := fmt.Sprintf("%s, %d instruments, %d bars: %.1f %% of noise is significant at 5 %% by %s", row.Signal, c.instruments, row.Bars, 100*share, row.TMethod)
			t.Log(what)
			if row.TMethod == metrics.Insufficient || share < 0.03 || share > 0.10 {
				t.Errorf("%s, want 3 %% to 10 %%", what)
			}
		}
	}
}
