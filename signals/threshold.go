package signals

// Level is one of the five states of a score. A missing score has NoLevel.
type Level int8

const (
	StrongShort Level = iota - 2
	Short
	Neutral
	Long
	StrongLong
	NoLevel Level = 127
)

// Threshold cuts a score F into five levels, each a target weight:
//
//	F > StrongLong, F > Long, F < Short, F < StrongShort, neutral otherwise
//
// all strictly, so that a boundary itself belongs to the level nearer neutral. A missing score has
// target 0.
type Threshold struct {
	Cuts    Cuts
	Weights Weights
}

// Cuts are the boundaries, StrongShort < Short < Long < StrongLong.
type Cuts struct {
	StrongLong  float64 `yaml:"strong_long"`
	Long        float64 `yaml:"long"`
	Short       float64 `yaml:"short"`
	StrongShort float64 `yaml:"strong_short"`
}

// Weights are the levels' target weights, fractions of equity in [−1, 1].
type Weights struct {
	StrongLong  float64 `yaml:"strong_long"`
	Long        float64 `yaml:"long"`
	Neutral     float64 `yaml:"neutral"`
	Short       float64 `yaml:"short"`
	StrongShort float64 `yaml:"strong_short"`
}
