package chart

import (
	"math"
	"time"
)

// Linear is an axis over [lo, hi] with about n ticks at multiples of 1, 2 or 5 times a power of ten,
// widened to the ticks just outside. label writes a tick's value given the step between ticks.
func Linear(lo, hi float64, n int, label func(v, step float64) string) Axis {
	if !(hi > lo) {
		lo, hi = lo-1, lo+1
	}
	step := niceStep((hi - lo) / float64(n))
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	a := Axis{Lo: first * step, Hi: last * step}
	for k := range min(int(last-first), 3*n) + 1 {
		at := (first + float64(k)) * step
		a.Ticks = append(a.Ticks, Tick{At: at, Label: label(at, step)})
	}
	return a
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that is at least raw.
func niceStep(raw float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(raw))))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// calendar lists the steps between ticks of a time axis, finest first; months are counted below.
var calendar = []struct {
	step   time.Duration
	layout string
}{
	{time.Minute, "15:04"}, {5 * time.Minute, "15:04"}, {15 * time.Minute, "15:04"},
	{time.Hour, "2 Jan 15:04"}, {4 * time.Hour, "2 Jan 15:04"}, {12 * time.Hour, "2 Jan 15:04"},
	{24 * time.Hour, "2 Jan"}, {2 * 24 * time.Hour, "2 Jan"}, {7 * 24 * time.Hour, "2 Jan"},
	{14 * 24 * time.Hour, "2 Jan"},
}

// maxTicks is the most ticks that a time axis gets.
const maxTicks = 7

// Time is an axis over [from, to] in Unix µs with ticks at whole UTC minutes, hours, days or months;
// every second one is minor.
func Time(from, to int64) Axis {
	a := Axis{Lo: float64(from), Hi: float64(to)}
	for _, c := range calendar {
		step := c.step.Microseconds()
		if (to-from)/step <= maxTicks {
			for at := (from + step - 1) / step * step; at <= to; at += step {
				a.add(at, c.layout)
			}
			return a
		}
	}
	months := 1
	for float64(to-from)/(float64(months)*30.4*86400e6) > maxTicks {
		months = nextMonths(months)
	}
	start := time.UnixMicro(from).UTC()
	for t := time.Date(start.Year(), 1, 1, 0, 0, 0, 0, time.UTC); t.UnixMicro() <= to; t = t.AddDate(0, months, 0) {
		if t.UnixMicro() >= from {
			a.add(t.UnixMicro(), "Jan 2006")
		}
	}
	return a
}

func nextMonths(m int) int {
	for _, next := range []int{2, 3, 6, 12} {
		if next > m {
			return next
		}
	}
	return 2 * m
}

func (a *Axis) add(at int64, layout string) {
	a.Ticks = append(a.Ticks, Tick{
		At:    float64(at),
		Label: time.UnixMicro(at).UTC().Format(layout),
		Minor: len(a.Ticks)%2 == 1,
	})
}
