package factors

// Method says how a factor is made comparable before it is weighed.
type Method string

const (
	Rolling      Method = "rolling"       // trailing mean and std over Normalization.Window
	Expanding    Method = "expanding"     // mean and std of everything so far
	Fixed        Method = "fixed"         // given Mean and Std
	CrossSection Method = "cross_section" // over the instruments present at that bar
	Rank         Method = "rank"          // 2·(trailing percentile rank) − 1
	None         Method = "none"          // as it is
	FullSample   Method = "full_sample"   // mean and std of the whole sample: looks ahead
)

// Normalization is how one component becomes a z. The zero value is Rolling over DefaultNormalizeWindow.
type Normalization struct {
	Method     Method  `yaml:"method"`
	Window     Window  `yaml:"window"`      // Rolling, Rank
	MinPeriods int     `yaml:"min_periods"` // bars; 0 means a quarter of the window, rounded up
	Mean       float64 `yaml:"mean"`        // Fixed
	Std        float64 `yaml:"std"`         // Fixed
	Clip       float64 `yaml:"clip"`        // z is held within ±Clip; 0 means no limit
}

// Component is one weighed factor of a composite.
type Component struct {
	Factor    string         `yaml:"factor"`
	Weight    float64        `yaml:"weight"`
	Normalize *Normalization `yaml:"normalize"` // nil: the composite's
}

// MissingPolicy says what a missing component does to F.
type MissingPolicy string

const (
	Strict      MissingPolicy = "strict"      // F is missing
	Renormalize MissingPolicy = "renormalize" // F = Σ_present w·z · Σ|w| / Σ_present |w|
)

// Composite defines F = Σ weight · z.
type Composite struct {
	Components []Component   `yaml:"components"`
	Normalize  Normalization `yaml:"normalize"`
	Missing    MissingPolicy `yaml:"missing"` // empty: Strict
}

// Score is a composite with what went into it.
type Score struct {
	*Panel            // F, named "composite"
	Z        []*Panel // the normalized components, in order
	Warnings []error
}

// Composite normalizes, weighs and sums the components' panels. Rows [lo, hi) are the sample that
// FullSample takes its mean and std from; the other methods use rows up to each bar alone.
func (f *Frame) Composite(c Composite, lo, hi int) (*Score, error) {
	panic("factors: Composite")
}
