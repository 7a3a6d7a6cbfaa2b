package factors

// Catalogue lists every kind of factor: the list that `qf factors` prints, that studies are checked
// against and that the documentation is made of. A new factor is one file with one Kind, and a line
// here.
var Catalogue = []Kind{
	momentum,
	momentumAcceleration,
	volatility,
	volatilityPercentile,
	volRegime,
	parkinson,
	garmanKlass,
	rogersSatchell,
	ewmVolatility,
	amihud,
	liquidityScore,
	spread,
	rollSpread,
	depth,
	depthImbalance,
	ofi,
	bookOFI,
	kyleLambda,
	vpin,
	funding,
	fundingMean,
	basis,
	openInterestChange,
	liquidationImbalance,
	skewness,
	kurtosis,
	autocorrelation,
	momentumZ,
	trend,
}

// Kind is one entry of the catalogue: everything that the list of factors, the validation of a
// study and the documentation say about a factor comes from here.
type Kind struct {
	Name    string   // snake case: "volatility"
	Formula string   // one line, as `qf factors` prints it
	Units   string   // "1" for a pure number, "1/√year", "quote" …
	Source  string   // paper or vendor page; empty for what needs none
	Inputs  []string // market fields that the factor is computed from, see Fields
	Params  []Param
	// Needs gives the market fields for some parameters, where they differ from Inputs; else nil.
	Needs func(p Params) ([]string, error)
	// New makes the factor for one grid from parameters that Make has completed; Make adds Name and
	// Key. The error names the parameter and what is wanted.
	New func(p Params, g *Grid) (Factor, error)
}

// AnnualVolatility reports whether the kind is a volatility per root of a year, whichever way it is estimated: what a
// position may be sized by.
func (k Kind) AnnualVolatility() bool { return k.Units == annualVolatility }

const annualVolatility = "1/√year"

// Param declares one parameter of a kind.
type Param struct {
	Name    string
	Type    ParamType
	Default string   // as a study writes it; empty means that the study must give it
	Doc     string   // half a line
	Choices []string // of a ChoiceParam
}

// ParamType says how a parameter is written.
type ParamType uint8

const (
	WindowParam  ParamType = iota // ParseWindow's forms
	NumberParam                   // a float
	PeriodsParam                  // a least number of values: bars (18), time (10d) or a share of the window (0.9)
	ChoiceParam                   // one of Param.Choices
)

// Params are the parameters of one factor, as written, by name; defaults are filled in by Make.
type Params map[string]string

// Factor is a kind with its parameters on a grid, ready to be computed.
type Factor struct {
	Name string // as the study calls it: "volatility_20d"
	// Key is the same for two factors that compute the same: the kind and its parameters in
	// canonical form. Compute evaluates equal keys once.
	Key string
	// Inputs names the market fields, and Uses the factors, whose columns an Eval gets: inputs first.
	Inputs []string
	Uses   []Factor
	// Lookback is the number of bars up to and including t that the value at t may depend on.
	Lookback int
	// Start begins one instrument.
	Start func() Eval
	// Across stands in Start's place where a row of one instrument depends on that row of all of them: it fills dst,
	// by instrument, from in, by input and instrument. It carries nothing between calls, which may run at once.
	Across func(dst [][]float64, in [][][]float64)
	// Pick stands in Start's place where every instrument gets the one used factor's column of one: its place among the
	// grid's instruments and, after them, its references.
	Pick *int
	// Sample stands in Start's place where the factor looks ahead: a value depends on the whole sample. It fills dst
	// from x, the sample's rows of the one factor that is used; dst may be x. Rows outside the sample are
	// missing.
	Sample func(dst, x []float64)
	// Fit goes with Sample where a value depends on its own row of x and on a few numbers of the sample. It finds these in
	// x, the sample's rows, and gives what fills dst from rows of x, so that x need not be kept.
	Fit func(x []float64) func(dst, x []float64)
}

// fitted is a factor with Fit, and with Sample by it.
func fitted(f Factor, fit func(x []float64) func(dst, x []float64)) Factor {
	f.Fit, f.Sample = fit, func(dst, x []float64) { fit(x)(dst, x) }
	return f
}
