package opinions

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

// Input is what models are judged by.
type Input struct {
	Study       *study.Study
	Opinions    *llm.Opinions // of Listener.Close, as Forward
	Forward     []float64     // by question
	Instruments []datasets.Instrument
	Span        study.Span
	Windows     []study.Span
	// PnL is what a signal earned over the whole span: study.Composite, which is the study without its models, each
	// study.OneModel, which is composite and that model alone combined, or study.Combined.
	PnL func(signal string) evaluate.PnLRow
	IC  []evaluate.ICRow // of those signals and of study.Ensemble
}

// Models is what the language models of a study said, what that cost, and what it was worth.
type Models struct {
	Opinions *llm.Opinions `json:"-"` // every question and reply

	Mode       llm.Combine     `json:"combine"`
	Weight     evaluate.Figure `json:"weight"` // λ of a blend, else null
	Ensemble   llm.Ensemble    `json:"ensemble"`
	Cadence    string          `json:"cadence"`
	Anonymized bool            `json:"anonymized"`
	Questions  int             `json:"questions"` // put to each model

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

// Judge makes the rows of a study's models, once everything else is evaluated. A warning names each model that knew
// what was to come. The error is of the cache, in which the other form of the prompts is looked for.
func Judge(in Input) (*Models, []error, error) {
	l := in.Study.Signals.LLM
	m := &Models{
		Opinions: in.Opinions, Mode: l.Combine.Mode, Weight: null, Ensemble: l.Ensemble, Cadence: l.Cadence.String(),
		Anonymized: l.Anonymize, Questions: len(in.Opinions.Questions), CutoffRows: []CutoffRow{},
	}
	if l.Combine.Mode == llm.Blend {
		m.Weight = evaluate.Figure(l.Combine.Weight)
	}
	var err error
	if m.other, err = in.otherForm(); err != nil {
		return nil, nil, err
	}
	m.Usage, m.Comparison, m.Agreement, m.Paired = in.usageRows(), in.comparisonRows(), agreement(in.Opinions), in.pairedRows(m.other)
	var warnings []error
	for k, model := range in.Opinions.Config.Models {
		list := in.outcomes(in.Opinions, k)
		m.Calibration = append(m.Calibration, calibrationRow(model.Name, m.Cadence, list))
		m.Reliability = append(m.Reliability, reliabilityRows(model.Name, list)...)
		if model.KnowledgeCutoff != 0 {
			m.CutoffRows = append(m.CutoffRows, cutoffRows(model, list, len(in.Instruments))...)
		}
		v := in.verdict(model, list)
		m.Verdicts = append(m.Verdicts, v)
		if v.Verdict == Contaminated {
			warnings = append(warnings, fmt.Errorf("%s is contaminated: %s", v.Model, v.Text))
		}
	}
	return m, warnings, nil
}

// WriteReplies writes what the models said, in both forms of prompts where both are cached, as lines of JSON: by this a
// run's digest tells answers apart.
func (m *Models) WriteReplies(w io.Writer) error {
	e := json.NewEncoder(w)
	if err := e.Encode(m.Opinions.Replies); err != nil || m.other == nil {
		return err
	}
	return e.Encode(m.other.Replies)
}
