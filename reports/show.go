package reports

import "github.com/qf-dev/qf/backtest/evaluate"

// showFigure is the k-th figure of a run for reading.
func showFigure(p *evaluate.PnLRow, figures []evaluate.PnLFigure, k int) string {
	f := figures[k].Show
	v := p.Of(figures[k].Key)
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
	case evaluate.AsPercentInterval:
		return shares(v, p.Of(figures[k+1].Key))
	case evaluate.AsInterval:
		return orAbsent(span(v, p.Of(figures[k+1].Key), f.Digits))
	}
	return plain(v, f.Digits)
}
