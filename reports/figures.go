package reports

import (
	"math"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// Figures rounded for reading. A minus is "−", and what is missing is "–".

const absent = "–"

// nan is a figure that cannot be computed.
var nan = evaluate.Figure(math.NaN())

// signed is f with the given decimals and its sign.
func signed(f evaluate.Figure, decimals int) string {
	if !finite(float64(f)) {
		return absent
	}
	s := grouped(math.Abs(float64(f)), decimals)
	switch {
	case f < 0 && strings.Trim(s, "0.,") != "":
		return "−" + s
	case strings.Trim(s, "0.,") == "":
		return s
	}
	return "+" + s
}

// plain is f with the given decimals, and a sign where it is negative.
func plain(f evaluate.Figure, decimals int) string {
	return strings.TrimPrefix(signed(f, decimals), "+")
}

// percent is the fraction f in percent, signed; zero is "+0%" too, so that the sign is always there.
func percent(f evaluate.Figure, decimals int) string {
	s := signed(f*100, decimals)
	if s == absent {
		return s
	}
	if !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "−") {
		s = "+" + s
	}
	return s + "%"
}

// share is the fraction f in percent, without a plus.
func share(f evaluate.Figure, decimals int) string {
	return strings.TrimPrefix(percent(f, decimals), "+")
}

// span is an interval, and nothing where an end is missing.
func span(lo, hi evaluate.Figure, decimals int) string {
	if !finite(float64(lo)) || !finite(float64(hi)) {
		return ""
	}
	return signed(lo, decimals) + " to " + signed(hi, decimals)
}

// shares is an interval in percent.
func shares(lo, hi evaluate.Figure) string {
	if !finite(float64(lo)) || !finite(float64(hi)) {
		return absent
	}
	return percent(lo, 0) + " to " + percent(hi, 0)
}

// orAbsent is s, or what stands for a missing figure where s is empty.
func orAbsent(s string) string {
	if s == "" {
		return absent
	}
	return s
}

// multiple is f as so many times.
func multiple(f evaluate.Figure) string {
	if s := plain(f, 2); s != absent {
		return s + "×"
	}
	return absent
}

// count is a number of things, rounded to whole ones.
func count(v float64) string {
	if !finite(v) {
		return absent
	}
	return plain(evaluate.Figure(v), 0)
}

// pValue is a probability with two significant digits, "< 0.001" where it is smaller.
func pValue(f evaluate.Figure) string {
	switch v := float64(f); {
	case !finite(v):
		return absent
	case v < 0.001:
		return "< 0.001"
	case v < 0.1:
		return strconv.FormatFloat(v, 'f', 3, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// compact is v in at most four significant digits: for prices and other numbers of any size.
func compact(v float64) string {
	switch a := math.Abs(v); {
	case !finite(v):
		return absent
	case a >= 1000:
		return plain(evaluate.Figure(v), 0)
	case a >= 1:
		return plain(evaluate.Figure(v), 2)
	case a == 0:
		return "0"
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "-", "−", 1)
}

// grouped is a non-negative v with commas between thousands.
func grouped(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// bytesText is a size for reading.
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v := float64(n)
	k := 0
	for v >= 1000 && k < len(units)-1 {
		v /= 1000
		k++
	}
	if k == 0 {
		return count(v) + " B"
	}
	return plain(evaluate.Figure(v), 1) + " " + units[k]
}
