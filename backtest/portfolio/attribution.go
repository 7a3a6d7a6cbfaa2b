package portfolio

// Attribution splits a change of equity into its causes, in quote currency:
//
//	Δequity = PricePnL − Fees − Slippage − Impact + Funding
//
// Funding is what holding a position cost or paid: funding of perpetuals, and the borrowing of short spot.
type Attribution struct{ PricePnL, Fees, Slippage, Impact, Funding float64 }

// Net is the change of equity.
func (a Attribution) Net() float64 { return a.PricePnL - a.Fees - a.Slippage - a.Impact + a.Funding }

// Add adds another change.
func (a *Attribution) Add(o Attribution) {
	a.PricePnL += o.PricePnL
	a.Fees += o.Fees
	a.Slippage += o.Slippage
	a.Impact += o.Impact
	a.Funding += o.Funding
}
