package factors

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Window is the length of a trailing window as a study writes it: in bars ("20"), in time ("14d",
// "4h", "90s") or in trades ("100 trades"). One of the three is positive; the zero Window means
// that none was given.
type Window struct {
	Bars   int
	Time   time.Duration
	Trades int
}

// maxCount bounds windows in bars and trades, so that sums of them stay far from overflow.
const maxCount = 1_000_000_000

// ParseWindow reads the three forms.
func ParseWindow(s string) (Window, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= maxCount {
		return Window{Bars: n}, nil
	}
	if head, ok := strings.CutSuffix(s, "trades"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(head)); err == nil && n > 0 && n <= maxCount {
			return Window{Trades: n}, nil
		}
	}
	if d, err := ParseDuration(s); err == nil && d > 0 {
		return Window{Time: d}, nil
	}
	return Window{}, fmt.Errorf("window %q: want bars (20), time (14d, 4h) or trades (100 trades)", s)
}

// ParseDuration reads a time span such as 90s, 5m, 4h, 14d or 1d12h. A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("duration %q: want a form like 90s, 5m, 4h or 14d", s)
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	r, err := time.ParseDuration(rest)
	if err == nil && r < 0 {
		err = fmt.Errorf("duration %q: want a form like 90s, 5m, 4h or 14d", s)
	}
	return d + r, err
}

// FormatDuration writes d as ParseDuration reads it, in the largest units: 14d, 4h, 1m30s.
func FormatDuration(d time.Duration) string {
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	s := ""
	if days > 0 {
		s = strconv.Itoa(int(days)) + "d"
	}
	if rest > 0 || days == 0 {
		t := rest.String()
		if strings.HasSuffix(t, "m0s") {
			t = strings.TrimSuffix(t, "0s")
		}
		if strings.HasSuffix(t, "h0m") {
			t = strings.TrimSuffix(t, "0m")
		}
		s += t
	}
	return s
}

// String is the form that ParseWindow reads.
func (w Window) String() string {
	switch {
	case w.Trades > 0:
		return strconv.Itoa(w.Trades) + " trades"
	case w.Time > 0:
		return FormatDuration(w.Time)
	default:
		return strconv.Itoa(w.Bars)
	}
}

// In gives the window's length in bars of g: at least 1. A window in time needs time bars and must
// be a whole number of them; a window in trades has no length in bars.
func (w Window) In(g *Grid) (int, error) {
	switch {
	case w.Trades > 0:
		return 0, fmt.Errorf("window %v is counted in trades, not in bars", w)
	case w.Time > 0:
		if g.Every <= 0 {
			return 0, fmt.Errorf("window %v is in time, which only time bars have: give it in bars", w)
		}
		if w.Time%g.Every != 0 || w.Time < g.Every {
			return 0, fmt.Errorf("window %v is not a whole number of %s bars", w, FormatDuration(g.Every))
		}
		return int(w.Time / g.Every), nil
	case w.Bars > 0:
		return w.Bars, nil
	}
	return 0, fmt.Errorf("window is missing")
}

// MarshalText is String, and empty for the zero Window.
func (w Window) MarshalText() ([]byte, error) {
	if w == (Window{}) {
		return nil, nil
	}
	return []byte(w.String()), nil
}

// UnmarshalText is ParseWindow.
func (w *Window) UnmarshalText(b []byte) (err error) {
	*w, err = ParseWindow(string(b))
	return err
}
