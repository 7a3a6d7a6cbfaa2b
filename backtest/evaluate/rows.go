package evaluate

import "math"

// All is the window name of figures over the whole span. Pooled is the instrument name of figures over
// all instruments through time, and CrossSection that of the correlations across them bar by bar.
const (
	All          = "all"
	Pooled       = "*"
	CrossSection = "cross_section"
)

// ICRow is the information coefficient of one signal, instrument, window and horizon.
type ICRow struct {
	Signal         string            `json:"signal"`
	Instrument     string            `json:"instrument"` // "*" when pooled
	Window         string            `json:"window"`     // "all" or its index
	Horizon        string            `json:"horizon"`
	Bars           int               `json:"bars"` // the horizon in bars
	N              int               `json:"n"`
	NEffective     Figure            `json:"n_effective"`
	Pearson        Figure            `json:"pearson"`
	Spearman       Figure            `json:"spearman"`
	SpearmanT      Figure            `json:"spearman_t"`  // the headline t, with average ranks in place of signal and return
	SpearmanP      Figure            `json:"spearman_p"`  // two-sided, of SpearmanT
	Low            Figure            `json:"pearson_low"` // 95 % stationary-bootstrap interval of pearson, pooled rows only
	High           Figure            `json:"pearson_high"`
	T              Figure            `json:"t"`
	TMethod        string            `json:"t_method"` // hansen_hodrick, newey_west, non_overlapping or insufficient
	THansenHodrick Figure            `json:"t_hansen_hodrick"`
	TNonOverlap    Figure            `json:"t_non_overlapping"`
	P              Figure            `json:"p"`      // two-sided, of T
	PHolm          Figure            `json:"p_holm"` // over the horizons other than the primary one
	Daily          DailySummary      `json:"daily"`
	Warnings       []string          `json:"warnings,omitempty"` // few_spans
	Reasons        map[string]string `json:"reasons,omitempty"`  // why a figure is null, by its key
}

// DailySummary sums up the IC by UTC day.
type DailySummary struct {
	N    int    `json:"n"`
	Mean Figure `json:"mean"`
	Std  Figure `json:"std"`
	ICIR Figure `json:"icir"`
}

// DailyIC is the composite's pooled IC of one UTC day at the primary horizon.
type DailyIC struct {
	Signal string `json:"signal"`
	Day    string `json:"day"`
	IC     Figure `json:"ic"`
}

// LevelRow says how one of the five levels behaved.
type LevelRow struct {
	Signal      string            `json:"signal"`
	Window      string            `json:"window"`
	Level       string            `json:"level"`
	Bars        int               `json:"bars"`
	Share       Figure            `json:"share"`
	MeanHolding Figure            `json:"mean_holding_bars"`
	Horizon     string            `json:"horizon"`
	MeanReturn  Figure            `json:"mean_return"` // log, as it is
	HitRate     Figure            `json:"hit_rate"`
	T           Figure            `json:"t"`
	BreakEven   Figure            `json:"break_even_bps"` // cost a side at which the mean return, taken the level's way, is gone
	Reasons     map[string]string `json:"reasons,omitempty"`
}

// QuantileRow is the mean forward log return of one bucket of a signal.
type QuantileRow struct {
	Signal     string            `json:"signal"`
	Horizon    string            `json:"horizon"`
	Quantile   int               `json:"quantile"` // from 1, the lowest
	N          int               `json:"n"`
	MeanReturn Figure            `json:"mean_return"`
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// SpreadRow sums up the quantile buckets of one signal and horizon.
type SpreadRow struct {
	Signal       string            `json:"signal"`
	Horizon      string            `json:"horizon"`
	Spread       Figure            `json:"spread"`       // mean log return of the top bucket less that of the bottom one: gross exposure 2
	Monotonicity Figure            `json:"monotonicity"` // Spearman correlation of the buckets' numbers with their means
	Reasons      map[string]string `json:"reasons,omitempty"`
}

// PersistenceRow says how fast a signal changes, over window "all".
type PersistenceRow struct {
	Signal     string            `json:"signal"`
	Instrument string            `json:"instrument"`
	Lag1       Figure            `json:"autocorrelation"` // at a lag of one bar
	HalfLife   Figure            `json:"half_life_bars"`  // the first lag whose autocorrelation is at most a half
	Time       Figure            `json:"integrated_bars"` // the integrated autocorrelation time τ
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// SliceRow is the pooled IC at the primary horizon over some of the bars of window "all": the mean of the
// tested series, standardized over the whole window, over them.
type SliceRow struct {
	Signal  string            `json:"signal"`
	By      string            `json:"by"`    // volatility or hour
	Slice   string            `json:"slice"` // low, normal or high; the UTC hour that the bar covers, 00 to 23
	N       int               `json:"n"`     // bars
	IC      Figure            `json:"ic"`
	Reasons map[string]string `json:"reasons,omitempty"`
}

// TransitionRow counts how often one level followed another at the next bar, over all instruments.
type TransitionRow struct {
	Signal  string            `json:"signal"`
	Window  string            `json:"window"`
	From    string            `json:"from"`
	To      string            `json:"to"`
	Bars    int               `json:"bars"`
	Share   Figure            `json:"share"` // of the bars at From that have a next level
	Reasons map[string]string `json:"reasons,omitempty"`
}

// VariantRow is window "all" traded otherwise: later, without costs, or not at all but held.
type VariantRow struct {
	Variant     string            `json:"variant"` // delay, zero_cost or buy_and_hold
	Delay       int               `json:"delay"`   // bars
	TotalReturn Figure            `json:"total_return"`
	Sharpe      Figure            `json:"sharpe"`
	MaxDrawdown Figure            `json:"max_drawdown"`
	PricePnL    Figure            `json:"price_pnl"`
	Fees        Figure            `json:"fees"`
	Slippage    Figure            `json:"slippage"`
	Impact      Figure            `json:"impact"`
	Funding     Figure            `json:"funding"`
	Trades      int               `json:"trades"`
	Reasons     map[string]string `json:"reasons,omitempty"`
}

// StabilityRow says how a figure held over the windows: the pooled IC of a signal at the primary
// horizon, or the runs' total return.
type StabilityRow struct {
	Signal   string            `json:"signal"`
	Figure   string            `json:"figure"`   // ic or total_return
	Windows  int               `json:"windows"`  // those in which it could be computed
	Positive Figure            `json:"positive"` // share of them
	Worst    Figure            `json:"worst"`
	WorstIn  string            `json:"worst_window"`
	Reasons  map[string]string `json:"reasons,omitempty"`
}

var null = Figure(math.NaN())

const basisPoint = 1e-4
