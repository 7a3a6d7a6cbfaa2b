package opinions

import "github.com/qf-dev/qf/backtest/evaluate"

// UsageRow is what one model was asked and what that cost, or all of them together ("*").
type UsageRow struct {
	Model         string            `json:"model"`
	Calls         int               `json:"calls"`    // questions answered, from the cache
	Requests      int               `json:"requests"` // billed: repairs of invalid answers count
	Valid         int               `json:"valid"`
	Invalid       int               `json:"invalid"` // traded as neutral
	Missing       int               `json:"missing"` // not in the cache; traded as neutral
	PromptTokens  int               `json:"prompt_tokens"`
	AnswerTokens  int               `json:"answer_tokens"`
	CostUSD       evaluate.Figure   `json:"cost_usd"`
	CostPerCall   evaluate.Figure   `json:"cost_per_call_usd"`
	LatencyP50    evaluate.Figure   `json:"latency_p50_seconds"`
	LatencyP95    evaluate.Figure   `json:"latency_p95_seconds"`
	CostPerBp     evaluate.Figure   `json:"cost_per_bp_usd"`       // by basis point that the run with this model earned on the initial capital
	CostPerBpMore evaluate.Figure   `json:"cost_per_added_bp_usd"` // by basis point that it earned more than the composite alone
	AtPrices      []PriceRow        `json:"at_prices"`             // the same tokens with each priced model
	Reasons       map[string]string `json:"reasons,omitempty"`
}

// PriceRow is what tokens would have cost with a model.
type PriceRow struct {
	Model   string          `json:"model"`
	CostUSD evaluate.Figure `json:"cost_usd"`
}

// CalibrationRow compares a model's stated confidence with how often it was right. It is of its valid answers
// that take a side and have a forward return over the horizon: a hit is a return of the action's sign.
type CalibrationRow struct {
	Model      string            `json:"model"`
	Horizon    string            `json:"horizon"` // the cadence
	N          int               `json:"n"`
	Neutral    int               `json:"neutral"`    // valid answers that take no side
	Confidence evaluate.Figure   `json:"confidence"` // mean
	HitRate    evaluate.Figure   `json:"hit_rate"`
	Brier      evaluate.Figure   `json:"brier"`       // mean of (confidence − hit)²; 0 is perfect
	BrierSkill evaluate.Figure   `json:"brier_skill"` // 1 − brier/(h(1 − h)), h the hit rate: above 0, the confidence says more than its mean would
	MeanReturn evaluate.Figure   `json:"mean_return"` // log, of the action's sign
	T          evaluate.Figure   `json:"t"`           // of mean_return, over the means by question time
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// ReliabilityRow is one tenth of the confidences from 0 to 1, the upper end excluded but for the last.
type ReliabilityRow struct {
	Model      string            `json:"model"`
	Bin        int               `json:"bin"` // 1 to 10
	From       float64           `json:"from"`
	To         float64           `json:"to"`
	N          int               `json:"n"`
	Confidence evaluate.Figure   `json:"confidence"` // mean
	HitRate    evaluate.Figure   `json:"hit_rate"`
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// AgreementSummary says how far the models agree, over the questions that at least two answered validly.
type AgreementSummary struct {
	Questions int               `json:"questions"`
	Mean      evaluate.Figure   `json:"mean"`      // share of models with the commonest action
	Unanimous evaluate.Figure   `json:"unanimous"` // share of questions on which all took the same action
	Opposed   evaluate.Figure   `json:"opposed"`   // share on which one said long and another short
	Pairs     []AgreementRow    `json:"pairs"`
	Reasons   map[string]string `json:"reasons,omitempty"`
}

// AgreementRow is how far two models agree.
type AgreementRow struct {
	Model       string            `json:"model"`
	Other       string            `json:"other"`
	N           int               `json:"n"`
	Same        evaluate.Figure   `json:"same_action"`
	Correlation evaluate.Figure   `json:"correlation"` // Pearson, of the opinions
	Reasons     map[string]string `json:"reasons,omitempty"`
}

// ComparisonRow puts the figures that say what the models are worth side by side: pooled IC at the primary horizon and
// the PnL of window "all". The IC of an opinion is its own; its PnL is that of the composite
// combined with it, so that Ensemble and Combined have the same.
type ComparisonRow struct {
	Signal      string            `json:"signal"`
	IC          evaluate.Figure   `json:"ic"`
	T           evaluate.Figure   `json:"t"`
	TotalReturn evaluate.Figure   `json:"total_return"`
	Added       evaluate.Figure   `json:"added_return"` // total_return less that of the composite alone
	Sharpe      evaluate.Figure   `json:"sharpe"`
	MaxDrawdown evaluate.Figure   `json:"max_drawdown"`
	Fees        evaluate.Figure   `json:"fees"`
	Trades      evaluate.Figure   `json:"trades"`
	Reasons     map[string]string `json:"reasons,omitempty"`
}

// CutoffRow is how a model did before or after its knowledge cut-off, by the time of the question. Figures
// are those of CalibrationRow; IC is the n-weighted mean over instruments of the Pearson correlation of
// opinion and forward return.
type CutoffRow struct {
	Model      string            `json:"model"`
	Cutoff     string            `json:"knowledge_cutoff"`
	Period     string            `json:"period"` // before or after
	N          int               `json:"n"`
	HitRate    evaluate.Figure   `json:"hit_rate"`
	IC         evaluate.Figure   `json:"ic"`
	Brier      evaluate.Figure   `json:"brier"`
	MeanReturn evaluate.Figure   `json:"mean_return"`
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// ModelVerdict says whether a model may have read about the time that it was asked about.
type ModelVerdict struct {
	Model   string            `json:"model"`
	Cutoff  string            `json:"knowledge_cutoff,omitempty"`
	Verdict string            `json:"verdict"` // Clean, Overlaps, Contaminated or UnknownCutoff
	Windows []string          `json:"windows"` // those that begin before the cut-off, "all" among them
	P       evaluate.Figure   `json:"p"`       // of the test for contamination
	Text    string            `json:"text"`    // the verdict in a sentence
	Reasons map[string]string `json:"reasons,omitempty"`
}

// Verdicts on what a model may have known.
const (
	Clean         = "clean"        // the span begins at the knowledge cut-off or after it
	Overlaps      = "overlaps"     // some of the span, or all of it, lies before the cut-off
	Contaminated  = "contaminated" // it overlaps, and the model did better before the cut-off than after it
	UnknownCutoff = "unknown"      // the study names no cut-off
)

// PairedRow compares a model's answers to anonymized prompts with those to plain ones, over the
// questions that it answered validly in both forms. Differences are plain less anonymized; their t is over the
// means by question time.
type PairedRow struct {
	Model                string            `json:"model"`
	N                    int               `json:"n"`
	SameAction           evaluate.Figure   `json:"same_action"`         // share
	HitRateAnonymized    evaluate.Figure   `json:"hit_rate_anonymized"` // of the questions on which both take a side
	HitRatePlain         evaluate.Figure   `json:"hit_rate_plain"`
	HitRateDifference    evaluate.Figure   `json:"hit_rate_difference"`
	HitRateT             evaluate.Figure   `json:"hit_rate_t"`
	MeanReturnAnonymized evaluate.Figure   `json:"mean_return_anonymized"` // log, of the action's sign; neutral is 0
	MeanReturnPlain      evaluate.Figure   `json:"mean_return_plain"`
	MeanReturnDifference evaluate.Figure   `json:"mean_return_difference"`
	MeanReturnT          evaluate.Figure   `json:"mean_return_t"`
	Reasons              map[string]string `json:"reasons,omitempty"`
}
