package reports

// variantGrid has the whole span traded otherwise.
func variantGrid(d *Report) grid {
	g := grid{Caption: "The whole span traded otherwise", Head: []heading{
		{Text: "Variant"}, {Text: "Return", Numeric: true}, {Text: "Sharpe", Numeric: true}, {Text: "Drawdown", Numeric: true},
		{Text: "Price PnL", Numeric: true}, {Text: "Costs", Title: "fees, slippage and impact", Numeric: true},
		{Text: "Funding", Numeric: true}, {Text: "Fills", Numeric: true},
	}}
	names := map[string]string{"zero_cost": "without costs", "buy_and_hold": "buy and hold", "survivors": "on the members of the end"}
	for _, r := range d.Variants {
		name, ok := names[r.Variant]
		if !ok {
			name = r.Variant + " of " + count(float64(r.Delay)) + " bars"
			if r.Delay == 1 {
				name = r.Variant + " of 1 bar"
			}
		}
		costs := r.Fees + r.Slippage + r.Impact
		g.Rows = append(g.Rows, []entry{
			words(name),
			figure(r.TotalReturn, percent(r.TotalReturn, 2), r.Reasons["total_return"]),
			figure(r.Sharpe, signed(r.Sharpe, 2), r.Reasons["sharpe"]),
			figure(r.MaxDrawdown, percent(r.MaxDrawdown, 2), r.Reasons["max_drawdown"]),
			figure(r.PricePnL, signed(r.PricePnL, 0), r.Reasons["price_pnl"]),
			figure(costs, signed(-costs, 0), ""),
			figure(r.Funding, signed(r.Funding, 0), r.Reasons["funding"]),
			integer(r.Trades),
		})
	}
	return g
}

// stabilityGrid says how figures held over the windows.
func stabilityGrid(d *Report) grid {
	g := grid{Caption: "How the figures held over the windows", Head: []heading{
		{Text: "Figure"}, {Text: "Signal"}, {Text: "Windows", Numeric: true}, {Text: "Positive in", Numeric: true},
		{Text: "Worst", Numeric: true}, {Text: "In window", Numeric: true},
	}}
	for _, r := range d.Stability {
		name, worst := "IC, "+d.PrimaryHorizon+" ahead", signed(r.Worst, 4)
		if r.Figure == "total_return" {
			name, worst = "Return after costs", percent(r.Worst, 2)
		}
		g.Rows = append(g.Rows, []entry{
			words(name), words(signalName(r.Signal)), integer(r.Windows),
			figure(r.Positive, share(r.Positive, 0), r.Reasons["positive"]),
			figure(r.Worst, worst, r.Reasons["worst"]),
			{Text: r.WorstIn, Key: r.WorstIn, Numeric: true},
		})
	}
	return g
}
