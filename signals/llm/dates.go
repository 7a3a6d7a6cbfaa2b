package llm

import (
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// date is a date or time as it stands in a text, with what it may mean.
type date struct {
	text     string
	meanings []period
}

// period is [from, to) in Unix µs.
type period struct{ from, to int64 }

// after reports whether the date is later than the instant however one reads it.
func (d date) after(us int64) bool {
	for _, p := range d.meanings {
		if p.from <= us {
			return false
		}
	}
	return true
}

// within reports whether the date, in some reading, touches [from, to).
func (d date) within(from, to int64) bool {
	for _, p := range d.meanings {
		if p.from < to && p.to > from {
			return true
		}
	}
	return false
}

const (
	monthName = `(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)`
	monthDay  = `(\d{1,2})(?:st|nd|rd|th)?`
)

// dateForm is one way to write a date. read gets the groups of the form's expression and the years
// that a date without one may be of.
type dateForm struct {
	*regexp.Regexp
	read func(g []string, years []int) []period
}

// dateForms are those that findDates knows.
var dateForms = []dateForm{
	// 2024-01-05, 2024/1/5, 2024-01-05T12:30:00
	{form(`(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ](\d{2}):(\d{2}))?`), func(g []string, _ []int) []period {
		day := onDay(g[0], month(g[1]), g[2])
		if g[3] == "" {
			return day
		}
		for i := range day {
			day[i].from += int64(atoi(g[3])*60+atoi(g[4])) * 60e6
			day[i].to = day[i].from + 60e6
		}
		return day
	}},
	// 20240105
	{form(`((?:19|20)\d{2})(\d{2})(\d{2})`), func(g []string, _ []int) []period { return onDay(g[0], month(g[1]), g[2]) }},
	// 5.1.2024, 1/5/24
	{form(`(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})`), func(g []string, _ []int) []period {
		return append(onDay(g[3], month(g[2]), g[0]), onDay(g[3], month(g[0]), g[2])...)
	}},
	// 2024-01
	{form(`(\d{4})[-/](\d{2})`), func(g []string, _ []int) []period { return inMonth(g[0], month(g[1])) }},
	// 5 January 2024, 5th of Jan, 5-Jan-24, 5JAN24
	{form(monthDay + `(?: of)?[- ]?` + monthName + `\.?(?:,?[- ]?(\d{4}|\d{2}))?`), func(g []string, years []int) []period {
		return dated(g[2], g[1], g[0], years)
	}},
	// January 5, 2024
	{form(monthName + `\b\.?[- ]` + monthDay + `(?:,?[- ](\d{4}))?`), func(g []string, years []int) []period {
		return dated(g[2], g[0], g[1], years)
	}},
	// Jan 2024
	{form(monthName + `\b\.?,?[- ](\d{4})`), func(g []string, _ []int) []period { return inMonth(g[1], month(g[0])) }},
	// Q1 2024, 2024Q1
	{form(`q([1-4])[- ]?(\d{4})`), func(g []string, _ []int) []period { return inQuarter(g[1], g[0]) }},
	{form(`(\d{4})[- ]?q([1-4])`), func(g []string, _ []int) []period { return inQuarter(g[0], g[1]) }},
	// Unix time in s, ms, µs or ns
	{form(`(\d{10}|\d{13}|\d{16}|\d{19})`), func(g []string, _ []int) []period {
		const century = 100 * 365 * 86400e6
		us, _ := strconv.ParseInt((g[0] + "000000")[:16], 10, 64)
		if us > century {
			return nil
		}
		return []period{{us, us + 1}}
	}},
}

// longestDate bounds a date in bytes.
const longestDate = 64

func form(expression string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(` + expression + `)(?:$|[^\pL\d])`)
}

// findDates lists the dates that a text names. One without a year may be of any of years, and counts
// only where its month has a capital.
func findDates(text string, years []int) []date {
	var out []date
	for i := range words(text) {
		if i > 0 && text[i-1] == '.' || !mayBeDate(text[i:]) {
			continue // the digits of a fraction
		}
		for _, f := range dateForms {
			g := f.FindStringSubmatch(text[i:min(len(text), i+longestDate)])
			if g == nil {
				continue
			}
			if meanings := f.read(g[2:], years); meanings != nil {
				out = append(out, date{g[1], meanings})
			}
		}
	}
	return out
}

// mayBeDate reports whether a word begins as a date can.
func mayBeDate(word string) bool {
	if len(word) < 4 {
		return false
	}
	return word[0] <= '9' || month(word) > 0 || word[0]|0x20 == 'q' && word[1] <= '9'
}

// words visits where the words and numbers of a text begin.
func words(text string) iter.Seq[int] {
	return func(yield func(int) bool) {
		inside := false
		for i, r := range text {
			now := unicode.IsLetter(r) || unicode.IsDigit(r)
			if now && !inside && !yield(i) {
				return
			}
			inside = now
		}
	}
}

// dated is a day, of any of years where it names none.
func dated(year, name, day string, years []int) []period {
	if year != "" {
		return onDay(year, month(name), day)
	}
	if name[0] >= 'a' {
		return nil
	}
	var out []period
	for _, y := range years {
		out = append(out, onDay(strconv.Itoa(y), month(name), day)...)
	}
	return out
}

func onDay(year string, m time.Month, day string) []period {
	d := atoi(day)
	t := time.Date(fullYear(year), m, d, 0, 0, 0, 0, time.UTC)
	if m < 1 || m > 12 || t.Day() != d {
		return nil
	}
	return []period{{t.UnixMicro(), t.AddDate(0, 0, 1).UnixMicro()}}
}

func inMonth(year string, m time.Month) []period {
	if m < 1 || m > 12 {
		return nil
	}
	return months(year, m, 1)
}

func inQuarter(year, quarter string) []period {
	return months(year, time.Month(3*atoi(quarter)-2), 3)
}

func months(year string, m time.Month, n int) []period {
	t := time.Date(fullYear(year), m, 1, 0, 0, 0, 0, time.UTC)
	return []period{{t.UnixMicro(), t.AddDate(0, n, 0).UnixMicro()}}
}

// month reads a number, or a name by its first three letters; 0 for none.
func month(s string) time.Month {
	if s[0] <= '9' {
		return time.Month(atoi(s))
	}
	return time.Month(slices.Index(monthNames, strings.ToLower(s[:3])) + 1)
}

var monthNames = strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")

func fullYear(s string) int {
	if len(s) == 2 {
		return 2000 + atoi(s)
	}
	return atoi(s)
}

// atoi reads the few digits that a form let through.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
