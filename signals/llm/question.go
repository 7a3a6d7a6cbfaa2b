package llm

import "github.com/qf-dev/qf/datasets"

// Question is one bar of one instrument, put to every model.
type Question struct {
	Instrument datasets.Instrument
	Row        int     // of the grid
	Time       int64   // the bar's label, Unix µs: nothing in the question is later
	Close      float64 // the bar's close; plain prompts may show it
	Summary    Summary
}

// Summary is what a prompt tells about the bar. Missing is NaN and becomes null.
type Summary struct {
	Momentum1W         float64 // log return
	Momentum1M         float64
	Volatility         float64 // annualized
	Regime             float64 // −1 low, 0 normal, 1 high
	LiquidityScore     float64
	FundingRate        float64
	OrderFlowImbalance float64
	Composite          float64
}
