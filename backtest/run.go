package backtest

import "github.com/qf-dev/qf/factors"

// Run is one replay of a target over a window: flat start, initial capital, no closing trade.
type Run struct {
	Window  Window
	Capital float64 // initial equity, quote currency

	// By bar of the window, after everything that happened in it, marked at its close. Over a bar
	// that has no price the last mark stands.
	Equity []float64
	Bar    []Ledger

	Quantity [][]float64 // per instrument and bar, in units of amount, after the bar's fills
	Weight   [][]float64 // the same as signed fractions of equity at the bar's close
	Total    Ledger
	ByAsset  []Ledger // per instrument, summing to Total
	Fills    []Fill   // by time, then instrument

	Ruined   bool // equity reached zero; the run ends there and stays flat
	Residual float64
	// UnknownSettlements lists events over which a position was held and whose rate or mark the
	// data does not show; net PnL over them is not known.
	UnknownSettlements int
	Warnings           []error
}

// Ledger splits a change of equity into its causes, in quote currency:
//
//	Δequity = PricePnL − Fees − Slippage − Impact + Funding
type Ledger struct{ PricePnL, Fees, Slippage, Impact, Funding float64 }

// Fill is one execution.
type Fill struct {
	Row                   int     // grid row of the bar that filled
	Decided               int     // grid row of the bar whose close decided
	Instrument            int     // index into the grid's
	Quantity              float64 // signed, in units of amount
	Reference             float64 // the bar's execution price before costs
	Price                 float64 // the fill price: Reference moved against the trader by half the spread and impact
	Notional              float64 // of abs(Quantity) at Price, quote currency
	Held                  float64 // quantity after the fill
	Fee, Slippage, Impact float64
}

// Simulate trades target over the window. A target decided at the close of row t is filled at row
// t+Delay or at the first later one that trades; nothing is filled outside the window. The identity
// of Ledger is checked over bars and instruments; a residual above 1e-9 of equity is an error.
func Simulate(m *Market, target *factors.Panel, w Window, e Execution) (*Run, error) {
	panic("backtest: Simulate")
}
