package universe

import (
	"fmt"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

const day0 = datasets.Day(19723) // 2024-01-01

func day(n int) datasets.Day { return day0 + datasets.Day(n) }

func days(n int) factors.Window { return factors.Window{Time: time.Duration(n) * 24 * time.Hour} }

// cases is a market of ten days, of turnover by hand. Choices are every second day, of the two largest by the two days before, listed
// for two days at least.
//
//	A  always there, 10 a day
//	B  always there, 9 a day, then 30 from day 5 on
//	C  20 a day, delisted at the end of day 4 (its last bar is labelled day 5, 00:00), listed again from day 7 on under the same name
//	D  8 a day until it is renamed to E after day 5
//	E  the same coin, 8 a day from day 6 on
//	F  starts on day 3, inside the span, 50 a day
//	G  the vendor says that it goes on, and nobody trades it after day 1
func market() *Days {
	x := func(f func(n int) float64) []float64 {
		out := make([]float64, 10)
		for n := range out {
			out[n] = f(n)
		}
		return out
	}
	within := func(v float64, from, to int) func(int) float64 {
		return func(n int) float64 {
			if n >= from && n < to {
				return v
			}
			return 0
		}
	}
	c := x(within(20, 0, 5))
	for n := 7; n < 10; n++ {
		c[n] = 20
	}
	b := x(within(9, 0, 5))
	for n := 5; n < 10; n++ {
		b[n] = 30
	}
	before := Life{From: day(-100)}
	return &Days{First: day0,
		Turnover: [][]float64{x(within(10, 0, 10)), b, c, x(within(8, 0, 6)), x(within(8, 6, 10)), x(within(50, 3, 10)), x(within(1000, 0, 2))},
		Lives: [][]Life{
			{before}, {before}, {{From: day(-100), To: day(5)}, {From: day(7)}}, {{From: day(-100), To: day(6)}}, {{From: day(6)}}, {{From: day(3)}}, {before},
		},
	}
}

func config() study.UniverseConfig {
	return study.UniverseConfig{Top: 2, Window: days(2), MinAge: days(2), Every: "2d"}
}

func TestSelect(t *testing.T) {
	c := config()
	instants := Instants(c, day0, day(2), day(10))
	if want := []datasets.Day{day(2), day(4), day(6), day(8)}; fmt.Sprint(instants) != fmt.Sprint(want) {
		t.Fatalf("instants %v, want %v", instants, want)
	}
	// day 2: G 2000, C 40, A 20, B 18, D 16.
	// day 4: G was last traded three days ago but for nothing in the window; C 40, A 20, B 18; F is one day old.
	// day 5: C is delisted with the bar labelled day 5.
	// day 6: F 100 (50 on days 4 and 5), B 39, A 20; D ended.
	// day 8: F 100, B 60; C's second life is one day old; E, of two days, has 16.
	want := `[{2024-01-03 [6 2] true} {2024-01-05 [2 0] true} {2024-01-06 [0] false} {2024-01-07 [5 1] true} {2024-01-09 [5 1] true}]`
	if got := Select(market(), c, instants); fmt.Sprint(got) != want {
		t.Errorf("schedule\n%v, want\n%v", got, want)
	}
	// The listing anew counts its age and its turnover from its own beginning.
	c.Top = 5
	if got := market().Rank(c, day(9)); fmt.Sprint(got) != "[5 1 2 0 4]" {
		t.Errorf("on day 9 %v, want F 100, B 60, C 40 of its second life, A 20, E 16", got)
	}
	if got := market().Rank(c, day(8)); fmt.Sprint(got) != "[5 1 0 4]" {
		t.Errorf("on day 8 %v, want F, B, A and E, which is two days old; C is one day old", got)
	}
}

// What comes after an instant changes nothing of it.
func TestSelectIsCausal(t *testing.T) {
	c := config()
	instants := Instants(c, day0, day(2), day(10))
	full := Select(market(), c, instants)
	for cut := 2; cut < 10; cut++ {
		d := market()
		for i := range d.Turnover {
			for n := cut; n < 10; n++ {
				d.Turnover[i][n] = float64((i*7 + n*13) % 11)
			}
		}
		for k, x := range Select(d, c, instants) {
			if x.Day <= day(cut) && fmt.Sprint(x) != fmt.Sprint(full[k]) {
				t.Errorf("cut on day %d: %v, with another future %v", cut, full[k], x)
			}
		}
	}
}

func TestInstants(t *testing.T) {
	c := config()
	c.Every = "1mo"
	feb, mar := day(31), day(60)
	if got, want := Instants(c, day0, day(40), day(70)), []datasets.Day{feb, day(40), mar}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want the first of each month and the span's first day, %v", got, want)
	}
	c.Every = "7d"
	if got, want := Instants(c, day0, day(10), day(20)), []datasets.Day{day(3), day(10), day(17)}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A bar labelled with the instant is the first that knows.
func TestFill(t *testing.T) {
	s := Schedule{{day(1), []int{1}, true}, {day(2), []int{0, 1}, true}, {day(3), nil, false}}
	half := datasets.MicrosPerDay / 2
	var labels []int64
	for k := 1; k <= 7; k++ {
		labels = append(labels, day0.Start()+int64(k)*int64(half))
	}
	dst := [][]bool{make([]bool, 7), make([]bool, 7)}
	s.Fill(dst, labels)
	want := "[[false false false true true false false] [false true true true true false false]]"
	if fmt.Sprint(dst) != want {
		t.Errorf("%v, want %s", dst, want)
	}
	for lo := range labels { // in whatever blocks
		part := [][]bool{make([]bool, 7-lo), make([]bool, 7-lo)}
		s.Fill(part, labels[lo:])
		for i := range part {
			if fmt.Sprint(part[i]) != fmt.Sprint(dst[i][lo:]) {
				t.Errorf("from row %d: %v, want %v", lo, part[i], dst[i][lo:])
			}
		}
	}
}
