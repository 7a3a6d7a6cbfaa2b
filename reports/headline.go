package reports

import (
	"github.com/qf-dev/qf/backtest/evaluate"
)

// word is a verdict of a few words with its tone: good, bad or open.
type word struct{ Text, Tone string }

// headline is one large figure.
type headline struct{ Label, Value, Note, Tone string }

func (v Verdict) words() (predicts, pays word) {
	tones := map[string]string{green: "good", red: "bad", yellow: "open"}
	text, style := v.predictWords()
	predicts = word{text, tones[style]}
	text, style = v.payWords()
	return predicts, word{text, tones[style]}
}

// headlines are the six figures of the first screen.
func headlines(d *Report) []headline {
	var out []headline
	if ic := d.Headline(); ic != nil {
		lo, hi := interval(ic)
		note := "t " + signed(ic.T, 1) + ", p " + pValue(ic.P)
		if finite(lo) {
			note = "95%: " + span(evaluate.Figure(lo), evaluate.Figure(hi), 3)
		}
		out = append(out, headline{"IC, " + ic.Horizon + " ahead", signed(ic.Pearson, 3), note, ""})
	}
	p := d.Outcome()
	if p == nil {
		return out
	}
	earned := known(shares(p.Of("total_return_low"), p.Of("total_return_high")))
	if earned != "" {
		earned = "95%: " + earned + "; "
	}
	sharpe := "annualized from " + count(float64(d.daysKnown(p))) + " days"
	if s := span(p.Of("sharpe_low"), p.Of("sharpe_high"), 1); s != "" {
		sharpe = "95%: " + s + "; " + sharpe
	}
	costs := (p.Of("fees") + p.Of("slippage") + p.Of("impact")) / p.Of("initial_equity")
	return append(out,
		headline{"Return after costs", percent(p.Of("total_return"), 1), earned + "holding " + percent(p.Of("buy_and_hold"), 1), tone(float64(p.Of("total_return")))},
		headline{"Sharpe ratio", signed(p.Of("sharpe"), 2), sharpe, ""},
		headline{"Maximum drawdown", percent(p.Of("max_drawdown"), 1), plain(p.Of("max_drawdown_days"), 0) + " days under water", ""},
		headline{"Costs", share(costs, 1), "of initial equity" + prefixed("; return ", without(percent(d.zeroCost(), 1))), ""},
		headline{"Break-even cost", plain(p.Of("break_even_bps"), 1) + " bps", "turnover " + multiple(p.Of("turnover_per_day")) + " a day", ""},
	)
}
