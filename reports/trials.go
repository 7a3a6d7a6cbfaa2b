package reports

import (
	"fmt"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// overfitting is the share of halvings above which picking the best is called overfitting: a coin does as well.
const overfitting = 0.5

// tried is what to say of the trials beside a run; nothing where it is the only one. subject is the run in the middle of a
// sentence.
func tried(t *evaluate.Trials, subject string) []string {
	if t == nil || t.Count < 2 {
		return nil
	}
	place := fmt.Sprintf("%s is number %s by Sharpe ratio", subject, count(float64(t.Rank)))
	if t.Rank == 1 {
		place = subject + " is the best"
	}
	among := fmt.Sprintf(" of the %s trials", count(float64(t.Count)))
	if t.Compared < t.Count {
		among = fmt.Sprintf(" of the %s trials that know the same days, out of %s", count(float64(t.Compared)), count(float64(t.Count)))
	}
	if t.Compared < 2 {
		place, among = "", fmt.Sprintf("%s trials were scored on spans that overlap", count(float64(t.Count)))
	}
	out := []string{upper(place + among + ".")}
	if finite(float64(t.Expected)) && finite(float64(t.DSR)) {
		out = append(out, fmt.Sprintf("Were all of them worthless, the best would still be expected to show a Sharpe ratio of %s, since they amount to %s independent ones; the chance that the true ratio of %s is above that is %s.",
			signed(t.Expected, 2), plain(t.Effective, 1), subject, chance(t.DSR)))
	}
	if t.PBO >= 0 {
		verdict := "so that what is best on some days tends to stay good on others"
		if t.PBO > overfitting {
			verdict = "so that picking the best is worse than picking any"
		} else if t.PBO > 0.3 {
			verdict = "so that being the best on some days says little about others"
		}
		out = append(out, fmt.Sprintf("Of all ways to halve the days, the best trial of one half ranks in the lower half of the other in %s, %s.", share(t.PBO, 0), verdict))
	}
	if t.SPA >= 0 {
		out = append(out, fmt.Sprintf("Were no trial worth anything, the best of them would look as good as this with a chance of %s.", chance(t.SPA)))
	}
	return out
}

// upper is s with a capital.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Tried is what the page says of the trials beside the run.
func (p *page) Tried() []string { return tried(p.Report.Trials, "this run") }

// trialGrid has the corrections for what was tried.
func trialGrid(t *evaluate.Trials) grid {
	g := grid{Caption: "After all trials", Head: []heading{{Text: "Figure"}, {Text: "Value", Numeric: true}, {Text: "What it is"}, {Text: "Source"}}}
	if t == nil || t.Count < 2 {
		return grid{}
	}
	add := func(name, key string, v evaluate.Figure, text, what, source string) {
		g.Rows = append(g.Rows, []entry{words(name), figure(v, text, t.Reasons[key]), words(what), words(source)})
	}
	p := func(name, key string, v evaluate.Figure, what, source string) {
		add(name, key, v, pValue(v), what, source)
	}
	add("Trials", "", evaluate.Figure(t.Count), count(float64(t.Count)), "configurations of an instrument in common on spans that overlap, in the lake's ledger", "")
	add("Independent trials", "", t.Effective, plain(t.Effective, 1), "ρ + (1 − ρ)·trials, ρ the mean correlation of their daily returns, "+plain(t.Correlation, 2), "Bailey, López de Prado 2014")
	add("Spread of the Sharpe ratios", "sharpe_std", t.Spread, plain(t.Spread, 2), "standard deviation over trials", "")
	add("Expected best Sharpe ratio", "", t.Expected, plain(t.Expected, 2), "of as many worthless trials", "Bailey, López de Prado 2014")
	add("Best Sharpe ratio", "best_sharpe", t.Best, signed(t.Best, 2), "of the trials that know the same days, "+count(float64(t.Compared)), "")
	add("Deflated Sharpe ratio", "dsr", t.DSR, share(t.DSR, 1), "chance that the true ratio is above the expected best", "Bailey, López de Prado 2014")
	add("Probability of overfitting", "pbo", t.PBO, share(t.PBO, 0), fmt.Sprintf("PBO: share of the halvings of the days, cut into %d blocks, after which the best ranks in the lower half", t.Blocks), "Bailey, Borwein, López de Prado, Zhu 2017")
	add("Slope out of sample", "pbo_slope", t.Slope, signed(t.Slope, 2), "of the best's ratio in the other half on that in its own; below 0: the better it looked, the worse it did", "the same")
	add("Loss out of sample", "pbo_loss", t.Loss, share(t.Loss, 0), "share of the halvings after which the best loses", "the same")
	p("SPA, p", "spa_p", t.SPA, "no trial earns anything: means over their errors, trials clearly worse than nothing left out; liberal "+pValue(t.SPALower)+", conservative "+pValue(t.SPAUpper), "Hansen 2005")
	p("Reality check, p", "reality_check_p", t.Reality, "the same of plain means", "White 2000")
	p("This one alone, p", "p", t.Alone, "it earns nothing, as if it were the only one", "")
	p("This one, stepped down, p", "p_romano_wolf", t.StepDown, "bounds the chance of one false finding or more, given how trials depend", "Romano, Wolf 2005, 2016")
	p("This one, Holm's p", "p_holm", t.Holm, "the same whatever the dependence", "Holm 1979")
	p("This one, share of false findings", "p_benjamini_hochberg", t.BH, "bounds the expected share of false findings, of trials that depend positively", "Benjamini, Hochberg 1995")
	p("The same whatever the dependence", "p_benjamini_yekutieli", t.BY, "", "Benjamini, Yekutieli 2001")
	return g
}
