package backtest

import (
	"fmt"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// division cuts the window's bars into slices; of is each row's, or −1.
type division struct {
	by    string
	names []string
	of    []int8
}

const (
	lowVolatility  = 0.2 // days at or below this quantile of realized volatility are low
	highVolatility = 0.8 // days above this one are high
)

// divide cuts the window's bars by volatility and by hour.
func (v *view) divide() []division { return []division{v.byVolatility(), v.byHour()} }

// byVolatility cuts UTC days at the 20th and 80th percentile (type 7) of their realized volatility, sqrt(Σ r²) of
// the closes, averaged over the instruments. It describes the past; nothing trades on it.
func (v *view) byVolatility() division {
	d := division{by: "volatility", names: []string{"low", "normal", "high"}, of: make([]int8, v.w.Hi-v.w.Lo)}
	realized := make([]float64, len(v.days))
	closes := v.m.Panel("close")
	for at, day := range v.days {
		var sum, n float64
		for i := range v.m.Instruments {
			ss, any := 0.0, false
			if closes != nil {
				x := closes.Col(i)
				for t := max(day.lo, v.w.Lo+1); t < day.hi; t++ {
					if r := math.Log(x[t] / x[t-1]); metrics.Defined(r) {
						ss += float64(r * r)
						any = true
					}
				}
			}
			if any {
				sum += math.Sqrt(ss)
				n++
			}
		}
		realized[at] = sum / n
	}
	known := closeUp(realized)
	low, high := metrics.Quantile(known, lowVolatility), metrics.Quantile(known, highVolatility)
	for at, day := range v.days {
		slice := int8(-1)
		switch x := realized[at]; {
		case x <= low:
			slice = 0
		case x > high:
			slice = 2
		case x > low:
			slice = 1
		}
		for t := day.lo; t < day.hi; t++ {
			d.of[t-v.w.Lo] = slice
		}
	}
	return d
}

// byHour cuts by the UTC hour that a bar ends in; one that ends on the hour covers the hour before.
func (v *view) byHour() division {
	d := division{by: "hour", of: make([]int8, v.w.Hi-v.w.Lo)}
	for h := range 24 {
		d.names = append(d.names, fmt.Sprintf("%02d", h))
	}
	for k := range d.of {
		d.of[k] = int8((v.m.Close[v.w.Lo+k] - 1) / microsPerHour % 24)
	}
	return d
}

// sliceRows are the means of the pooled tested series over the slices.
func (p *pairing) sliceRows(signal string, divisions []division) []SliceRow {
	var out []SliceRow
	for _, d := range divisions {
		sums, counts := make([]float64, len(d.names)), make([]int, len(d.names))
		for at, k := range p.pooledRows {
			if slice := d.of[k]; slice >= 0 {
				sums[slice] += p.pooled[at]
				counts[slice]++
			}
		}
		for slice, name := range d.names {
			row := SliceRow{Signal: signal, By: d.by, Slice: name, N: counts[slice], IC: Figure(sums[slice] / float64(counts[slice]))}
			if counts[slice] == 0 {
				row.Reasons = map[string]string{"ic": "no bar of it has a signal and a return"}
			}
			out = append(out, row)
		}
	}
	return out
}
