package factors

var funding = Kind{
	Name:    "funding",
	Formula: "funding rate shown at the close: the venue's current value for the next settlement",
	Units:   "per funding interval",
	Inputs:  []string{"funding_rate"},
	New: func(Params, *Grid) (Factor, error) {
		return Factor{
			Inputs:   []string{"funding_rate"},
			Lookback: 1,
			Start:    carried,
		}, nil
	},
}
