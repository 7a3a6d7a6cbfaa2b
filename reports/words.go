package reports

import (
	"fmt"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// Phrases that the terminal summary and the HTML page share.

func (v Verdict) predictWords() (word, style string) {
	switch v.Predicts {
	case "yes":
		return "Yes", green
	case "no":
		return "Not shown", red
	case "reversed":
		return "The wrong way round", red
	}
	return "Too little data to say", yellow
}

func (v Verdict) payWords() (word, style string) {
	switch v.Pays {
	case "yes":
		return "Yes, after costs", green
	case "no":
		return "No, not after costs", red
	case "idle":
		return "Nothing was traded", yellow
	}
	return "Not known", yellow
}

func barWords(b Bars) string {
	if b.Every != "" {
		return " of " + b.Every
	}
	return fmt.Sprintf(" (%s, size %s)", b.Kind, compact(b.Size))
}

// instrumentWords lists up to three instruments.
func instrumentWords(d *Report) string {
	const most = 3
	var names []string
	for i, in := range d.Instruments {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(d.Instruments)-most))
			break
		}
		names = append(names, in.Instrument)
	}
	return strings.Join(names, ", ")
}

func warmUpWords(d *Report) string {
	if d.Span.WarmUpBars == 0 {
		return ""
	}
	return "the " + count(float64(d.Span.WarmUpBars)) + " bars before serve as warm-up"
}

// windowWords names a window with its time.
func (d *Report) windowWords(name string) string {
	for _, w := range d.Windows {
		if w.Window == name {
			return "window " + name + ", " + minute(w.From) + " to " + minute(w.To)
		}
	}
	return "window " + name
}

// methodWords names how t was computed.
func methodWords(method string) string {
	switch method {
	case "hansen_hodrick":
		return "Hansen–Hodrick"
	case "newey_west":
		return "Newey–West"
	case "cosines":
		return "equally weighted cosines, Student's t"
	}
	return strings.ReplaceAll(method, "_", " ")
}

// coverageWords sums up the days of all feeds and the bars without a price.
func coverageWords(d *Report) string {
	var c Coverage
	for _, x := range d.Coverage {
		c.Days, c.Present = c.Days+x.Days, c.Present+x.Present
		c.Empty, c.Missing = c.Empty+x.Empty, c.Missing+x.Missing
	}
	lost := 0
	for _, in := range d.Instruments {
		lost += in.BarsMissing
	}
	s := fmt.Sprintf("%s of %s feed days, %d empty, %d missing", count(float64(c.Present)), count(float64(c.Days)), c.Empty, c.Missing)
	if lost > 0 {
		s += fmt.Sprintf("; %s bars lack a price", count(float64(lost)))
	}
	return s
}

// money names the currency of all amounts.
func (d *Report) money() string {
	if d.Currency == "" {
		return "quote currency"
	}
	return d.Currency
}

// zeroCost is what the same targets returned when traded without costs.
func (d *Report) zeroCost() evaluate.Figure {
	for _, v := range d.Variants {
		if v.Variant == "zero_cost" {
			return v.TotalReturn
		}
	}
	return nan
}

// without is s, a figure without costs, or nothing where it is missing.
func without(s string) string { return prefixed("without costs ", known(s)) }

// minute is a time of the report as 2024-01-31 23:59, or the day alone at midnight.
func minute(s string) string {
	s = strings.Replace(strings.TrimSuffix(s, "Z"), "T", " ", 1)
	return strings.TrimSuffix(s[:min(len(s), len("2024-01-31 23:59"))], " 00:00")
}

// known is s, or nothing where it stands for a missing figure.
func known(s string) string {
	if s == absent {
		return ""
	}
	return s
}

// prefixed is s behind prefix, or nothing where s is empty.
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
