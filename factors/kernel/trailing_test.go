package kernel

import (
	"math"
	"slices"
	"testing"
)

// trailing lists kernels in which the order of the rows counts beside their definitions: what they make of the rows of a
// window, oldest first, missing ones included, of which the window may begin before the first row.
var trailing = []struct {
	name  string
	need  int
	start func(window, minPeriods int) Rolling
	def   func(rows []float64, window int) float64
	scale func(rows []float64, want float64) float64
}{
	{"DecayLinear", 1, NewDecayLinear, func(v []float64, w int) float64 {
		return weightedMean(v, func(age int) float64 { return float64(w - age) })
	}, largest},
	{"FadingMean", 1, func(w, m int) Rolling { return NewFadingMean(0.3, w, m) }, func(v []float64, _ int) float64 {
		return weightedMean(v, func(age int) float64 { return math.Pow(0.7, float64(age)) })
	}, largest},
	{"FadingStd", 2, func(w, m int) Rolling { return NewFadingStd(0.05, w, m) }, func(v []float64, _ int) float64 {
		weight := func(age int) float64 { return math.Pow(0.95, float64(age)) }
		mean := weightedMean(v, weight)
		sum, total, cross := exact(0), 0.0, 0.0
		for k, x := range v {
			if finite(x) {
				w := weight(len(v) - 1 - k)
				d := x - mean
				sum.Add(sum, exact(w*d*d))
				cross += 2 * total * w
				total += w
			}
		}
		m2, _ := sum.Float64()
		return math.Sqrt(m2 / cross * total)
	}, func(v []float64, want float64) float64 { return want + 1e-6*largest(v, want) }},
	{"ArgMin", 1, NewArgMin, func(v []float64, _ int) float64 { return argOf(v, func(a, b float64) bool { return a <= b }) }, exactly},
	{"ArgMax", 1, NewArgMax, func(v []float64, _ int) float64 { return argOf(v, func(a, b float64) bool { return a >= b }) }, exactly},
	{"Product", 1, NewProduct, func(v []float64, _ int) float64 {
		p := exact(1)
		for _, x := range v {
			if finite(x) {
				p.Mul(p, exact(x))
			}
		}
		y, _ := p.Float64()
		return y
	}, func(_ []float64, want float64) float64 { return math.Abs(want) }},
	{"TrendLevel", 2, NewTrendLevel, func(v []float64, _ int) float64 { level, _ := trendOf(v); return level }, largest},
	{"TrendResidual", 2, NewTrendResidual, func(v []float64, _ int) float64 {
		_, residual := trendOf(v)
		return residual
	}, largest},
	{"Since", 0, func(w, _ int) Rolling { return NewSince(w) }, func(v []float64, _ int) float64 {
		for age := range v {
			if x := v[len(v)-1-age]; finite(x) && x != 0 {
				return float64(age)
			}
		}
		return nan
	}, exactly},
	{"Fill", 0, func(w, _ int) Rolling { return NewFill(w - 1) }, func(v []float64, _ int) float64 {
		for age := range v {
			if x := v[len(v)-1-age]; finite(x) {
				return x
			}
		}
		return nan
	}, exactly},
}

func exactly([]float64, float64) float64 { return 0 }

func largest(v []float64, _ float64) float64 {
	m := 0.0
	for _, x := range v {
		if finite(x) {
			m = max(m, math.Abs(x))
		}
	}
	return m
}

func weightedMean(v []float64, weight func(age int) float64) float64 {
	sum, total := exact(0), 0.0
	for k, x := range v {
		if finite(x) {
			w := weight(len(v) - 1 - k)
			sum.Add(sum, exact(0).Mul(exact(w), exact(x)))
			total += w
		}
	}
	y, _ := sum.Quo(sum, exact(total)).Float64()
	return y
}

func argOf(v []float64, better func(a, b float64) bool) float64 {
	best := -1
	for k, x := range v {
		if finite(x) && (best < 0 || better(x, v[best])) {
			best = k
		}
	}
	return float64(len(v) - 1 - best)
}

// trendOf is the least-squares line on time counted from the newest row.
func trendOf(v []float64) (level, residual float64) {
	time := make([]float64, len(v))
	for k := range v {
		time[k] = float64(k - len(v) + 1)
	}
	return lineOf(time, v, 0)
}

// lineOf is the value at x of the least-squares line, and the newest point's distance from the line.
func lineOf(xs, ys []float64, x float64) (value, residual float64) {
	n, sx, sy := 0.0, exact(0), exact(0)
	for k := range xs {
		if finite(xs[k]) && finite(ys[k]) {
			n++
			sx.Add(sx, exact(xs[k]))
			sy.Add(sy, exact(ys[k]))
		}
	}
	mx, _ := sx.Quo(sx, exact(n)).Float64()
	my, _ := sy.Quo(sy, exact(n)).Float64()
	sxx, sxy, same := 0.0, 0.0, true
	first := nan
	for k := range xs {
		if finite(xs[k]) && finite(ys[k]) {
			sxx += (xs[k] - mx) * (xs[k] - mx)
			sxy += (xs[k] - mx) * (ys[k] - my)
			if !finite(first) {
				first = xs[k]
			}
			same = same && xs[k] == first
		}
	}
	if same {
		return nan, nan
	}
	last := len(xs) - 1
	value = my + sxy/sxx*(x-mx)
	if residual = ys[last] - my - sxy/sxx*(xs[last]-mx); !finite(residual) {
		residual = nan
	}
	return value, residual
}

func TestTrailingMatchesDefinition(t *testing.T) {
	for _, k := range trailing {
		t.Run(k.name, func(t *testing.T) {
			for name, x := range inputs(300) {
				for _, w := range []int{1, 2, 3, 20, 100, 299, 300, 1000} {
					for _, minPeriods := range []int{0, 1, (w + 1) / 2, w} {
						if k.name == "Product" && w > 20 {
							continue // parts of longer ones overflow
						}
						got := make([]float64, len(x))
						k.start(w, minPeriods).Next(got, x)
						for i := 0; i < len(x); i += 1 + min(w, 30) {
							rows := x[max(i-w+1, 0) : i+1]
							want := nan
							if n := len(window(x, i, w)); k.need == 0 || n >= max(minPeriods, k.need) {
								want = k.def(rows, w)
							}
							if math.IsInf(want, 0) {
								want = nan
							}
							scale := 0.0
							if finite(want) {
								scale = k.scale(rows, want)
							}
							if !near(got[i], want, exactness, scale) {
								t.Fatalf("%s, window %d, minPeriods %d: dst[%d] = %v, want %v", name, w, minPeriods, i, got[i], want)
							}
						}
					}
				}
			}
		})
	}
}

// Any cutting into blocks gives the bits of the whole column, which knows neither what comes after a row nor what lies
// before its window.
func TestTrailingBlocksAreTheWhole(t *testing.T) {
	for name, x := range inputs(500) {
		for _, k := range trailing {
			for _, w := range []int{1, 2, 20, 64, 1000} {
				want := make([]float64, len(x))
				k.start(w, w/2).Next(want, x)
				for cut, sizes := range cuts(len(x)) {
					got, r := make([]float64, 0, len(x)), k.start(w, w/2)
					for _, size := range sizes {
						at := len(got)
						got = got[:at+size]
						r.Next(got[at:], x[at:at+size])
					}
					same(t, k.name+" of "+name+", cut "+cut, got, want)
				}
				for _, from := range []int{19, 250, 480} {
					y, part := slices.Clone(x), make([]float64, len(x))
					for i := range from {
						y[i] = 1e12 * float64(i%5)
					}
					k.start(w, w/2).Next(part, y)
					lo := min(from+w-1, len(x))
					same(t, k.name+" of "+name+" with another past", part[lo:], want[lo:])
				}
			}
		}
	}
}

func TestLinesMatchDefinition(t *testing.T) {
	all := inputs(300)
	for nameX, x := range map[string][]float64{"normal": all["normal"], "holes": all["holes"], "tied": all["tied"], "price": all["price"]} {
		for name, y := range all {
			for _, w := range []int{1, 2, 20, 300} {
				for what, start := range map[string]func(w, m int) RollingPair{"Intercept": NewIntercept, "Residual": NewResidual} {
					got, pieces := make([]float64, len(x)), make([]float64, len(x))
					start(w, w/2).Next(got, x, y)
					r := start(w, w/2)
					for at := 0; at < len(x); at += 7 {
						end := min(at+7, len(x))
						r.Next(pieces[at:end], x[at:end], y[at:end])
					}
					same(t, what+" of "+name+" in blocks", pieces, got)
					for i := 0; i < len(x); i += 1 + min(w, 30) {
						lo := max(i-w+1, 0)
						n, sxx, syy, _ := about(x[lo:i+1], y[lo:i+1])
						want, scale := nan, 0.0
						if n >= float64(max(w/2, 2)) {
							value, residual := lineOf(x[lo:i+1], y[lo:i+1], 0)
							if want = value; what == "Residual" {
								want = residual
							}
							scale = largest(y[lo:i+1], 0) + math.Sqrt(syy/sxx)*largest(x[lo:i+1], 0)
						}
						if !near(got[i], want, exactness, scale) {
							t.Fatalf("%s of %s on %s, window %d: dst[%d] = %v, want %v", what, name, nameX, w, i, got[i], want)
						}
					}
				}
			}
		}
	}
}

// The days' kernels begin anew at midnight, whatever the blocks.
func TestDaysMatchDefinition(t *testing.T) {
	for name, x := range inputs(300) {
		day := make([]float64, len(x))
		for i := range day {
			day[i] = float64(i / 48)
			if i >= 200 {
				day[i] += 3
			}
		}
		for what, k := range map[string]struct {
			start func() RollingPair
			def   func(v []float64) float64
		}{
			"DaySum":   {NewDaySum, exactSum},
			"DayMean":  {NewDayMean, func(v []float64) float64 { return exactSum(v) / float64(len(v)) }},
			"DayFirst": {NewDayFirst, func(v []float64) float64 { return v[0] }},
			"DayMin":   {NewDayMin, func(v []float64) float64 { return slices.Min(v) }},
			"DayMax":   {NewDayMax, func(v []float64) float64 { return slices.Max(v) }},
		} {
			whole := make([]float64, len(x))
			k.start().Next(whole, day, x)
			for cut, sizes := range cuts(len(x)) {
				got, r := make([]float64, 0, len(x)), k.start()
				for _, size := range sizes {
					at := len(got)
					got = got[:at+size]
					r.Next(got[at:], day[at:at+size], x[at:at+size])
				}
				same(t, what+" of "+name+", cut "+cut, got, whole)
			}
			for i := range x {
				first := i
				for first > 0 && day[first-1] == day[i] {
					first--
				}
				v := window(x, i, i-first+1)
				want, scale := nan, 0.0
				if len(v) > 0 {
					want = k.def(v)
					for _, u := range v {
						scale += math.Abs(u)
					}
				}
				if !near(whole[i], want, exactness, scale) {
					t.Fatalf("%s of %s: dst[%d] = %v, want %v", what, name, i, whole[i], want)
				}
			}
		}
	}
}
