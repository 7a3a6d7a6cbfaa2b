package llm

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// numeral is a number without sign as it stands in a text.
type numeral struct {
	text  string
	value float64
}

var numeralForm = regexp.MustCompile(`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?`)

func findNumbers(text string) []numeral {
	var out []numeral
	for _, s := range numeralForm.FindAllString(text, -1) {
		if v, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64); err == nil && v > 0 {
			out = append(out, numeral{s, v})
		}
	}
	return out
}

// units are the roundings in which the number may stand for another one: that of its last digit
// where there are four significant digits or more, that of its last digit but zeros where there are
// three, and 0, the number itself, where there are three in all. Fewer say nothing.
func (n numeral) units() []float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(n.text, ",", "")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	shift, _ := strconv.Atoi(exponent)
	last := shift - len(fraction) // power of ten of the last digit
	var out []float64
	if len(digits) >= 4 {
		out = append(out, math.Pow10(last))
	} else if len(digits) == 3 {
		out = append(out, 0)
	}
	if short := strings.TrimRight(digits, "0"); fraction == "" && len(short) >= 3 && len(short) < len(digits) {
		out = append(out, math.Pow10(last+len(digits)-len(short)))
	}
	return out
}
