package study

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Constraint ties settings of a sweep to each other: one that is not among those tried is set (short = -long), and
// combinations that break another are left out (long < strong_long).
type Constraint struct {
	Left, Op string  // a path; one of = != < <= > >=
	Sets     bool    // Left is not tried, and takes the value of the right side
	Factor   float64 // of Right
	Right    string  // a path; "" for a number
	Number   float64 // where Right is ""
}

// ParseConstraint reads NAME OP [-][NUMBER*]NAME or NAME OP NUMBER. A name is a path among settings, or the end of one; what is set is
// a path too, or stands beside the right side's.
func ParseConstraint(text string, settings []SweepSetting) (Constraint, error) {
	var c Constraint
	at := -1
	for _, op := range []string{"<=", ">=", "!=", "==", "=", "<", ">"} {
		if at = strings.Index(text, op); at > 0 {
			c.Op = op
			break
		}
	}
	if at <= 0 {
		return c, fmt.Errorf("%q: want a comparison such as long < strong_long, or short = -long", text)
	}
	left, right := strings.TrimSpace(text[:at]), strings.TrimSpace(text[at+len(c.Op):])
	if c.Op == "==" {
		c.Op = "="
	}
	c.Factor = 1
	if rest, ok := strings.CutPrefix(right, "-"); ok {
		c.Factor, right = -1, strings.TrimSpace(rest)
	}
	if number, name, ok := strings.Cut(right, "*"); ok {
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil {
			return c, fmt.Errorf("%q: %q is no number", text, number)
		}
		c.Factor, right = c.Factor*v, strings.TrimSpace(name)
	}
	if v, ok := amount(right); ok {
		c.Number = float64(c.Factor * v)
	} else if c.Right, ok = tried(right, settings); !ok {
		return c, fmt.Errorf("%q: %s is not among the settings%s", text, right, datasets.DidYouMean(right, ends(settings)))
	}
	var ok bool
	if c.Left, ok = tried(left, settings); ok {
		return c, nil
	}
	switch {
	case c.Op != "=":
		return c, fmt.Errorf("%q: %s is not among the settings%s", text, left, datasets.DidYouMean(left, ends(settings)))
	case strings.Contains(left, "."):
		c.Left = left
	case c.Right == "":
		return c, fmt.Errorf("%q: want the whole path of %s", text, left)
	default:
		c.Left = c.Right[:strings.LastIndexByte(c.Right, '.')+1] + left
	}
	c.Sets = true
	return c, nil
}

// tried finds the setting that a name means: its path, or the one path that ends in it.
func tried(name string, settings []SweepSetting) (path string, ok bool) {
	for _, s := range settings {
		switch {
		case s.Path == name:
			return name, true
		case strings.HasSuffix(s.Path, "."+name):
			if path != "" {
				return "", false
			}
			path = s.Path
		}
	}
	return path, path != ""
}

// ends are the last parts of the paths.
func ends(settings []SweepSetting) (list []string) {
	for _, s := range settings {
		list = append(list, s.Path[strings.LastIndexByte(s.Path, '.')+1:])
	}
	return list
}

// Hold applies the constraint to a combination: it gives the value that Left is set to where Sets, and whether the combination stays.
// Values that are no numbers and no lengths are only compared for equality.
func (c Constraint) Hold(value func(path string) string) (set string, stays bool) {
	right := c.Number
	known := true
	if c.Right != "" {
		var v float64
		v, known = amount(value(c.Right))
		right = float64(c.Factor * v)
	}
	if c.Sets {
		if !known {
			return value(c.Right), c.Factor == 1
		}
		if strings.Trim(value(c.Right), `"0123456789.+-eE`) == "" || c.Right == "" || c.Factor != 1 {
			return strconv.FormatFloat(right+0, 'g', -1, 64), true // +0: no -0
		}
		return value(c.Right), true // a length as it is written
	}
	left, ok := amount(value(c.Left))
	if !ok || !known {
		same := value(c.Left) == value(c.Right)
		return "", c.Op == "=" && same || c.Op == "!=" && !same
	}
	switch c.Op {
	case "=":
		return "", left == right
	case "!=":
		return "", left != right
	case "<":
		return "", left < right
	case "<=":
		return "", left <= right
	case ">":
		return "", left > right
	}
	return "", left >= right
}

// amount is a number, or a length of time in seconds or bars.
func amount(text string) (float64, bool) {
	text = strings.Trim(text, `"`)
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v, true
	}
	w, err := factors.ParseWindow(text)
	if err != nil {
		return 0, false
	}
	if w.Time > 0 {
		return float64(w.Time) / float64(time.Second), true
	}
	return float64(max(w.Bars, w.Trades)), true
}
