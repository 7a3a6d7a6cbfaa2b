package expr

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/kernel"
)

const group = "across instruments"

// across is an operator across instruments of one number each: f changes the values of one bar, of which it gets those
// that are not missing, in the instruments' order, and may keep space between bars.
func across(name, formula, missing, source string, f func(x []float64, space *space)) Operator {
	return Operator{
		Name: name, Params: columnX, Formula: formula, Missing: missing, Source: source, Group: group, result: numberType,
		build: func(c *call) factors.Factor { return c.cross("", rows(f), c.column("x")) },
	}
}

// space is memory for the work on one bar.
type space struct {
	order []int
	x     []float64
}

// rows makes Factor.Across of f over the instruments that have a value at a row.
func rows(f func(x []float64, space *space)) func(dst [][]float64, in [][][]float64) {
	return func(dst [][]float64, in [][][]float64) {
		x, place, space := make([]float64, 0, len(dst)), make([]int, 0, len(dst)), &space{}
		for t := range rowsOf(dst) {
			x, place = x[:0], place[:0]
			for i, col := range in[0] {
				if dst[i][t] = nan; col[t] == col[t] {
					x, place = append(x, col[t]), append(place, i)
				}
			}
			if len(x) == 0 {
				continue
			}
			f(x, space)
			for k, i := range place {
				dst[i][t] = finite(x[k])
			}
		}
	}
}

func rowsOf(dst [][]float64) int {
	if len(dst) == 0 {
		return 0
	}
	return len(dst[0])
}

// ranked calls f for each run of equal values, ascending: the places of its members, and how many values are smaller.
func (s *space) ranked(x []float64, f func(places []int, less int)) {
	s.order = s.order[:0]
	for k := range x {
		s.order = append(s.order, k)
	}
	slices.SortFunc(s.order, func(a, b int) int { return cmp.Or(cmp.Compare(x[a], x[b]), cmp.Compare(a, b)) })
	s.x = append(s.x[:0], x...) // f may change x
	for lo := 0; lo < len(x); {
		hi := lo + 1
		for hi < len(x) && s.x[s.order[hi]] == s.x[s.order[lo]] {
			hi++
		}
		f(s.order[lo:hi], lo)
		lo = hi
	}
}

// many is the number of values from which on a radix sort is faster.
const many = 200

// percentRank is the average rank of ties, counted from 1, over the number of values.
func percentRank(x []float64, s *space) {
	if len(x) >= many {
		kernel.PercentRank(x, x)
		return
	}
	s.ranked(x, func(places []int, less int) {
		for _, k := range places {
			x[k] = (float64(less) + float64(float64(len(places)+1)/2)) / float64(len(x))
		}
	})
}

func demean(x []float64, _ *space) {
	m, _ := kernel.MeanStd(x, 1)
	for k := range x {
		x[k] -= m
	}
}

var acrossInstruments = []Operator{
	across("rank", "percentile rank of x among the instruments, in (0, 1], ties averaged", "", "pandas rank(pct=True); "+kakushadze, percentRank),
	across("zscore", "(x − mean) / std over the instruments, ddof 1", "fewer than 2 instruments have a value, or all have the same", "", func(x []float64, _ *space) {
		m, std := kernel.MeanStd(x, 2)
		for k := range x {
			x[k] = (x[k] - m) / std
		}
	}),
	across("demean", "x − mean over the instruments", "", "", demean),
	{
		Name: "scale", Params: []Param{{"x", Column, ""}, {"to", Number, "1"}}, Formula: "to·x / Σ|x| over the instruments", Missing: "all x are 0", Source: kakushadze, Group: group, result: numberType,
		build: func(c *call) factors.Factor {
			to := c.number("to")
			return c.cross(show(to), rows(func(x []float64, _ *space) {
				sum := 0.0
				for _, v := range x {
					sum += math.Abs(v)
				}
				for k := range x {
					x[k] = to * x[k] / sum
				}
			}), c.column("x"))
		},
	},
	{
		Name: "winsorize", Params: []Param{{"x", Column, ""}, {"q", Number, "0.05"}}, Formula: "x, no lower than the q-quantile over the instruments and no higher than the (1 − q)-quantile (type 7)", Group: group, result: numberType,
		build: func(c *call) factors.Factor {
			q := c.between("q", 0, 0.5)
			return c.cross(show(q), rows(func(x []float64, s *space) {
				s.x = append(s.x[:0], x...)
				slices.Sort(s.x)
				low, high := quantileOf(s.x, q), quantileOf(s.x, 1-q)
				for k := range x {
					x[k] = min(max(x[k], low), high)
				}
			}), c.column("x"))
		},
	},
	{
		Name: "quantile", Params: []Param{{"x", Column, ""}, {"buckets", Number, ""}}, Formula: "1 + ⌊buckets·(r − 1/2)/n⌋, the bucket from 1 up of rank r among the n instruments, ties averaged", Group: group, result: numberType,
		build: func(c *call) factors.Factor {
			n := c.between("buckets", 2, 1e6)
			if n != math.Trunc(n) {
				c.fail(c.args["buckets"].at, "buckets %v, want a whole number", n)
			}
			return c.cross(show(n), rows(func(x []float64, s *space) {
				s.ranked(x, func(places []int, less int) {
					for _, k := range places { // twice the rank less 1 is a whole number
						x[k] = 1 + math.Floor(n*float64(2*less+len(places))/float64(2*len(x)))
					}
				})
			}), c.column("x"))
		},
	},
	across("mean_of", "mean of x over the instruments that have one, for all of those", "", "", func(x []float64, _ *space) {
		m, _ := kernel.MeanStd(x, 1)
		for k := range x {
			x[k] = m
		}
	}),
	grouped("group_demean", "x − mean over the instruments of the same group", demean),
	grouped("group_rank", "percentile rank of x among the instruments of the same group, in (0, 1], ties averaged", percentRank),
	{
		Name: "residual", Params: []Param{{"y", Column, ""}, {"x", Columns, ""}}, Formula: "y − a − Σ b·x, the least-squares plane with intercept over the instruments that have all of y, x, …", Missing: "no more instruments than coefficients, or the x depend on each other linearly", Source: "ordinary least squares, by modified Gram–Schmidt", Group: group, result: numberType,
		build: func(c *call) factors.Factor {
			return c.cross("", residuals, append([]factors.Factor{c.column("y")}, c.columns("x")...)...)
		},
	},
}

// grouped is an operator across the instruments that the study gives one label.
func grouped(name, formula string, f func(x []float64, s *space)) Operator {
	return Operator{
		Name: name, Params: columnX, Formula: formula, Missing: "the instrument has no group", Group: group, result: numberType,
		build: func(c *call) factors.Factor {
			labels := c.b.scope.Groups
			if !slices.ContainsFunc(labels, func(l string) bool { return l != "" }) {
				c.fail(c.at, "%s needs groups, and no instrument of the study has one: give them as in {exchange: binance-futures, symbol: BTCUSDT, group: majors}", name)
			}
			var members [][]int
			seen := map[string]int{}
			var without []int
			for i, l := range labels {
				if l == "" {
					without = append(without, i)
					continue
				}
				at, ok := seen[l]
				if !ok {
					at = len(members)
					seen[l] = at
					members = append(members, nil)
				}
				members[at] = append(members[at], i)
			}
			over := rows(f)
			return c.cross("", func(dst [][]float64, in [][][]float64) {
				for _, list := range members {
					to, from := make([][]float64, len(list)), make([][]float64, len(list))
					for k, i := range list {
						to[k], from[k] = dst[i], in[0][i]
					}
					over(to, [][][]float64{from})
				}
				for _, i := range without {
					for t := range dst[i] {
						dst[i][t] = nan
					}
				}
			}, c.column("x"))
		},
	}
}

// quantileOf is the type 7 quantile of ascending values.
func quantileOf(v []float64, q float64) float64 {
	h := float64(float64(len(v)-1) * q)
	k := int(h)
	if k+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[k] + float64((h-float64(k))*(v[k+1]-v[k]))
}

// dependent is the share of its length that a column must keep when what others explain is taken away.
const dependent = 1e-10

// residuals are those of in[0] on the others, with intercept.
func residuals(dst [][]float64, in [][][]float64) {
	place := make([]int, 0, len(dst))
	v := make([][]float64, len(in)) // by column: y, then the regressors
	for t := range rowsOf(dst) {
		place = place[:0]
		for i := range dst {
			dst[i][t] = nan
			if !slices.ContainsFunc(in, func(col [][]float64) bool { return col[i][t] != col[i][t] }) {
				place = append(place, i)
			}
		}
		if len(place) <= len(in) { // coefficients: the intercept and one a regressor
			continue
		}
		for k := range v {
			v[k] = v[k][:0]
			for _, i := range place {
				v[k] = append(v[k], in[k][i][t])
			}
			demean(v[k], nil)
		}
		if !orthogonalize(v) {
			continue
		}
		for k, i := range place {
			dst[i][t] = finite(v[0][k])
		}
	}
}

// orthogonalize takes from v[0] what the others explain, each made orthogonal to those before it (twice, which is
// enough: Giraud and Langou 2003). It reports false where one of them depends on the others.
func orthogonalize(v [][]float64) bool {
	for k := 1; k <= len(v); k++ {
		x := v[k%len(v)] // v[0] last
		before := norm(x)
		for range 2 {
			for _, q := range v[1:k] {
				p := dot(q, x)
				for j := range x {
					x[j] -= float64(p * q[j])
				}
			}
		}
		if k == len(v) {
			return true
		}
		n := norm(x)
		if !(n > dependent*before) {
			return false
		}
		for j := range x {
			x[j] /= n
		}
	}
	return true
}

func dot(a, b []float64) float64 {
	s := 0.0
	for k := range a {
		s += float64(a[k] * b[k])
	}
	return s
}

func norm(x []float64) float64 { return math.Sqrt(dot(x, x)) }

// show writes a number as keys do.
func show(v float64) string { return fmt.Sprint(v) }
