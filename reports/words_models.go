package reports

import (
	"fmt"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/signals/llm"
)

// setup says how the models take part.
func (m *Models) setup() string {
	n := len(m.names())
	who := "one model"
	if n != 1 {
		who = count(float64(n)) + " models, by " + map[llm.Ensemble]string{
			llm.Mean: "their mean", llm.Majority: "majority", llm.Weighted: "weighted mean",
		}[m.Ensemble]
	}
	how := map[llm.Combine]string{
		llm.Blend: "blended with the composite at a weight of " + plain(m.Weight, 2),
		llm.Gate:  "letting the composite trade only where the signs agree", llm.Replace: "in the composite's place",
	}[m.Mode]
	s := fmt.Sprintf("%s, %s; %s questions, asked every %s", who, how, count(float64(m.Questions)), m.Cadence)
	if m.Anonymized {
		s += ", without names, dates and price level"
	}
	return s
}

// addSentence says what the models changed.
func (m *Models) addSentence() string {
	with, without := m.compared(study.Combined), m.compared(study.Composite)
	if with == nil || without == nil || !finite(float64(with.Added)) {
		return "What they added to the return cannot be said."
	}
	return fmt.Sprintf("With them the run returned %s, without them %s: a difference of %s points. The IC is %s with and %s without.",
		percent(with.TotalReturn, 1), percent(without.TotalReturn, 1), signed(with.Added*100, 1), signed(with.IC, 4), signed(without.IC, 4))
}

// addWords is the same in a few words.
func (m *Models) addWords() word {
	with := m.compared(study.Combined)
	switch {
	case with == nil || !finite(float64(with.Added)):
		return word{"Not known", "open"}
	case with.Added > 0:
		return word{signed(with.Added*100, 1) + " points of return", "good"}
	}
	return word{signed(with.Added*100, 1) + " points of return", "bad"}
}

// usageWords sums up what became of the answers and what they cost.
func usageWords(u *opinions.UsageRow) string {
	s := fmt.Sprintf("%s invalid, %s missing", count(float64(u.Invalid)), count(float64(u.Missing)))
	if finite(float64(u.CostUSD)) {
		s += ", " + usd(u.CostUSD) + " USD"
	}
	return s
}

// usd is an amount of money with the decimals that small ones need.
func usd(f evaluate.Figure) string {
	switch v := float64(f); {
	case !finite(v):
		return absent
	case v == 0 || v >= 0.995:
		return plain(f, 2)
	case v >= 0.01:
		return plain(f, 3)
	}
	return compact(float64(f))
}

// verdictNames are the verdicts on what models may have known, for reading, with their tones.
var verdictNames = map[string]word{
	opinions.Clean:         {"clean", "good"},
	opinions.Overlaps:      {"overlaps its training", "open"},
	opinions.Contaminated:  {"contaminated", "bad"},
	opinions.UnknownCutoff: {"cut-off not known", "open"},
}

func verdictName(v string) word {
	if w, ok := verdictNames[v]; ok {
		return w
	}
	return word{v, "open"}
}

// signalName is a signal's name for reading.
func signalName(s string) string {
	switch s {
	case study.Ensemble:
		return "models together"
	case study.Combined:
		return "composite and models"
	}
	return strings.TrimPrefix(s, study.OneModel)
}

// agreeSentence says how far the models agree; nothing where there is one.
func (m *Models) agreeSentence() string {
	a := m.Agreement
	if a.Questions == 0 {
		return ""
	}
	return fmt.Sprintf("Over %s questions that at least two answered validly, %s of the models took the commonest action on average; on %s of them all took the same, on %s one said long and another short.",
		count(float64(a.Questions)), share(a.Mean, 0), share(a.Unanimous, 0), share(a.Opposed, 0))
}
