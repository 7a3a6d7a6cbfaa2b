package reports

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
)

// The screen that a summary fits on; that of a study with models is higher.
const (
	screenWidth = 80
	screenLines = 24
	modelLines  = 6
)

// Terminal styles.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// WriteSummary writes the summary of a run on one screen of 80 columns by 24 lines (30 with models):
// what was tested, does the score predict, does trading it pay, what the models added, what the data
// lacked, and what warns. colour adds terminal styles.
func WriteSummary(w io.Writer, d *Report, colour bool) error {
	s := &screen{colour: colour, room: screenLines}
	s.header(d)
	s.predicts(d)
	s.pays(d)
	if d.Models != nil {
		s.room += modelLines
		s.models(d.Models)
	}
	s.coverage(d)
	if d.Universe != nil {
		s.line("", "Universe  %s", d.Universe.Rule)
		s.line("", "  %s", universeWords(d.Universe))
	}
	s.warnings(d)
	_, err := io.WriteString(w, s.b.String())
	return err
}

// screen collects lines.
type screen struct {
	b      strings.Builder
	colour bool
	room   int // lines left
}

func (s *screen) line(style, format string, a ...any) {
	text := strings.TrimRight(clip(printable(ascii(fmt.Sprintf(format, a...))), screenWidth), " ")
	if s.colour && style != "" && text != "" {
		text = style + text + reset
	}
	s.b.WriteString(text + "\n")
	s.room--
}

// row is one indented line: a name, a value and what belongs to it.
func (s *screen) row(name, value, rest string) { s.line("", "  %-14s%10s   %s", name, value, rest) }

func (s *screen) header(d *Report) {
	s.line(bold, "%s", d.Name)
	s.line("", "%s to %s UTC, %s days, %s bars%s", minute(d.Span.From), minute(d.Span.To),
		count(float64(d.Span.Days)), count(float64(d.Bars.Count)), barWords(d.Bars))
	s.line("", "%s", instrumentWords(d))
	if words := warmUpWords(d); words != "" {
		s.line("", "%s", words)
	}
	for _, l := range d.LooksAhead {
		s.line(red, "LOOKS AHEAD: %s", l)
	}
}

func (s *screen) predicts(d *Report) {
	word, style := d.Verdict.predictWords()
	s.line("", "")
	s.line(bold+style, "Does it predict?  %s", word)
	ic := d.Headline()
	if ic == nil {
		s.line("", "  No IC at the primary horizon %s.", d.PrimaryHorizon)
		return
	}
	s.row("IC, "+ic.Horizon, signed(ic.Pearson, 4), fmt.Sprintf("Spearman %s, daily %s, ICIR %s",
		signed(ic.Spearman, 4), signed(ic.Daily.Mean, 4), signed(ic.Daily.ICIR, 2)))
	s.row("t", signed(ic.T, 2), fmt.Sprintf("p %s, %s", pValue(ic.P), methodWords(ic.TMethod)))
	s.row("n effective", count(float64(ic.NEffective)), "of "+count(float64(ic.N))+" pairs"+prefixed(", ", strings.Join(ic.Warnings, ", ")))
}

func (s *screen) pays(d *Report) {
	word, style := d.Verdict.payWords()
	s.line("", "")
	s.line(bold+style, "Does it pay?  %s", word)
	p := d.Outcome()
	if p == nil {
		s.line("", "  No run over the whole span.")
		return
	}
	if u := d.netUnknown(evaluate.All); u != nil {
		s.line(yellow, "  %s", u.words())
		s.row("unfunded", percent(p.Of("pnl_without_funding")/p.Of("initial_equity"), 2), "return without any funding")
	}
	s.row("net return", percent(p.Of("total_return"), 2), fmt.Sprintf("without costs %s, buy and hold %s",
		percent(d.zeroCost(), 2), percent(p.Of("buy_and_hold"), 2)))
	sure := prefixed(", 95%: ", span(p.Of("sharpe_low"), p.Of("sharpe_high"), 1))
	if sure == "" {
		sure = prefixed(", chance above 0: ", known(share(p.Of("psr"), 0)))
	}
	s.row("Sharpe", signed(p.Of("sharpe"), 2), "annualized from "+count(float64(d.daysKnown(p)))+" days"+sure)
	if t := d.Trials; t != nil && t.Count > 1 {
		s.row("trials", count(float64(t.Count)), fmt.Sprintf("best of as many worthless ones %s; chance to be above it: %s", signed(t.Expected, 2), orAbsent(chance(t.DSR))))
	}
	s.row("max drawdown", percent(p.Of("max_drawdown"), 2), plain(p.Of("max_drawdown_days"), 1)+" days under water at the longest")
	s.row(strings.TrimSpace("costs "+d.Currency), plain(p.Of("fees")+p.Of("slippage")+p.Of("impact"), 0), fmt.Sprintf("fees %s, slippage %s, impact %s; funding %s",
		plain(p.Of("fees"), 0), plain(p.Of("slippage"), 0), plain(p.Of("impact"), 0), signed(p.Of("funding"), 0)))
	s.row("fills", count(float64(p.Of("trades"))), fmt.Sprintf("turnover %s a day, break-even %s bps",
		plain(p.Of("turnover_per_day"), 2), plain(p.Of("break_even_bps"), 2)))
}

func (s *screen) models(m *Models) {
	styles := map[string]string{"good": green, "bad": red, "open": yellow}
	added := m.addWords()
	s.line("", "")
	s.line(bold+styles[added.Tone], "What do the models add?  %s", added.Text)
	if r := m.compared(study.Composite); r != nil {
		s.row("without them", percent(r.TotalReturn, 2), fmt.Sprintf("Sharpe %s; IC %s, t %s", signed(r.Sharpe, 2), signed(r.IC, 4), signed(r.T, 1)))
	}
	if r := m.compared(study.Ensemble); r != nil {
		s.row("their IC", signed(r.IC, 4), "of their opinion alone, t "+signed(r.T, 1))
	}
	if u := m.total(); u != nil {
		words := usageWords(u)
		if c := known(usd(u.CostPerBpMore)); c != "" {
			words += ", " + c + " a bp"
		}
		s.row("answers", count(float64(u.Calls)), words)
	}
	if v := m.Suspects(); len(v) > 0 {
		more := ""
		if len(v) > 1 {
			more = fmt.Sprintf(" (and %d more)", len(v)-1)
		}
		w := verdictName(v[0].Verdict)
		s.line(styles[w.Tone], "  %s: %s%s", v[0].Model, w.Text, more)
	}
}

func (s *screen) coverage(d *Report) {
	s.line("", "")
	s.line("", "Coverage  %s", coverageWords(d))
}

func (s *screen) warnings(d *Report) {
	if len(d.Warnings) == 0 {
		s.line("", "Warnings  none")
		return
	}
	s.line(bold+yellow, "Warnings  %d", len(d.Warnings))
	found := d.findings()
	rest := len(d.Warnings)
	for i, f := range found {
		if s.room <= 1 && i < len(found)-1 {
			s.line(yellow, "  and %d more, in report.json and report.html", rest)
			return
		}
		rest -= 1 + f.Alike
		alike := ""
		if f.Alike > 0 {
			alike = fmt.Sprintf(" (+%d alike)", f.Alike)
		}
		// A warning may take a second line where all the others still have theirs.
		lines := wrap(f.Text, screenWidth-2-len(alike), min(max(s.room-len(found)+i+1, 1), 2))
		lines[len(lines)-1] += alike
		for _, text := range lines {
			s.line(yellow, "  %s", text)
		}
	}
}

// wrap breaks text between words into at most n lines of width columns; the last is cut.
func wrap(text string, width, n int) []string {
	var out []string
	for len(out) < n-1 && utf8.RuneCountInString(text) > width {
		letters := []rune(text)
		at := width
		for at > 0 && letters[at] != ' ' {
			at--
		}
		if at == 0 {
			at = width
		}
		out = append(out, string(letters[:at]))
		text = strings.TrimLeft(string(letters[at:]), " ")
	}
	return append(out, clip(text, width))
}

// ascii writes minus signs and dashes as a terminal of any kind shows them.
func ascii(text string) string {
	return strings.NewReplacer("−", "-", "–", "-", "×", "x").Replace(text)
}

// clip cuts text that is wider than width columns, but not within a number, of which the rest would be
// another.
func clip(text string, width int) string {
	letters := []rune(text)
	if len(letters) <= width {
		return text
	}
	at := max(width-1, 0)
	for at > 0 && numeric(letters[at-1]) && numeric(letters[at]) {
		at--
	}
	return strings.TrimRight(string(letters[:at]), " ") + "…"
}

// numeric reports whether a letter may stand within a number.
func numeric(r rune) bool { return unicode.IsDigit(r) || strings.ContainsRune(".,−-+e%", r) }

// printable replaces control characters, which a terminal would act on, and those that turn the
// direction of writing.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || visible(r) != r {
			return '?'
		}
		return r
	}, text)
}
