package reports

import (
	"github.com/qf-dev/qf/backtest"
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
			note = "95%: " + span(backtest.Figure(lo), backtest.Figure(hi), 3)
		}
		out = append(out, headline{"IC, " + ic.Horizon + " ahead", signed(ic.Pearson, 3), note, ""})
	}
	p := d.Outcome()
	if p == nil {
		return out
	}
	earned := known(shares(p.TotalReturnLow, p.TotalReturnHigh))
	if earned != "" {
		earned = "95%: " + earned + "; "
	}
	sharpe := "annualized from " + count(float64(d.Span.Days)) + " days"
	if s := span(p.SharpeLow, p.SharpeHigh, 1); s != "" {
		sharpe = "95%: " + s + "; " + sharpe
	}
	costs := (p.Fees + p.Slippage + p.Impact) / p.InitialEquity
	return append(out,
		headline{"Return after costs", percent(p.TotalReturn, 1), earned + "holding " + percent(p.BuyAndHold, 1), tone(float64(p.TotalReturn))},
		headline{"Sharpe ratio", signed(p.Sharpe, 2), sharpe, ""},
		headline{"Maximum drawdown", percent(p.MaxDrawdown, 1), plain(p.MaxDrawdownDays, 0) + " days under water", ""},
		headline{"Costs", share(costs, 1), "of initial equity; " + percent(beforeCosts(p), 1) + " before them", ""},
		headline{"Break-even cost", plain(p.BreakEvenBps, 1) + " bps", "turnover " + multiple(p.TurnoverPerDay) + " a day", ""},
	)
}
