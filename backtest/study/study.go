package study

import (
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// Study is one configuration file, with every default filled in: what to read, what to compute,
// how to trade it and how to judge it. The tags are the rules that reading, checking and the JSON
// Schema share.
type Study struct {
	Version    int               `yaml:"version" range:"[1,1]" doc:"version of this format"`
	Name       string            `yaml:"name" doc:"names the run's folder"`
	Data       DataConfig        `yaml:"data" doc:"what to read"`
	Bars       BarsConfig        `yaml:"bars" doc:"the grid"`
	Windows    *WindowsConfig    `yaml:"windows" doc:"replays that end at data.to and go back; without it the last 90 days are the one window and the rest warms up"`
	Define     Definitions       `yaml:"define" doc:"names for parts of formulas"`
	Factors    []FactorConfig    `yaml:"factors" doc:"what to compute at each bar"`
	Composite  factors.Composite `yaml:"composite" doc:"F = sum of weight times normalized factor"`
	Signals    SignalsConfig     `yaml:"signals" doc:"score to target weight"`
	Execution  ExecutionConfig   `yaml:"execution" doc:"target weight to fills, and what they cost"`
	Evaluation EvaluationConfig  `yaml:"evaluation" doc:"how score and PnL are judged"`
	Report     ReportConfig      `yaml:"report" doc:"what a run writes"`
	Sweep      *SweepConfig      `yaml:"sweep" doc:"settings that qf sweep tries; a backtest passes them over"`

	told   []error // see Warnings
	origin *origin // nil where the study was not read
}

// Data names the ticks: instruments over [From, To), both at 00:00 UTC.
type DataConfig struct {
	Lake        string          `yaml:"lake" doc:"folder of the lake, relative to this file; without it $QF_LAKE, else ./lake"`
	Instruments Instruments     `yaml:"instruments" doc:"exchange:SYMBOL, or a mapping that says what an amount means"`
	References  References      `yaml:"references" doc:"instruments that formulas look at, as close[\"bybit:BTCUSDT\"], and that are never traded"`
	Series      []SeriesConfig  `yaml:"series" doc:"figures of your own, as formulas call them"`
	Universe    *UniverseConfig `yaml:"universe" doc:"which instruments are traded when, chosen from what was known then; without it all, always"`
	From        datasets.Day    `yaml:"from" doc:"first day, UTC"`
	To          datasets.Day    `yaml:"to" doc:"day after the last, UTC"`
	Clock       string          `yaml:"clock" enum:"local_timestamp|timestamp" doc:"arrival time, or the exchange's own (not causal)"`
}

// SeriesConfig is a figure over time that the study brings along, joined as of each bar's label.
type SeriesConfig struct {
	Name  string         `yaml:"name" doc:"as formulas call it"`
	Path  string         `yaml:"path" doc:"CSV or Parquet file, relative to this file"`
	Time  string         `yaml:"time" doc:"its column of when each value was known: 2024-01-31T08:00:00Z, 2024-01-31, or Unix time; left out: time"`
	Value string         `yaml:"value" doc:"its column of the values; left out: value"`
	Hold  factors.Window `yaml:"hold" doc:"how old a value may be, such as 2d; an older one is missing"`
}

// Bars is the grid's definition.
type BarsConfig struct {
	Kind        string         `yaml:"kind" enum:"time|tick|volume|dollar" doc:"what closes a bar"`
	Every       factors.Window `yaml:"every" doc:"length of time bars, 1s to 1d"`
	Size        float64        `yaml:"size" range:"[0,1e15]" doc:"trades, base units or quote notional of the other bars"`
	BarsPerYear float64        `yaml:"bars_per_year" range:"[0,1e10]" doc:"for annualization, where bars are not time bars"`
}

// Windows cuts the span into replays that end at Data.To and go back.
type WindowsConfig struct {
	Length factors.Window `yaml:"length" doc:"of one replay"`
	Step   factors.Window `yaml:"step" doc:"from one replay to the one before; shorter than length: they overlap"`
}

// FactorConfig is one factor of the study: a kind of the catalogue under a name of its own, with
// that kind's parameters, or a formula.
type FactorConfig struct {
	Name   string
	Kind   string // empty for a formula
	Params factors.Params
	Expr   string // see package expr; empty for a kind
}

// Definition names a part of formulas.
type Definition struct{ Name, Expr string }

// Definitions are written as a mapping of names to formulas.
type Definitions []Definition

// Execution is how targets become fills and what they cost.
type ExecutionConfig struct {
	Delay          int          `yaml:"delay" range:"[1,100000]" doc:"bars between decision and fill; 0 would trade on the bar that made the signal"`
	Price          string       `yaml:"price" enum:"open|close|vwap" doc:"of the bar that fills"`
	TakerBps       float64      `yaml:"taker_bps" range:"[0,1000]" doc:"fee on the fill's notional"`
	HalfSpreadBps  float64      `yaml:"half_spread_bps" range:"[0,1000]" doc:"paid on each fill where the lake has no quotes"`
	Impact         ImpactConfig `yaml:"impact" doc:"none, or {model: square_root, k: 1}"`
	Funding        bool         `yaml:"funding" doc:"pay and earn funding at each settlement"`
	InitialCapital float64      `yaml:"initial_capital" range:"[1e-6,1e15]" doc:"quote currency"`
	Sizing         string       `yaml:"sizing" enum:"compounding|fixed" doc:"a weight is a share of current equity, or of the initial capital"`
	RebalanceBand  float64      `yaml:"rebalance_band" range:"[0,1]" doc:"trade back when the held weight is off by more; 0: off"`
	Allocation     string       `yaml:"allocation" enum:"equal|inverse_volatility" doc:"how instruments share the capital"`
	GrossCap       float64      `yaml:"gross_cap" range:"[0,1e6]" doc:"of the sum of absolute weights; 0: none"`
	MaxShare       float64      `yaml:"max_share" range:"[0,1]" doc:"of its bar's turnover that a fill takes at most, the rest waits; 0: no limit"`

	SpotShort *SpotShortConfig `yaml:"spot_short" doc:"lets spot instruments be short, {borrow_bps: 500}; without it their targets are at least 0"`
}

// SpotShort is what it takes to be short of spot.
type SpotShortConfig struct {
	BorrowBps float64 `yaml:"borrow_bps" range:"[0,100000]" doc:"cost of the borrowed coins per 365-day year, of their value"`
}

// Impact is the market-impact model; none where Model is empty.
type ImpactConfig struct {
	Model string  `yaml:"model" enum:"none|square_root"`
	K     float64 `yaml:"k" range:"[0,1e6]"`
}

// Evaluation is how score and PnL are judged.
type EvaluationConfig struct {
	Horizons       []factors.Window `yaml:"horizons" doc:"of forward returns, in time or in bars"`
	PrimaryHorizon factors.Window   `yaml:"primary_horizon" doc:"the one that verdicts use"`
	Quantiles      int              `yaml:"quantiles" range:"[2,100]" doc:"buckets of the score"`
	RankIC         bool             `yaml:"rank_ic" doc:"rank figures too: Spearman's correlation, its t, quantile buckets; they sort each column, in memory"`
	Persistence    bool             `yaml:"persistence" doc:"how long each signal remembers itself: autocorrelation, half-life, integrated time, and the warning few_spans"`
	Delays         []int            `yaml:"delays" range:"[1,100000]" doc:"bars between decision and fill of further runs over the whole span: how fast the edge dies"`
	Bootstrap      int              `yaml:"bootstrap" range:"[0,100000]" doc:"resamples for intervals; 0: none"`
	Seed           uint64           `yaml:"seed" doc:"of the bootstrap"`
	Ledger         bool             `yaml:"ledger" doc:"keep the trial ledger; off in CI"`
	RiskFree       float64          `yaml:"risk_free" range:"(-1,1)" doc:"per year"`
}

// Report is what a run writes.
type ReportConfig struct {
	Dir     string   `yaml:"dir" doc:"folder of runs, relative to where qf is started"`
	Formats []string `yaml:"formats" enum:"html|json|csv|parquet|frame" doc:"frame: also factors.parquet and factors.arrow"`
}

// DefaultStudy is a study with every default but the instruments and the span, which have none.
func Default() *Study {
	window := func(s string) factors.Window {
		w, err := factors.ParseWindow(s)
		if err != nil {
			panic("study: " + err.Error())
		}
		return w
	}
	s := &Study{
		Version: 1,
		Name:    "study",
		Data:    DataConfig{Clock: "local_timestamp"},
		Bars:    BarsConfig{Kind: "time", Every: window("1m")},
		Factors: []FactorConfig{
			{Name: "momentum_14d", Kind: "momentum", Params: factors.Params{"window": "14d"}},
			{Name: "volatility_20d", Kind: "volatility", Params: factors.Params{"window": "20d"}},
			{Name: "liquidity", Kind: "liquidity_score", Params: factors.Params{"window": "20"}},
			{Name: "ofi", Kind: "ofi", Params: factors.Params{"window": "100 trades"}},
		},
		Composite: factors.Composite{
			Missing:   factors.Strict,
			Normalize: factors.Normalization{Method: factors.Rolling, Window: window("30d")},
			Components: []factors.Component{
				{Factor: "momentum_14d", Weight: 0.40},
				{Factor: "volatility_20d", Weight: -0.20},
				{Factor: "liquidity", Weight: 0.25},
				{Factor: "ofi", Weight: 0.15},
			},
		},
		Signals: SignalsConfig{
			Thresholds: signals.Cuts{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1},
			Weights:    signals.Weights{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1},
		},
		Execution: ExecutionConfig{
			Delay: 1, Price: "open", TakerBps: 5, HalfSpreadBps: 1, Impact: ImpactConfig{Model: "none"}, Funding: true,
			InitialCapital: 100_000, Sizing: "compounding", Allocation: "equal",
		},
		Evaluation: EvaluationConfig{
			PrimaryHorizon: window("1h"), Quantiles: 5, RankIC: true, Persistence: true, Delays: []int{1, 2, 5, 10}, Bootstrap: 1000, Seed: 1, Ledger: true,
		},
		Report: ReportConfig{Dir: "runs", Formats: []string{"html", "json", "csv", "parquet"}},
	}
	for _, h := range []string{"5m", "15m", "1h", "4h", "1d", "3d"} {
		s.Evaluation.Horizons = append(s.Evaluation.Horizons, window(h))
	}
	return s
}
