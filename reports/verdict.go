package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
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
		case ic.T < 0:
			v.Predicts = "reversed"
		default:
			v.Predicts = "yes"
		}
	}
	if pnl := d.Outcome(); pnl != nil {
		switch {
		case pnl.Of("trades") == 0:
			v.Pays = "idle"
		case !finite(float64(pnl.Of("total_return"))), d.holeWords(pnl) != "":
		case pnl.Of("total_return") > 0:
			v.Pays = "yes"
		default:
			v.Pays = "no"
		}
	}
	return v
}

// maxHole is the share of the days, and of what was earned, in holes of the data beyond which it is not said whether
// trading pays.
const maxHole = 0.1

// holeWords says that too much lies in days that the lake does not hold; nothing where it does not.
func (d *Report) holeWords(p *evaluate.PnLRow) string {
	if n := p.Of("days_in_holes"); n > maxHole*d.Span.Days {
		return fmt.Sprintf("the lake lacks %s of %s days", count(float64(n)), count(float64(d.Span.Days)))
	}
	over, net := p.Of("pnl_over_holes"), p.Of("final_equity")-p.Of("initial_equity")
	if p.Of("days_in_holes") > 0 && abs(over) > maxHole*abs(net) {
		return fmt.Sprintf("%s of %s %s came over days that the lake lacks", signed(over, 0), signed(net, 0), d.money())
	}
	return ""
}

// daysKnown are the single days that daily figures are of.
func (d *Report) daysKnown(p *evaluate.PnLRow) evaluate.Figure {
	if n := p.Of("daily_returns"); finite(float64(n)) {
		return n
	}
	return d.Span.Days
}

// Headline is the row on which the first question is decided: the pooled IC of the score over the
// whole span at the primary horizon; nil where there is none.
func (d *Report) Headline() *evaluate.ICRow {
	return d.pooled(d.Score, evaluate.All, d.PrimaryHorizon)
}

// pooled is the IC of a signal over all instruments, which is that of the one where there is one.
func (d *Report) pooled(signal, window, horizon string) *evaluate.ICRow {
	var alone *evaluate.ICRow
	for k := range d.IC {
		row := &d.IC[k]
		if row.Signal != signal || row.Window != window || row.Horizon != horizon {
			continue
		}
		if row.Instrument == evaluate.Pooled {
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
func (d *Report) Outcome() *evaluate.PnLRow {
	for k := range d.PnL {
		if row := &d.PnL[k]; row.Signal == d.Score && row.Window == evaluate.All {
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
	if finite(float64(p.Of("buy_and_hold"))) {
		hold = " Buy and hold returned " + percent(p.Of("buy_and_hold"), 1) + "."
	}
	before := d.zeroCost()
	switch {
	case d.Verdict.Pays == "yes":
		return fmt.Sprintf("Trading it returned %s after costs %s.%s", percent(p.Of("total_return"), 1), span, hold)
	case d.Verdict.Pays == "no" && before > 0:
		return fmt.Sprintf("Trading it would have made %s without costs and lost %s with them %s.%s", share(before, 1), share(abs(p.Of("total_return")), 1), span, hold)
	case d.Verdict.Pays == "no":
		return fmt.Sprintf("Trading it lost %s after costs %s.%s", share(abs(p.Of("total_return")), 1), span, hold)
	case d.Verdict.Pays == "idle":
		return "Nothing was traded: the score never crossed a threshold."
	}
	reason := cmp.Or(p.Reasons["total_return"], d.holeWords(p), "a figure that it needs is missing")
	s := "What trading it returned cannot be said: " + strings.TrimSuffix(reason, ".") + "."
	if u := d.netUnknown(evaluate.All); u != nil {
		s = "What trading it returned cannot be said: " + u.words() + "."
	}
	if v := p.Of("pnl_without_funding") / p.Of("initial_equity"); finite(float64(v)) {
		s += " Without funding it is " + percent(v, 1) + "."
	}
	return s
}

// surePrediction says how sure the answer to the first question is, or nothing where that is not known.
func (d *Report) surePrediction() string {
	ic := d.Headline()
	if ic == nil {
		return ""
	}
	var out []string
	if finite(float64(ic.P)) {
		out = append(out, fmt.Sprintf("Were there nothing to predict, a t as large as %s would come up with a chance of %s.", plain(abs(ic.T), 1), chance(ic.P)))
	}
	if slices.Contains(ic.Warnings, evaluate.FewSpans) {
		out = append(out, "The score changed its mind fewer than 10 times, so that its t says little.")
	}
	return strings.Join(out, " ")
}

// surePay says the same of the second question.
func (d *Report) surePay() string {
	p := d.Outcome()
	if p == nil || !finite(float64(p.Of("psr"))) {
		return ""
	}
	s := "The chance that its true Sharpe ratio is above zero is " + chance(p.Of("psr"))
	if m := float64(p.Of("min_trl_days")); finite(m) && p.Of("psr") < 0.95 && m > float64(d.daysKnown(p)) {
		s += fmt.Sprintf("; a record of %s days would be needed to be 95%% sure", count(math.Ceil(m)))
	}
	if t := d.Trials; t != nil && t.Count > 1 {
		s += fmt.Sprintf("; after %s trials, that it is above what the best of as many worthless ones would show: %s", count(float64(t.Count)), chance(t.DSR))
	}
	return s + "."
}

// chance is a probability in whole percent that is never said to be 0 or 100.
func chance(f evaluate.Figure) string {
	switch {
	case !finite(float64(f)):
		return absent
	case f < 0.01:
		return "below 1%"
	case f > 0.99:
		return "above 99%"
	}
	return share(f, 0)
}

func abs(f evaluate.Figure) evaluate.Figure { return evaluate.Figure(math.Abs(float64(f))) }
