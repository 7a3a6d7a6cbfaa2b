package factors

var depthImbalance = Kind{
	Name:    "depth_imbalance",
	Formula: "(bid − ask)/(bid + ask) of the notional depth at the close; missing where both are 0",
	Units:   "1, in [−1, 1]",
	Inputs:  depth.Inputs,
	Params:  []Param{levels},
	Needs:   sides,
	New:     func(p Params, _ *Grid) (Factor, error) { return bookSides(p, imbalance) },
}
