package chart

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func plain(v, _ float64) string { return fmt.Sprint(math.Round(v*1e6) / 1e6) }

func labels(a Axis) string {
	var out []string
	for _, t := range a.Ticks {
		out = append(out, t.Label)
	}
	return strings.Join(out, " ")
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{0, 10, 5, "0 2 4 6 8 10"},
		{-0.034, 0.27, 7, "-0.05 0 0.05 0.1 0.15 0.2 0.25 0.3"},
		{3, 3, 2, "2 3 4"},
		{math.NaN(), 1, 2, ""},
		{1200, 1950, 3, "1000 1500 2000"},
	} {
		a := Linear(c.lo, c.hi, c.n, plain)
		if got := labels(a); got != c.want && c.want != "" {
			t.Errorf("Linear(%v, %v): ticks %q, want %q", c.lo, c.hi, got, c.want)
		}
		if c.want != "" && (a.Lo > c.lo || a.Hi < c.hi) {
			t.Errorf("Linear(%v, %v) spans [%v, %v]", c.lo, c.hi, a.Lo, a.Hi)
		}
	}
	for _, c := range [][2]float64{{1e20, 1e20 + 16384}, {-1e308, 1e308}, {0, 5e-324}, {0, math.Inf(1)}} {
		if n := len(Linear(c[0], c[1], 5, plain).Ticks); n > 20 {
			t.Errorf("Linear(%v, %v): %d ticks", c[0], c[1], n)
		}
	}
}

func TestTimeTicks(t *testing.T) {
	at := func(s string) int64 {
		v, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMicro()
	}
	for _, c := range []struct{ from, to, want string }{
		{"2024-01-01 00:00", "2024-01-01 00:04", "00:00 00:01 00:02 00:03 00:04"},
		{"2024-01-01 00:10", "2024-01-02 12:00", "1 Jan 12:00 2 Jan 00:00 2 Jan 12:00"},
		{"2024-01-02 00:00", "2024-01-07 00:00", "2 Jan 3 Jan 4 Jan 5 Jan 6 Jan 7 Jan"},
		{"2023-01-01 00:00", "2024-01-01 00:00", "Jan 2023 Mar 2023 May 2023 Jul 2023 Sep 2023 Nov 2023 Jan 2024"},
		{"2015-05-01 00:00", "2024-01-01 00:00", "Jan 2017 Jan 2019 Jan 2021 Jan 2023"},
	} {
		got := labels(Time(at(c.from), at(c.to)))
		if got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// TestPlotIsWellFormed draws each mark with values that break careless code.
func TestPlotIsWellFormed(t *testing.T) {
	nan := math.NaN()
	p := New(`<a "label">`, 100, Linear(0, 10, 5, plain), Linear(-1, 1, 4, plain))
	p.Line("line", []float64{0, 1, 2, 3}, []float64{nan, 0.5, nan, 5})
	p.Area("area", []float64{0, 1, 2, 3}, []float64{0.5, nan, -0.5, 0.25}, 0)
	p.Bar("bar", 1, 2, 0, 0.5, "a < b")
	p.Column(-5, 50, "beyond")
	p.Interval(0, 1, nan, 0.5, nan)
	p.Interval(0, 1, 0, 0.5, 1)
	p.Rule("rule", 3, "&")
	p.Level("join", 1, 2, 0.5)
	p.Text("value", 1, 1, -3, "<script>")
	svg := string(p.SVG())
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "<script>", "<a "} {
		if strings.Contains(svg, bad) {
			t.Errorf("the drawing contains %q:\n%s", bad, svg)
		}
	}
	if !strings.Contains(svg, `<path class="line" d="M100 25M300 0"/>`) {
		t.Errorf("the line does not break where a value is missing, or leaves the plot:\n%s", svg)
	}
}

func TestFlatAxisIsWidened(t *testing.T) {
	p := New("flat", 10, Axis{Lo: 5, Hi: 5}, Axis{Lo: 5, Hi: 5})
	p.Line("line", []float64{5}, []float64{5})
	if svg := string(p.SVG()); strings.Contains(svg, "NaN") || !strings.Contains(svg, "M500 5") {
		t.Errorf("one point on flat axes: %s", svg)
	}
}
