package reports

import (
	"math"
	"strconv"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Schema is the version of report.json's layout. It grows when a key changes its meaning or goes
// away; a new key leaves it as it is.
const Schema = 1

// Report is everything that report.json says about a run, and all that the other documents are made
// of: numbers first, words from them. The package comment describes each key.
type Report struct {
	Schema         int                      `json:"schema"`
	Name           string                   `json:"name"`
	Digest         string                   `json:"digest"`
	Verdict        Verdict                  `json:"verdict"`
	Score          string                   `json:"score"` // signal of what was traded: study.Composite, or Combined with models
	Span           Span                     `json:"span"`
	Bars           Bars                     `json:"bars"`
	Instruments    []Instrument             `json:"instruments"`
	Windows        []Window                 `json:"windows"`
	PrimaryHorizon string                   `json:"primary_horizon"`
	IC             []backtest.ICRow         `json:"ic"`
	DailyIC        []backtest.DailyIC       `json:"daily_ic"`
	Memory         []backtest.MemoryRow     `json:"memory"`
	Slices         []backtest.SliceRow      `json:"slices"`
	Quantiles      []backtest.QuantileRow   `json:"quantiles"`
	Spreads        []backtest.SpreadRow     `json:"quantile_spreads"`
	Distribution   Distribution             `json:"distribution"`
	Levels         []backtest.LevelRow      `json:"levels"`
	Transitions    []backtest.TransitionRow `json:"transitions"`
	PnL            []backtest.PnLRow        `json:"pnl"`
	Metrics        []backtest.Metric        `json:"metrics"`
	ByInstrument   []InstrumentPnL          `json:"pnl_by_instrument"`
	Variants       []backtest.VariantRow    `json:"variants"`
	Stability      []backtest.StabilityRow  `json:"stability"`
	Monthly        []Month                  `json:"monthly"`
	Coverage       []Coverage               `json:"coverage"`
	LooksAhead     []string                 `json:"looks_ahead"`
	Models         *Models                  `json:"models,omitempty"` // where the study asks any
	Causality      *backtest.Certificate    `json:"causality,omitempty"`
	Warnings       []string                 `json:"warnings"`
	Curves         Curves                   `json:"curves"`
}

// Span is the evaluated time (From, To], RFC 3339 in UTC.
type Span struct {
	From string          `json:"from"`
	To   string          `json:"to"`
	Days backtest.Figure `json:"days"`
	// WarmUpBars are the rows before From, which feed trailing statistics and nothing else.
	WarmUpBars int `json:"warm_up_bars"`
}

// Bars is the grid.
type Bars struct {
	Kind    string          `json:"kind"`
	Every   string          `json:"every,omitempty"` // time bars
	Size    float64         `json:"size,omitempty"`  // the others
	PerYear backtest.Figure `json:"bars_per_year"`
	Clock   string          `json:"clock"`
	Count   int             `json:"count"` // in the span
}

// Instrument is one traded series and what its amounts mean.
type Instrument struct {
	Instrument  string          `json:"instrument"`
	Contract    string          `json:"contract"` // spot, linear or inverse
	Multiplier  backtest.Figure `json:"multiplier"`
	BarsMissing int             `json:"bars_missing"` // of the span, without a price
}

// Window is one replay; "all" is the run over the whole span, and the only one where there is one
// window.
type Window struct {
	Window string          `json:"window"`
	From   string          `json:"from"`
	To     string          `json:"to"`
	Days   backtest.Figure `json:"days"`
	Bars   int             `json:"bars"`
}

// InstrumentPnL is one instrument's part of the run over the whole span, in quote currency.
type InstrumentPnL struct {
	Instrument string          `json:"instrument"`
	PricePnL   backtest.Figure `json:"price_pnl"`
	Fees       backtest.Figure `json:"fees"`
	Slippage   backtest.Figure `json:"slippage"`
	Impact     backtest.Figure `json:"impact"`
	Funding    backtest.Figure `json:"funding"`
	Net        backtest.Figure `json:"net"`
}

// New turns a finished backtest into a report. It reads r and keeps nothing of it.
func New(r *backtest.Result) *Report {
	s, g := r.Study, r.Market.Grid
	d := &Report{
		Schema: Schema,
		Name:   s.Name,
		Digest: r.Digest,
		Score:  r.Traded.Name,
		Span: Span{
			From: stamp(r.Span.From), To: stamp(r.Span.To), Days: days(r.Span),
			WarmUpBars: warmUp(r),
		},
		Bars: Bars{
			Kind: s.Bars.Kind, Clock: s.Data.Clock, Size: s.Bars.Size,
			PerYear: backtest.Figure(g.BarsPerYear), Count: barCount(r),
		},
		Windows:        windows(r),
		PrimaryHorizon: s.Evaluation.PrimaryHorizon.String(),
		IC:             list(r.Evaluation.IC),
		DailyIC:        list(r.Evaluation.Daily),
		Memory:         list(r.Evaluation.Memory),
		Slices:         list(r.Evaluation.Slices),
		Quantiles:      list(r.Evaluation.Spread),
		Spreads:        list(r.Evaluation.Spreads),
		Distribution:   distribution(r),
		Levels:         list(r.Evaluation.Levels),
		Transitions:    list(r.Evaluation.Transitions),
		PnL:            list(r.Evaluation.PnL),
		Metrics:        backtest.Metrics(s.Evaluation),
		Variants:       list(r.Evaluation.Variants),
		Stability:      list(r.Evaluation.Stability),
		Monthly:        months(g, r.All),
		Coverage:       coverage(r.Market),
		LooksAhead:     s.LooksAhead(),
		Models:         models(r),
		Causality:      r.Certificate,
		Warnings:       []string{},
		Curves:         curves(r),
	}
	if g.Every > 0 {
		d.Bars.Every = factors.FormatDuration(g.Every)
	}
	for i, in := range g.Instruments {
		d.Instruments = append(d.Instruments, instrument(r, i, in))
		l := r.All.ByAsset[i]
		d.ByInstrument = append(d.ByInstrument, InstrumentPnL{
			Instrument: in.String(),
			PricePnL:   backtest.Figure(l.PricePnL), Fees: backtest.Figure(l.Fees),
			Slippage: backtest.Figure(l.Slippage), Impact: backtest.Figure(l.Impact),
			Funding: backtest.Figure(l.Funding), Net: backtest.Figure(net(l)),
		})
	}
	for _, w := range r.Warnings {
		d.Warnings = append(d.Warnings, w.Error())
	}
	d.Verdict = judge(d)
	return d
}

func instrument(r *backtest.Result, i int, in datasets.Instrument) Instrument {
	c := r.Market.Contracts[i]
	out := Instrument{Instrument: in.String(), Contract: "linear", Multiplier: backtest.Figure(c.Multiplier)}
	switch {
	case c.Spot:
		out.Contract = "spot"
	case c.Inverse:
		out.Contract = "inverse"
	}
	for _, v := range closes(r.Market, i)[r.Span.Lo:r.Span.Hi] {
		if math.IsNaN(v) {
			out.BarsMissing++
		}
	}
	return out
}

// closes is an instrument's close by grid row.
func closes(m *backtest.Market, i int) []float64 { return m.Panel("close").Col(i) }

func windows(r *backtest.Result) []Window {
	out := []Window{window(backtest.All, r.Span)}
	out[0].Bars = barCount(r)
	if len(r.Windows) > 1 {
		for _, w := range r.Windows {
			out = append(out, window(strconv.Itoa(w.Index), w))
		}
	}
	return out
}

func window(name string, w study.Span) Window {
	return Window{Window: name, From: stamp(w.From), To: stamp(w.To), Days: days(w), Bars: w.Hi - w.Lo}
}

func days(w study.Span) backtest.Figure {
	return backtest.Figure(float64(w.To-w.From) / datasets.MicrosPerDay)
}

func net(l backtest.Ledger) float64 {
	return l.PricePnL - l.Fees - l.Slippage - l.Impact + l.Funding
}

// list is s, with an empty list instead of none, so that JSON shows [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
