package backtest

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// Models is what the language models of a study said, what that cost, and what it was worth.
//
// Evaluated.IC, Levels, Transitions, Spread, Spreads, Memory and Slices have rows for the signals Composite, Ensemble,
// each OneModel and Combined. Evaluated.PnL has rows for Composite, which is the study without its models, each
// OneModel, which is composite and that model alone combined, and Combined, the run that everything else
// in a report is about.
type Models struct {
	Opinions *llm.Opinions    `json:"-"` // every question and reply
	Panels   []*factors.Panel `json:"-"` // the opinion that holds at each bar: Ensemble, then each OneModel

	Mode       llm.Combine  `json:"combine"`
	Weight     Figure       `json:"weight"` // λ of a blend, else null
	Ensemble   llm.Ensemble `json:"ensemble"`
	Cadence    string       `json:"cadence"`
	Anonymized bool         `json:"anonymized"`
	Questions  int          `json:"questions"` // put to each model

	Usage       []UsageRow       `json:"usage"`       // by model, then "*" for all of them
	Calibration []CalibrationRow `json:"calibration"` // by model
	Reliability []ReliabilityRow `json:"reliability"` // ten by model
	Agreement   AgreementSummary `json:"agreement"`
	Comparison  []ComparisonRow  `json:"comparison"` // Composite, Ensemble, each OneModel, Combined
	CutoffRows  []CutoffRow      `json:"cutoffs"`    // two by model whose cut-off is known
	Verdicts    []ModelVerdict   `json:"verdicts"`   // by model
	Paired      []PairedRow      `json:"paired"`     // by model; empty unless anonymized and plain prompts are both cached

	other *llm.Opinions // anonymized, where Opinions are not, or the other way round; nil where none is cached
}

// judgeModels fills in the rows of a result that has models, once everything else is evaluated.
func (r *Result) judgeModels() (err error) {
	m := r.Models
	if m == nil {
		return nil
	}
	if m.other, err = r.otherForm(); err != nil {
		return err
	}
	m.Usage, m.Comparison, m.Agreement, m.Paired = r.usageRows(), r.comparisonRows(), agreement(m.Opinions), r.pairedRows()
	m.CutoffRows = []CutoffRow{}
	for k, model := range m.Opinions.Config.Models {
		list := r.told(m.Opinions, k)
		m.Calibration = append(m.Calibration, r.calibrationRow(model.Name, list))
		m.Reliability = append(m.Reliability, reliabilityRows(model.Name, list)...)
		m.Verdicts = append(m.Verdicts, r.verdict(model, list))
		if model.KnowledgeCutoff != 0 {
			m.CutoffRows = append(m.CutoffRows, r.cutoffRows(model, list)...)
		}
	}
	for _, v := range m.Verdicts {
		if v.Verdict == Contaminated {
			r.warn(fmt.Errorf("%s is contaminated: %s", v.Model, v.Text))
		}
	}
	return nil
}

// write puts what the models said into a digest.
func (m *Models) write(w io.Writer) error {
	e := json.NewEncoder(w)
	if err := e.Encode(m.Opinions.Replies); err != nil || m.other == nil {
		return err
	}
	return e.Encode(m.other.Replies)
}

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
	CostUSD       Figure            `json:"cost_usd"`
	CostPerCall   Figure            `json:"cost_per_call_usd"`
	LatencyP50    Figure            `json:"latency_p50_seconds"`
	LatencyP95    Figure            `json:"latency_p95_seconds"`
	CostPerBp     Figure            `json:"cost_per_bp_usd"`       // by basis point that the run with this model earned on the initial capital
	CostPerBpMore Figure            `json:"cost_per_added_bp_usd"` // by basis point that it earned more than the composite alone
	AtPrices      []PriceRow        `json:"at_prices"`             // the same tokens with each priced model
	Reasons       map[string]string `json:"reasons,omitempty"`
}

// PriceRow is what tokens would have cost with a model.
type PriceRow struct {
	Model   string `json:"model"`
	CostUSD Figure `json:"cost_usd"`
}

// CalibrationRow compares a model's stated confidence with how often it was right. It is of its valid answers
// that take a side and have a forward return over the horizon: a hit is a return of the action's sign.
type CalibrationRow struct {
	Model      string            `json:"model"`
	Horizon    string            `json:"horizon"` // the cadence
	N          int               `json:"n"`
	Neutral    int               `json:"neutral"`    // valid answers that take no side
	Confidence Figure            `json:"confidence"` // mean
	HitRate    Figure            `json:"hit_rate"`
	Brier      Figure            `json:"brier"`       // mean of (confidence − hit)²; 0 is perfect
	BrierSkill Figure            `json:"brier_skill"` // 1 − brier/(h(1 − h)), h the hit rate: above 0, the confidence says more than its mean would
	MeanReturn Figure            `json:"mean_return"` // log, of the action's sign
	T          Figure            `json:"t"`           // of mean_return, over the means by question time
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// ReliabilityRow is one tenth of the confidences from 0 to 1, the upper end excluded but for the last.
type ReliabilityRow struct {
	Model      string            `json:"model"`
	Bin        int               `json:"bin"` // 1 to 10
	From       float64           `json:"from"`
	To         float64           `json:"to"`
	N          int               `json:"n"`
	Confidence Figure            `json:"confidence"` // mean
	HitRate    Figure            `json:"hit_rate"`
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// AgreementSummary says how far the models agree, over the questions that at least two answered validly.
type AgreementSummary struct {
	Questions int               `json:"questions"`
	Mean      Figure            `json:"mean"`      // share of models with the commonest action
	Unanimous Figure            `json:"unanimous"` // share of questions on which all took the same action
	Opposed   Figure            `json:"opposed"`   // share on which one said long and another short
	Pairs     []AgreementRow    `json:"pairs"`
	Reasons   map[string]string `json:"reasons,omitempty"`
}

// AgreementRow is how far two models agree.
type AgreementRow struct {
	Model       string            `json:"model"`
	Other       string            `json:"other"`
	N           int               `json:"n"`
	Same        Figure            `json:"same_action"`
	Correlation Figure            `json:"correlation"` // Pearson, of the opinions
	Reasons     map[string]string `json:"reasons,omitempty"`
}

// ComparisonRow puts the figures of Evaluated that say what the models are worth side by side: pooled IC at the primary
// horizon and the PnL of window "all". The IC of an opinion is its own; its PnL is that of the composite
// combined with it, so that Ensemble and Combined have the same.
type ComparisonRow struct {
	Signal      string            `json:"signal"`
	IC          Figure            `json:"ic"`
	T           Figure            `json:"t"`
	TotalReturn Figure            `json:"total_return"`
	Added       Figure            `json:"added_return"` // total_return less that of the composite alone
	Sharpe      Figure            `json:"sharpe"`
	MaxDrawdown Figure            `json:"max_drawdown"`
	Fees        Figure            `json:"fees"`
	Trades      int               `json:"trades"`
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
	HitRate    Figure            `json:"hit_rate"`
	IC         Figure            `json:"ic"`
	Brier      Figure            `json:"brier"`
	MeanReturn Figure            `json:"mean_return"`
	Reasons    map[string]string `json:"reasons,omitempty"`
}

// ModelVerdict says whether a model may have read about the time that it was asked about.
type ModelVerdict struct {
	Model   string            `json:"model"`
	Cutoff  string            `json:"knowledge_cutoff,omitempty"`
	Verdict string            `json:"verdict"` // Clean, Overlaps, Contaminated or UnknownCutoff
	Windows []string          `json:"windows"` // those that begin before the cut-off, "all" among them
	P       Figure            `json:"p"`       // of the test for contamination
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
	SameAction           Figure            `json:"same_action"`         // share
	HitRateAnonymized    Figure            `json:"hit_rate_anonymized"` // of the questions on which both take a side
	HitRatePlain         Figure            `json:"hit_rate_plain"`
	HitRateDifference    Figure            `json:"hit_rate_difference"`
	HitRateT             Figure            `json:"hit_rate_t"`
	MeanReturnAnonymized Figure            `json:"mean_return_anonymized"` // log, of the action's sign; neutral is 0
	MeanReturnPlain      Figure            `json:"mean_return_plain"`
	MeanReturnDifference Figure            `json:"mean_return_difference"`
	MeanReturnT          Figure            `json:"mean_return_t"`
	Reasons              map[string]string `json:"reasons,omitempty"`
}
