package backtest

import (
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
)

// minCrossSection is the number of instruments below which a bar has no cross-sectional IC.
const minCrossSection = 5

// crossRow correlates the score with the forward return across the instruments at every bar where five or more
// have both. Its tested series is the bar's Pearson correlation; n counts bars.
func (p *pairing) crossRow(score *factors.Panel) ICRow {
	row := p.row(score.Name, CrossSection)
	n := len(p.m.Instruments)
	f, r, rf, rr := make([]float64, 0, n), make([]float64, 0, n), make([]float64, n), make([]float64, n)
	columns := make([][]float64, n)
	for i := range columns {
		columns[i] = p.column(score, i)
	}
	u, rows := p.pooled[:0], p.pooledRows[:0]
	var ranked []float64
	for k := range p.w.Hi - p.w.Lo {
		f, r = f[:0], r[:0]
		for i, x := range columns {
			if a, b := x[k], p.ahead[i].returns[k]; metrics.Defined(a) && metrics.Defined(b) {
				f, r = append(f, a), append(r, b)
			}
		}
		if len(f) < minCrossSection || metrics.Constant(f) || metrics.Constant(r) {
			continue
		}
		u, rows = append(u, metrics.Pearson(f, r)), append(rows, int32(k))
		rankFew(rf[:len(f)], f)
		rankFew(rr[:len(r)], r)
		ranked = append(ranked, metrics.Pearson(rf[:len(f)], rr[:len(r)]))
	}
	row.N = len(u)
	if len(u) == 0 {
		row.miss("no bar has five instruments with a signal and a return that vary")
		return row
	}
	row.Pearson, row.Spearman = Figure(metrics.Mean(u)), Figure(metrics.Mean(ranked))
	row.judge(metrics.Test(u, p.h.Bars, metrics.NonOverlappingMean(u, p.h.Bars)))
	row.judgeRanks(metrics.Test(ranked, p.h.Bars, metrics.NonOverlappingMean(ranked, p.h.Bars)))
	sums := p.byDay(u, rows)
	row.Daily = p.summarize(sums, &row)
	p.bootstrap(&row, sums)
	return row
}

// rankFew writes the average ranks of a handful of values by counting.
func rankFew(dst, x []float64) {
	for i, v := range x {
		below, equal := 0, 0
		for _, o := range x {
			if o < v {
				below++
			} else if o == v {
				equal++
			}
		}
		dst[i] = float64(below) + float64(equal+1)/2
	}
}
