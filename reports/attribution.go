package reports

import (
	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
)

// InstrumentPnL is one instrument's part of the run over the whole span, in quote currency.
type InstrumentPnL struct {
	Instrument string            `json:"instrument"`
	PricePnL   evaluate.Figure   `json:"price_pnl"`
	Fees       evaluate.Figure   `json:"fees"`
	Slippage   evaluate.Figure   `json:"slippage"`
	Impact     evaluate.Figure   `json:"impact"`
	Funding    evaluate.Figure   `json:"funding"`
	Net        evaluate.Figure   `json:"net"`
	Unfunded   evaluate.Figure   `json:"pnl_without_funding"`
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// byInstrument splits the run over the whole span. Funding and net of an instrument whose funding is not known are null.
func byInstrument(r *backtest.Result) []InstrumentPnL {
	out := []InstrumentPnL{}
	a := r.Runs[0].Account
	for i, in := range r.Grid.Instruments {
		c := a.ByInstrument[i]
		p := InstrumentPnL{
			Instrument: in.String(),
			PricePnL:   evaluate.Figure(c.PricePnL), Fees: evaluate.Figure(c.Fees),
			Slippage: evaluate.Figure(c.Slippage), Impact: evaluate.Figure(c.Impact),
			Funding: evaluate.Figure(c.Funding), Net: evaluate.Figure(c.Net()),
			Unfunded: evaluate.Figure(c.PricePnL - c.Fees - c.Slippage - c.Impact),
		}
		if len(a.UnknownOf) > 0 && a.UnknownOf[i] != nil {
			why := newUnknown(r, evaluate.All, a.UnknownOf[i]).words()
			p.Funding, p.Net, p.Reasons = nan, nan, map[string]string{"funding": why, "net": why}
		}
		out = append(out, p)
	}
	return out
}
