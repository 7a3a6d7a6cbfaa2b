package reports

import (
	"fmt"
	"html/template"

	"github.com/qf-dev/qf/reports/chart"
)

// modelsView is the section on language models.
type modelsView struct {
	*Models
	Setup, Text, Usage                             string
	Added                                          word
	Names                                          []string
	Reliability                                    template.HTML
	Comparison, UsageTable, Cost, Prices           grid
	Calibration, Bins, Cutoffs, Pairs, PairedTable grid
}

func newModelsView(m *Models) *modelsView {
	v := &modelsView{
		Models: m, Setup: m.setup(), Text: m.addSentence(), Added: m.addWords(), Names: m.names(),
		Reliability: reliabilityChart(m), Comparison: comparisonGrid(m), UsageTable: usageGrid(m), Cost: costGrid(m), Prices: pricesGrid(m),
		Calibration: calibrationGrid(m), Bins: reliabilityGrid(m), Cutoffs: cutoffGrid(m), Pairs: agreementGrid(m), PairedTable: pairedGrid(m),
	}
	v.Names = v.Names[:min(len(v.Names), chart.MaxSeries)]
	if u := m.total(); u != nil {
		v.Usage = count(float64(u.Calls)) + " answers, " + usageWords(u)
	}
	return v
}

// Verdict is the verdict on what a model may have known, for reading.
func (*modelsView) Verdict(v string) word { return verdictName(v) }

// Stated is a model's stated confidence and position size.
func (e Example) Stated() string {
	if e.Action == invalid {
		return "traded as neutral"
	}
	return fmt.Sprintf("confidence %s, position size %s, opinion %s", share(e.Confidence, 0), signed(e.PositionSize, 2), signed(e.Opinion, 2))
}
