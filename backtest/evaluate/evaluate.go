package evaluate

import (
	"context"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/factors"
)

// Signal is a column by instrument whose prediction is judged.
type Signal struct {
	Name   string
	Levels bool // also by its five levels: the composite; where models are asked, their opinions and the two combined
}

// Setup says what is judged, over which rows.
type Setup struct {
	Grid    *factors.Grid // without labels
	Study   *study.Study
	Signals []Signal
	Traded  string     // the signal whose daily IC is listed
	Span    study.Span // the rows of the window
	Window  string     // All, or the window's index
}

// Window judges signals over the rows of one window.
type Window struct {
	setup Setup
	space *scratch.Space
}

// Figures is what is said about the signals of one window.
type Figures struct {
	IC           []ICRow
	Levels       []LevelRow
	Transitions  []TransitionRow
	Daily        []DailyIC     // of window "all", as all that follow
	Quantiles    []QuantileRow // the buckets
	Spreads      []SpreadRow   // what they say together
	Persistence  []PersistenceRow
	Slices       []SliceRow
	Distribution []Distribution // of the signals with levels
}

// Distribution is how many values of a signal lie in each of equally wide cells from −ScoreLimit to ScoreLimit, below and
// above.
type Distribution struct {
	Signal                   string
	N, Missing, Below, Above int
	Cells                    []int
	Mean, Std, Least, Most   float64
}

// New begins a window. Its columns, where it keeps any, live in space, which must outlast it.
func New(s Setup, space *scratch.Space) (*Window, error) {
	return &Window{setup: s, space: space}, nil
}

// Step takes the next rows of the window: their labels from b, the execution price and the close by instrument, the
// signals by signal and instrument. Nothing of them is kept or changed.
func (w *Window) Step(ctx context.Context, b *bars.Block, price, closes [][]float64, signals [][][]float64, workers int) error {
	return nil
}

// Close ends the window.
func (w *Window) Close(ctx context.Context, workers int) (*Figures, error) {
	return &Figures{}, nil
}

// Stability sums up the rows of windows other than All: in how many a figure was positive, and the worst. figures and pnl are
// of all windows, pnl of the study's own trial.
func Stability(s *study.Study, signals []Signal, traded string, figures []*Figures, pnl []PnLRow) []StabilityRow {
	return nil
}
