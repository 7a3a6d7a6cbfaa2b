package opinions

import (
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
)

// comparisonRows put what was evaluated with and without models side by side.
func (in *Input) comparisonRows() []ComparisonRow {
	alone := in.PnL(study.Composite)
	signals := append([]string{study.Composite}, Names(in.Opinions.Config.Models)...)
	var rows []ComparisonRow
	for _, signal := range append(signals, study.Combined) {
		run := signal
		if signal == study.Ensemble {
			run = study.Combined
		}
		p := in.PnL(run)
		row := ComparisonRow{
			Signal: signal, IC: null, T: null, TotalReturn: p.Of("total_return"), Added: p.Of("total_return") - alone.Of("total_return"),
			Sharpe: p.Of("sharpe"), MaxDrawdown: p.Of("max_drawdown"), Fees: p.Of("fees"), Trades: p.Of("trades"),
		}
		why := reasons{}
		why.null("added_return", &row.Added, unknownReturn(p, alone))
		for key, f := range map[string]*evaluate.Figure{
			"total_return": &row.TotalReturn, "sharpe": &row.Sharpe, "max_drawdown": &row.MaxDrawdown, "fees": &row.Fees, "trades": &row.Trades,
		} {
			why.null(key, f, p.Reasons[key])
		}
		for _, ic := range in.IC {
			if ic.Signal == signal && ic.Instrument == evaluate.Pooled && ic.Window == evaluate.All && ic.Horizon == in.Study.Evaluation.PrimaryHorizon.String() {
				row.IC, row.T = ic.Pearson, ic.T
				why.null("ic", &row.IC, ic.Reasons["pearson"])
				why.null("t", &row.T, ic.Reasons["t"])
			}
		}
		row.Reasons = why.given()
		rows = append(rows, row)
	}
	return rows
}

// unknownReturn is why the total return of the first run that lacks it is not known.
func unknownReturn(runs ...evaluate.PnLRow) string {
	for _, p := range runs {
		if why := p.Reasons["total_return"]; why != "" {
			return why
		}
	}
	return ""
}
