package reports

import (
	"strconv"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Schema is the version of report.json's layout. It grows when a key changes its meaning or goes
// away; a new key leaves it as it is.
const Schema = 2

// Report is everything that report.json says about a run, and all that the other documents are made
// of: numbers first, words from them. The package comment describes each key.
type Report struct {
	Schema         int                       `json:"schema"`
	Name           string                    `json:"name"`
	Digest         string                    `json:"digest"`
	Verdict        Verdict                   `json:"verdict"`
	Score          string                    `json:"score"` // signal of what was traded: study.Composite, or Combined with models
	Span           Span                      `json:"span"`
	Bars           Bars                      `json:"bars"`
	Currency       string                    `json:"currency"` // of all money
	Instruments    []Instrument              `json:"instruments"`
	Factors        []study.FactorInfo        `json:"factors"`
	Windows        []Window                  `json:"windows"`
	PrimaryHorizon string                    `json:"primary_horizon"`
	IC             []evaluate.ICRow          `json:"ic"`
	DailyIC        []evaluate.DailyIC        `json:"daily_ic"`
	Persistence    []evaluate.PersistenceRow `json:"memory"`
	Slices         []evaluate.SliceRow       `json:"slices"`
	Quantiles      []evaluate.QuantileRow    `json:"quantiles"`
	Spreads        []evaluate.SpreadRow      `json:"quantile_spreads"`
	Distribution   Distribution              `json:"distribution"`
	Levels         []evaluate.LevelRow       `json:"levels"`
	Transitions    []evaluate.TransitionRow  `json:"transitions"`
	PnL            []evaluate.PnLRow         `json:"pnl"`
	Metrics        []evaluate.Metric         `json:"metrics"`
	ByInstrument   []InstrumentPnL           `json:"pnl_by_instrument"`
	Unknown        []Unknown                 `json:"net_unknown"`
	Variants       []evaluate.VariantRow     `json:"variants"`
	Stability      []evaluate.StabilityRow   `json:"stability"`
	Universe       *Universe                 `json:"universe,omitempty"` // where the study has one
	Monthly        []Month                   `json:"monthly"`
	Coverage       []Coverage                `json:"coverage"`
	LooksAhead     []string                  `json:"looks_ahead"`
	Trials         *evaluate.Trials          `json:"trials,omitempty"` // where the lake keeps a ledger of them
	Models         *Models                   `json:"models,omitempty"` // where the study asks any
	Causality      *backtest.Certificate     `json:"causality,omitempty"`
	Warnings       []string                  `json:"warnings"`
	Curves         Curves                    `json:"curves"`
}

// Span is the evaluated time (From, To], RFC 3339 in UTC.
type Span struct {
	From string          `json:"from"`
	To   string          `json:"to"`
	Days evaluate.Figure `json:"days"`
	// WarmUpBars are the rows before From, which feed trailing statistics and nothing else.
	WarmUpBars int `json:"warm_up_bars"`
}

// Bars is the grid.
type Bars struct {
	Kind    string          `json:"kind"`
	Every   string          `json:"every,omitempty"` // time bars
	Size    float64         `json:"size,omitempty"`  // the others
	PerYear evaluate.Figure `json:"bars_per_year"`
	Clock   string          `json:"clock"`
	Count   int             `json:"count"` // in the span
}

// Instrument is one traded series and what its amounts mean.
type Instrument struct {
	Instrument  string          `json:"instrument"`
	Contract    string          `json:"contract"` // spot, linear or inverse
	Multiplier  evaluate.Figure `json:"multiplier"`
	BarsMissing int             `json:"bars_missing"` // of the span, without a price
}

// Window is one replay; "all" is the run over the whole span, and the only one where there is one
// window.
type Window struct {
	Window string          `json:"window"`
	From   string          `json:"from"`
	To     string          `json:"to"`
	Days   evaluate.Figure `json:"days"`
	Bars   int             `json:"bars"`
}

// New turns a finished backtest into a report. It reads r and keeps nothing of it.
func New(r *backtest.Result) *Report {
	s, g, f := r.Study, r.Grid, r.Figures
	d := &Report{
		Schema: Schema,
		Name:   s.Name,
		Digest: r.Digest,
		Score:  r.Traded,
		Span:   Span{From: stamp(r.Span.From), To: stamp(r.Span.To), Days: days(r.Span), WarmUpBars: r.Span.Lo},
		Bars: Bars{
			Kind: s.Bars.Kind, Clock: s.Data.Clock, Size: s.Bars.Size,
			PerYear: evaluate.Figure(g.BarsPerYear), Count: r.Bars(),
		},
		Windows:        windows(r),
		PrimaryHorizon: s.Evaluation.PrimaryHorizon.String(),
		IC:             list(f.IC),
		DailyIC:        list(f.Daily),
		Persistence:    list(f.Persistence),
		Slices:         list(f.Slices),
		Quantiles:      list(f.Quantiles),
		Spreads:        list(f.Spreads),
		Distribution:   distribution(r),
		Levels:         list(f.Levels),
		Transitions:    list(f.Transitions),
		PnL:            list(f.PnL),
		Metrics:        list(evaluate.Metrics(s.Evaluation)),
		ByInstrument:   byInstrument(r),
		Unknown:        unknown(r),
		Variants:       list(f.Variants),
		Stability:      list(f.Stability),
		Universe:       universe(r),
		Monthly:        months(r.Runs[0].Account),
		Coverage:       coverage(r),
		LooksAhead:     list(s.LooksAhead()),
		Trials:         r.Trials,
		Models:         models(r),
		Causality:      r.Certificate,
		Warnings:       []string{},
		Curves:         curves(r),
	}
	if g.Every > 0 {
		d.Bars.Every = factors.FormatDuration(g.Every)
	}
	described, _ := s.Described() // these factors were played
	d.Factors = list(described)
	d.Currency, _, _ = s.Quotes() // what the study was checked for when it was read
	for i, in := range g.Instruments {
		d.Instruments = append(d.Instruments, instrument(r, i, in))
	}
	for _, w := range r.Warnings {
		d.Warnings = append(d.Warnings, w.Error())
	}
	d.Verdict = judge(d)
	return d
}

func instrument(r *backtest.Result, i int, in datasets.Instrument) Instrument {
	c := r.Contracts[i]
	out := Instrument{Instrument: in.String(), Contract: "linear", Multiplier: evaluate.Figure(c.Multiplier), BarsMissing: r.Unpriced[i]}
	switch {
	case c.Spot:
		out.Contract = "spot"
	case c.Inverse:
		out.Contract = "inverse"
	}
	return out
}

func windows(r *backtest.Result) []Window {
	out := []Window{window(evaluate.All, r.Span)}
	if len(r.Windows) > 1 || r.Windows[0] != r.Span {
		for _, w := range r.Windows {
			out = append(out, window(strconv.Itoa(w.Index), w))
		}
	}
	return out
}

func window(name string, w study.Span) Window {
	return Window{Window: name, From: stamp(w.From), To: stamp(w.To), Days: days(w), Bars: w.Hi - w.Lo}
}

func days(w study.Span) evaluate.Figure {
	return evaluate.Figure(float64(w.To-w.From) / datasets.MicrosPerDay)
}

// list is s, with an empty list instead of none, so that JSON shows [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
