package reports

import "github.com/qf-dev/qf/backtest/evaluate"

// showFigure is the k-th figure of a run for reading.
func showFigure(p *evaluate.PnLRow, figures []evaluate.PnLFigure, k int) string {
	next := nan
	if k+1 < len(figures) {
		next = p.Of(figures[k+1].Key)
	}
	return shown(figures[k].Show, p.Of(figures[k].Key), next)
}

// shown is a figure for reading; next is the one after it, which an interval ends with.
func shown(f evaluate.Show, v, next evaluate.Figure) string {
	switch f.As {
	case evaluate.AsPercent:
		return percent(v, f.Digits)
	case evaluate.AsShare:
		return share(v, f.Digits)
	case evaluate.AsSigned:
		return signed(v, f.Digits)
	case evaluate.AsCost:
		return signed(-v, f.Digits)
	case evaluate.AsCount:
		return count(float64(v))
	case evaluate.AsMultiple:
		return multiple(v)
	case evaluate.AsProbability:
		return pValue(v)
	case evaluate.AsPercentInterval:
		return shares(v, next)
	case evaluate.AsInterval:
		return orAbsent(span(v, next, f.Digits))
	}
	return plain(v, f.Digits)
}
