package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest"
)

// significance is the two-sided p below which a score is said to predict.
const significance = 0.05

// Verdict answers the two questions in one word each.
type Verdict struct {
	// Predicts: yes, no, reversed (the score predicts with the wrong sign) or unknown.
	Predicts string `json:"predicts"`
	// Pays: yes or no after costs, unknown where net PnL is, idle where nothing was traded.
	Pays string `json:"pays"`
}

func judge(d *Report) Verdict {
	v := Verdict{Predicts: "unknown", Pays: "unknown"}
	if ic := d.Headline(); ic != nil && finite(float64(ic.P)) {
		switch {
		case ic.P >= significance:
			v.Predicts = "no"
		case ic.Pearson < 0:
			v.Predicts = "reversed"
		default:
			v.Predicts = "yes"
		}
	}
	if pnl := d.Outcome(); pnl != nil {
		switch {
		case pnl.Trades == 0:
			v.Pays = "idle"
		case !finite(float64(pnl.TotalReturn)):
		case pnl.TotalReturn > 0:
			v.Pays = "yes"
		default:
			v.Pays = "no"
		}
	}
	return v
}

// Headline is the row on which the first question is decided: the pooled IC of the score over the
// whole span at the primary horizon; nil where there is none.
func (d *Report) Headline() *backtest.ICRow {
	return d.pooled(d.Score, backtest.All, d.PrimaryHorizon)
}

// pooled is the IC of a signal over all instruments, which is that of the one where there is one.
func (d *Report) pooled(signal, window, horizon string) *backtest.ICRow {
	var alone *backtest.ICRow
	for k := range d.IC {
		row := &d.IC[k]
		if row.Signal != signal || row.Window != window || row.Horizon != horizon {
			continue
		}
		if row.Instrument == backtest.Pooled {
			return row
		}
		if len(d.Instruments) == 1 {
			alone = row
		}
	}
	return alone
}

// Outcome is the row on which the second question is decided: the PnL of the score over the whole
// span; nil where there is none.
func (d *Report) Outcome() *backtest.PnLRow {
	for k := range d.PnL {
		if row := &d.PnL[k]; row.Signal == d.Score && row.Window == backtest.All {
			return row
		}
	}
	return nil
}

func (d *Report) predictSentence() string {
	ic := d.Headline()
	if ic == nil {
		return "The score was not judged at the primary horizon."
	}
	h := d.PrimaryHorizon
	figures := fmt.Sprintf("IC %s, t %s, p %s, %s effective observations",
		signed(ic.Pearson, 3), signed(ic.T, 1), pValue(ic.P), count(float64(ic.NEffective)))
	switch d.Verdict.Predicts {
	case "yes":
		return fmt.Sprintf("The score predicts returns %s ahead (%s).", h, figures)
	case "reversed":
		return fmt.Sprintf("The score points the wrong way %s ahead: high scores were followed by low returns (%s).", h, figures)
	case "no":
		return fmt.Sprintf("Nothing shows that the score predicts returns %s ahead (%s).", h, figures)
	}
	reason := ic.Reasons["t"]
	if reason == "" {
		reason = "the test has too few independent observations"
	}
	return fmt.Sprintf("Whether the score predicts returns %s ahead cannot be said: %s.", h, strings.TrimSuffix(reason, "."))
}

func (d *Report) paySentence() string {
	p := d.Outcome()
	if p == nil {
		return "No run was made."
	}
	span := "over " + count(float64(d.Span.Days)) + " days"
	hold := ""
	if finite(float64(p.BuyAndHold)) {
		hold = " Buy and hold returned " + percent(p.BuyAndHold, 1) + "."
	}
	before := beforeCosts(p)
	switch {
	case d.Verdict.Pays == "yes":
		return fmt.Sprintf("Trading it returned %s after costs %s.%s", percent(p.TotalReturn, 1), span, hold)
	case d.Verdict.Pays == "no" && before > 0:
		return fmt.Sprintf("Trading it made %s before costs and lost %s after them %s.%s", share(before, 1), share(abs(p.TotalReturn), 1), span, hold)
	case d.Verdict.Pays == "no":
		return fmt.Sprintf("Trading it lost %s after costs %s.%s", share(abs(p.TotalReturn), 1), span, hold)
	case d.Verdict.Pays == "idle":
		return "Nothing was traded: the score never crossed a threshold."
	}
	reason := p.Reasons["total_return"]
	if reason == "" {
		reason = "a figure that it needs is missing"
	}
	s := "What trading it returned cannot be said: " + strings.TrimSuffix(reason, ".") + "."
	if v := p.UnfundedPnL / p.InitialEquity; finite(float64(v)) {
		s += " Without funding it is " + percent(v, 1) + "."
	}
	return s
}

// sureSentence says how sure the verdict is, or nothing where that is not known.
func (d *Report) sureSentence() string {
	var out []string
	if p := d.Outcome(); p != nil && finite(float64(p.PSR)) {
		s := "The chance that its true Sharpe ratio is above zero is " + chance(p.PSR)
		if m := float64(p.MinTRLDays); finite(m) && p.PSR < 0.95 && m > float64(d.Span.Days) {
			s += fmt.Sprintf("; a record of %s days would be needed to be 95%% sure", count(math.Ceil(m)))
		}
		out = append(out, s+".")
	}
	if ic := d.Headline(); ic != nil && slices.Contains(ic.Warnings, backtest.FewSpans) {
		out = append(out, "The score changed its mind fewer than 10 times, so that its t says little.")
	}
	return strings.Join(out, " ")
}

// chance is a probability in whole percent that is never said to be 0 or 100.
func chance(f backtest.Figure) string {
	switch {
	case f < 0.01:
		return "below 1%"
	case f > 0.99:
		return "above 99%"
	}
	return share(f, 0)
}

func abs(f backtest.Figure) backtest.Figure { return backtest.Figure(math.Abs(float64(f))) }
