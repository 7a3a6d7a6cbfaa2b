package llm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// audit reads rendered prompts for what they may not show: nothing later than the bar, and under
// Anonymize nothing by which a model could recall the span.
type audit struct {
	anonymize bool
	first     int64 // of the days of the span, Unix µs
	end       int64
	years     []int
	names     []spelling
	closes    []float64 // sorted
}

func newAudit(questions []Question, anonymize bool) *audit {
	a := &audit{anonymize: anonymize}
	if !anonymize || len(questions) == 0 {
		return a
	}
	var instruments []datasets.Instrument
	first, last := questions[0].Time, questions[0].Time
	for _, q := range questions {
		first, last = min(first, q.Time), max(last, q.Time)
		if !slices.Contains(instruments, q.Instrument) {
			instruments = append(instruments, q.Instrument)
		}
		if q.Close > 0 && !math.IsInf(q.Close, 0) {
			a.closes = append(a.closes, q.Close)
		}
	}
	slices.Sort(a.closes)
	firstDay, lastDay := datasets.DayOf(first-1), datasets.DayOf(last) // a label of 00:00 is of the day before
	a.first, a.end = firstDay.Start(), (lastDay + 1).Start()
	for y := firstDay.Time().Year(); y <= lastDay.Time().Year(); y++ {
		a.years = append(a.years, y)
	}
	for _, in := range instruments {
		a.names = append(a.names, spellings(in)...)
	}
	return a
}

// check is the first thing that the messages of q, rendered from v, may not show.
func (a *audit) check(q Question, v view, messages []Message) error {
	for _, m := range messages {
		if found := a.find(q, v, m.Content); found != nil {
			return fmt.Errorf("prompt for %s: the %s prompt shows %w; mend the %s template", q, m.Role, found, m.Role)
		}
	}
	return nil
}

func (a *audit) find(q Question, v view, text string) error {
	if !a.anonymize {
		text = strings.ReplaceAll(text, q.Instrument.Symbol, "") // which may name its expiry
		for _, d := range findDates(text, nil) {
			if d.after(q.Time) {
				return fmt.Errorf("the date %q, which is later than the bar", d.text)
			}
		}
		return nil
	}
	if name, what := findName(text, a.names); name != "" {
		return fmt.Errorf("%s as %q although anonymize is set", what, name)
	}
	for _, d := range findDates(text, a.years) {
		if d.within(a.first, a.end) {
			return fmt.Errorf("the date %q although anonymize is set", d.text)
		}
	}
	for _, n := range findNumbers(text) {
		if slices.ContainsFunc(v.values(), func(s string) bool { return s == n.text }) {
			continue // a factor
		}
		for _, y := range a.years {
			if n.text == fmt.Sprint(y) {
				return fmt.Errorf("the year %s although anonymize is set", n.text)
			}
		}
		if price, ok := a.price(n); ok {
			return fmt.Errorf("the price %s (a bar closed at %s) although anonymize is set", n.text, number(price))
		}
	}
	return nil
}

// values are the factors as texts without sign.
func (v view) values() []string {
	out := make([]string, 0, len(v.Factors))
	for _, text := range v.Factors {
		out = append(out, strings.TrimPrefix(text, "-"))
	}
	return out
}

// price finds a close that n gives, rounded up or down to the digits that it has.
func (a *audit) price(n numeral) (float64, bool) {
	for _, unit := range n.units() {
		i, _ := slices.BinarySearch(a.closes, n.value-unit)
		for ; i < len(a.closes) && a.closes[i] <= n.value+unit; i++ {
			if c := a.closes[i]; c == n.value || math.Abs(c-n.value) < unit {
				return c, true
			}
		}
	}
	return 0, false
}
