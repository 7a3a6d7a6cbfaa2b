package backtest

// halfSpread is half the relative spread that a fill at bar t pays, (ask − bid)/(ask + bid), from the quote
// that stood when it happened: for a fill at the open the one at the close before. Without a quote, or
// where it is crossed, it is half_spread_bps.
func (s *asset) halfSpread(t int, e Execution) float64 {
	if s.atOpen {
		t--
	}
	if s.bid != nil && t >= 0 {
		if bid, ask := s.bid[t], s.ask[t]; priced(bid) && priced(ask) && ask >= bid {
			return (ask - bid) / (ask + bid)
		}
	}
	return e.HalfSpreadBps / 1e4
}
