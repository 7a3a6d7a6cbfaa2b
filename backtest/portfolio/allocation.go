package portfolio

import "time"

const (
	// shareWindow is the trailing time over which inverse-volatility allocation looks, and minShareBars the number of
	// returns that it needs.
	shareWindow  = 30 * 24 * time.Hour
	minShareBars = 20
)

// allocate sets each instrument's share of the capital at the close of row t. Equal allocation gives 1/N each, for good.
// Inverse-volatility allocation gives
//
//	(1/σ_i) / Σ_j 1/σ_j,
//
// σ_i the std of instrument i's bar returns over the trailing 30 days up to t; shares are set at the first bar of each
// UTC day and stand until the next, so that they do not trade at every bar. Until every instrument has 20 returns that
// vary, shares stay equal.
func (p *Portfolio) allocate(t int) {
	inverse := p.market.history.inverse[t]
	total := 0.0
	for _, x := range inverse {
		total += x
	}
	for i, x := range inverse {
		p.shares[i] = x / total
	}
}
