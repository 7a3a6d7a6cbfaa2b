package factors

import (
	"testing"
	"time"
)

func TestParseWindow(t *testing.T) {
	for s, want := range map[string]Window{
		"20":         {Bars: 20},
		" 20 ":       {Bars: 20},
		"14d":        {Time: 14 * 24 * time.Hour},
		"1d12h":      {Time: 36 * time.Hour},
		"90s":        {Time: 90 * time.Second},
		"100 trades": {Trades: 100},
		"1000000000": {Bars: 1_000_000_000},
	} {
		got, err := ParseWindow(s)
		if err != nil || got != want {
			t.Errorf("ParseWindow(%q) = %+v, %v, want %+v", s, got, err, want)
		}
		if again, err := ParseWindow(got.String()); err != nil || again != want {
			t.Errorf("ParseWindow(%q) = %+v, %v, want %+v", got.String(), again, err, want)
		}
	}
	for _, s := range []string{"", "0", "-5", "1.5", "0d", "-1h", "5 apples", "trades", "0 trades", "99999d", "1000000001",
		"9223372036854775807", "65535d9000000h", "dd", "1d-1h", "NaN"} {
		if w, err := ParseWindow(s); err == nil {
			t.Errorf("ParseWindow(%q) = %+v", s, w)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		14 * 24 * time.Hour: "14d", 4 * time.Hour: "4h", 90 * time.Second: "1m30s", time.Minute: "1m", 36 * time.Hour: "1d12h", 0: "0s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestWindowIn(t *testing.T) {
	g := hourly(0)
	for _, c := range []struct {
		w    Window
		want int
		err  string
	}{
		{Window{Bars: 7}, 7, ""},
		{Window{Time: 24 * time.Hour}, 24, ""},
		{Window{Time: time.Minute}, 0, "window 1m is not a whole number of 1h bars"},
		{Window{Trades: 9}, 0, "window 9 trades is counted in trades, not in bars"},
		{Window{}, 0, "window is missing"},
	} {
		if n, err := c.w.In(g); n != c.want || errText(err) != c.err {
			t.Errorf("%v in hours is %d, %v, want %d, %s", c.w, n, err, c.want, c.err)
		}
	}
}
