package backtest

import (
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// Study is one configuration file, with every default filled in: what to read, what to compute,
// how to trade it and how to judge it.
type Study struct {
	Version    int               `yaml:"version"`
	Name       string            `yaml:"name"`
	Data       Data              `yaml:"data"`
	Bars       Bars              `yaml:"bars"`
	Windows    *Windows          `yaml:"windows"` // nil: the last 90 days are the one window, the rest warms up
	Factors    []FactorConfig    `yaml:"factors"`
	Composite  factors.Composite `yaml:"composite"`
	Signals    Signals           `yaml:"signals"`
	Execution  Execution         `yaml:"execution"`
	Evaluation Evaluation        `yaml:"evaluation"`
	Report     Report            `yaml:"report"`
}

// Data names the ticks: instruments over [From, To), both at 00:00 UTC.
type Data struct {
	Lake        string             `yaml:"lake"` // as written; relative to the file's folder
	Instruments []InstrumentConfig `yaml:"instruments"`
	From        datasets.Day       `yaml:"from"`
	To          datasets.Day       `yaml:"to"` // exclusive
	Clock       string             `yaml:"clock"`
}

// InstrumentConfig is one instrument and what its amounts mean: from the built-in table, or as the
// study says.
type InstrumentConfig struct {
	datasets.Instrument
	Contract datasets.Contract
}

// Bars is the grid's definition.
type Bars struct {
	Kind        string         `yaml:"kind"`  // time, tick, volume, dollar
	Every       factors.Window `yaml:"every"` // time bars
	Size        float64        `yaml:"size"`  // the others
	BarsPerYear float64        `yaml:"bars_per_year"`
}

// Windows cuts the span into replays that end at Data.To and go back.
type Windows struct {
	Length factors.Window `yaml:"length"`
	Step   factors.Window `yaml:"step"`
}

// FactorConfig is one factor of the study: a kind of the catalogue under a name of its own.
type FactorConfig struct {
	Name   string
	Kind   string
	Params factors.Params
}

// Signals turns scores into targets.
type Signals struct {
	Thresholds signals.Cuts    `yaml:"thresholds"`
	Weights    signals.Weights `yaml:"weights"`
}

// Execution is how targets become fills and what they cost.
type Execution struct {
	Delay          int     `yaml:"delay"`           // bars between decision and fill, at least 1
	Price          string  `yaml:"price"`           // open, close or vwap of the bar that fills
	TakerBps       float64 `yaml:"taker_bps"`       // of notional
	HalfSpreadBps  float64 `yaml:"half_spread_bps"` // where the lake has no quotes
	Impact         Impact  `yaml:"impact"`          // the zero Impact is none
	Funding        bool    `yaml:"funding"`
	InitialCapital float64 `yaml:"initial_capital"` // quote currency
	Sizing         string  `yaml:"sizing"`          // compounding (of equity) or fixed (of the initial capital)
	RebalanceBand  float64 `yaml:"rebalance_band"`  // share of equity; 0: off
	Allocation     string  `yaml:"allocation"`      // equal or inverse_volatility
	GrossCap       float64 `yaml:"gross_cap"`       // of Σ|weight|; 0: none
}

// Impact is the market-impact model; none where K is 0.
type Impact struct {
	Model string  `yaml:"model"` // square_root
	K     float64 `yaml:"k"`
}

// Evaluation is how score and PnL are judged.
type Evaluation struct {
	Horizons       []factors.Window `yaml:"horizons"`
	PrimaryHorizon factors.Window   `yaml:"primary_horizon"`
	Quantiles      int              `yaml:"quantiles"`
	Bootstrap      int              `yaml:"bootstrap"` // resamples; 0: no intervals
	Seed           uint64           `yaml:"seed"`
	Ledger         bool             `yaml:"ledger"`
	RiskFree       float64          `yaml:"risk_free"` // per year
}

// Report is what a run writes.
type Report struct {
	Dir     string   `yaml:"dir"`
	Formats []string `yaml:"formats"`
}
