package datasets

// Contract says what an instrument's amount means and how a position in it earns, so that notional
// and PnL are never guessed. The zero Contract is not valid.
type Contract struct {
	Spot    bool // the asset itself: no funding, no short position without borrowing
	Inverse bool // amounts are in quote currency and PnL accrues in the base coin
	// Multiplier turns one unit of amount into base coins (spot, linear) or into quote currency
	// (inverse). Positive.
	Multiplier float64
	// ContinuousFunding marks venues whose rate is per 8 hours and accrues at every instant
	// (Deribit) instead of settling at a funding_timestamp.
	ContinuousFunding bool
}

// Notional is the value in quote currency of amount units at price:
//
//	price · amount · Multiplier   (spot, linear)
//	        amount · Multiplier   (inverse)
func (c Contract) Notional(price, amount float64) float64 {
	if c.Inverse {
		return amount * c.Multiplier
	}
	return price * amount * c.Multiplier
}
