package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/kernel"
)

// Operator is one function of the language: everything that `qf factors --operators`, the checks and the documentation
// say about it comes from here.
type Operator struct {
	Name     string
	Params   []Param
	Formula  string // one line
	Missing  string // when the value is missing, beyond the rule for all of them
	Lookback string // bars that it adds to those of its arguments; empty for none
	Source   string // paper or tool whose definition it is; empty for what needs none
	Group    string // "by value", "in time", "by day", "across instruments"

	result valueType
	build  func(c *call) factors.Factor
}

// Param is one parameter of an operator.
type Param struct {
	Name    string
	Type    ParamType
	Default string // empty: it must be given; "-": it may be left out
}

// ParamType says what may stand for a parameter.
type ParamType uint8

const (
	Column  ParamType = iota // a number at each bar
	Flag                     // true or false at each bar
	Bars                     // a window: a constant number of bars, at least 1, or a length of time
	Delay                    // a constant number of bars or a length of time, at least 0
	Number                   // a constant
	Periods                  // a least number of values: a share of the window, bars or time
	Columns                  // one or more of Column, the last parameter
)

// String says what is wanted.
func (t ParamType) String() string {
	return [...]string{"a number at each bar", "true or false", "a window such as 20 or 4h", "a delay such as 1 or 1h", "a constant number", "bars, time or a share of the window", "numbers at each bar"}[t]
}

// Signature is the call with its parameters: ts_mean(x, window, min_periods = 0.9).
func (o Operator) Signature() string {
	list := make([]string, len(o.Params))
	for i, p := range o.Params {
		switch list[i] = p.Name; {
		case p.Type == Columns:
			list[i] += ", …"
		case p.Default != "" && p.Default != "-":
			list[i] += " = " + p.Default
		}
	}
	return o.Name + "(" + strings.Join(list, ", ") + ")"
}

// Operators lists the functions of the language.
var Operators []Operator

func init() { Operators = slices.Concat(byValue, inTime, byDay, acrossInstruments) } // they refer to the list themselves

// FindOperator gives the operator of that name.
func FindOperator(name string) (Operator, bool) {
	at := slices.IndexFunc(Operators, func(o Operator) bool { return o.Name == name })
	if at < 0 {
		return Operator{}, false
	}
	return Operators[at], true
}

var (
	columnX = []Param{{"x", Column, ""}}
	least   = Param{"min_periods", Periods, "0.9"}
	overX   = []Param{{"x", Column, ""}, {"window", Bars, ""}, least}
	overXY  = []Param{{"x", Column, ""}, {"y", Column, ""}, {"window", Bars, ""}, least}
)

const (
	windowBack = "window − 1"
	fewValues  = "fewer than min_periods values in the window"
	pandas     = "pandas rolling"
	kakushadze = "Kakushadze (2016), 101 Formulaic Alphas"
)

// rolling is an operator in time that is a kernel of x over a window.
func rolling(name, formula, missing, source string, start func(window, minPeriods int) kernel.Rolling) Operator {
	return Operator{
		Name: name, Params: overX, Formula: formula, Missing: missing, Lookback: windowBack, Source: source, Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			x, w := c.column("x"), c.bars("window")
			m := c.periods("min_periods", w)
			return c.node(w-1, fmt.Sprint(w, m), kernelOf(func() kernel.Rolling { return start(w, m) }), x)
		},
	}
}

// rollingPair is an operator in time of two columns.
func rollingPair(name, formula, missing string, start func(window, minPeriods int) kernel.RollingPair) Operator {
	return Operator{
		Name: name, Params: overXY, Formula: formula, Missing: missing, Lookback: windowBack, Source: pandas, Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			x, y, w := c.column("x"), c.column("y"), c.bars("window")
			m := c.periods("min_periods", w)
			return c.node(w-1, fmt.Sprint(w, m), pairOf(func() kernel.RollingPair { return start(w, m) }), x, y)
		},
	}
}

// regression is an operator in time of y on x, or on time where x is left out.
func regression(name, formula string, start func(window, minPeriods int) kernel.RollingPair, onTime func(window, minPeriods int) kernel.Rolling) Operator {
	return Operator{
		Name: name, Formula: formula, Missing: fewValues + ", or x does not vary", Lookback: windowBack, Group: "in time", result: numberType,
		Params: []Param{{"y", Column, ""}, {"window", Bars, ""}, {"x", Column, "-"}, least},
		build: func(c *call) factors.Factor {
			y, w := c.column("y"), c.bars("window")
			m := c.periods("min_periods", w)
			if !c.given("x") {
				return c.node(w-1, fmt.Sprint("time ", w, m), kernelOf(func() kernel.Rolling { return onTime(w, m) }), y)
			}
			return c.node(w-1, fmt.Sprint(w, m), pairOf(func() kernel.RollingPair { return start(w, m) }), c.column("x"), y)
		},
	}
}

// exponential is an operator in time whose weights halve and halve again, cut off where they no longer count.
func exponential(name, formula, missing string, start func(alpha float64, window, minPeriods int) kernel.Rolling) Operator {
	return Operator{
		Name: name, Formula: formula, Missing: missing, Lookback: "window − 1", Source: "pandas ewm(span, adjust=True), whose weights have no end", Group: "in time", result: numberType,
		Params: []Param{{"x", Column, ""}, {"span", Bars, ""}, {"window", Bars, "-"}},
		build: func(c *call) factors.Factor {
			x := c.column("x")
			alpha := 2 / (float64(c.bars("span")) + 1)
			w := kernel.FadingWindow(alpha)
			if c.given("window") {
				w = c.bars("window")
			}
			return c.node(w-1, fmt.Sprint(alpha, w), kernelOf(func() kernel.Rolling { return start(alpha, w, 0) }), x)
		},
	}
}

var inTime = []Operator{
	{
		Name: "delay", Params: []Param{{"x", Column, ""}, {"by", Delay, ""}}, Formula: "x[t−by]", Lookback: "by", Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			k := c.delay("by")
			return c.node(k, fmt.Sprint(k), kernelOf(func() kernel.Rolling { return kernel.NewShift(k) }), c.column("x"))
		},
	},
	{
		Name: "delta", Params: []Param{{"x", Column, ""}, {"by", Delay, ""}}, Formula: "x[t] − x[t−by]", Lookback: "by", Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			k := c.delay("by")
			return c.node(k, fmt.Sprint(k), kernelOf(func() kernel.Rolling { return kernel.NewDiff(k) }), c.column("x"))
		},
	},
	{
		Name: "pct_change", Params: []Param{{"x", Column, ""}, {"by", Delay, ""}}, Formula: "x[t] / x[t−by] − 1", Missing: "x[t−by] is 0", Lookback: "by", Source: "pandas pct_change(fill_method=None)", Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			k, x := c.delay("by"), c.column("x")
			return c.node(k, fmt.Sprint(k), func() factors.Eval {
				past := kernel.NewShift(k)
				return func(dst []float64, in [][]float64) {
					past.Next(dst, in[0])
					for t, x := range in[0] {
						dst[t] = finite(x/dst[t] - 1)
					}
				}
			}, x)
		},
	},
	rolling("ts_sum", "Σ x over the window", fewValues, pandas, kernel.NewSum),
	rolling("ts_mean", "Σ x / n over the n values of the window", fewValues, pandas, kernel.NewMean),
	rolling("ts_std", "√ts_var", fewValues+", or fewer than 2", pandas, kernel.NewStd),
	rolling("ts_var", "Σ (x − mean)² / (n − 1) over the window", fewValues+", or fewer than 2", pandas, newVar),
	rolling("ts_min", "smallest x of the window", fewValues, pandas, kernel.NewMin),
	rolling("ts_max", "largest x of the window", fewValues, pandas, kernel.NewMax),
	rolling("ts_argmin", "bars since the smallest x of the window, 0 where it is this bar's; of equal ones the newest", fewValues, "", kernel.NewArgMin),
	rolling("ts_argmax", "bars since the largest x of the window, 0 where it is this bar's; of equal ones the newest", fewValues, "", kernel.NewArgMax),
	rolling("ts_median", "middle x of the window, halfway between the two middle ones where their number is even", fewValues, pandas, kernel.NewMedian),
	{
		Name: "ts_quantile", Params: []Param{{"x", Column, ""}, {"window", Bars, ""}, {"q", Number, ""}, least},
		Formula: "q-quantile of the window, interpolated linearly (type 7)", Missing: fewValues, Lookback: windowBack, Source: "Hyndman and Fan (1996); pandas rolling quantile", Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			x, w, q := c.column("x"), c.bars("window"), c.between("q", 0, 1)
			m := c.periods("min_periods", w)
			return c.node(w-1, fmt.Sprint(w, m, q), kernelOf(func() kernel.Rolling { return kernel.NewQuantile(w, m, q) }), x)
		},
	},
	rolling("ts_rank", "percentile rank of x among the window, in (0, 1], ties averaged", fewValues+", or x is missing", "pandas rolling rank(pct=True)", kernel.NewRank),
	rolling("ts_zscore", "(x − ts_mean) / ts_std", fewValues+", or fewer than 2, or x is missing or does not vary", pandas, kernel.NewZScore),
	rolling("ts_skew", "n·√(n−1)/(n−2) · Σd³/(Σd²)^(3/2), d = x − mean", fewValues+", or fewer than 3, or x does not vary", pandas, kernel.NewSkew),
	rolling("ts_kurt", "(n−1)/((n−2)(n−3)) · (n(n+1)·Σd⁴/(Σd²)² − 3(n−1)), d = x − mean", fewValues+", or fewer than 4, or x does not vary", pandas, kernel.NewKurt),
	rollingPair("ts_corr", "Pearson's correlation of x and y over the window's bars that have both", fewValues+", or x or y does not vary", kernel.NewCorr),
	rollingPair("ts_cov", "Σ (x − mean x)(y − mean y) / (n − 1) over the window's bars that have both", fewValues+", or fewer than 2", kernel.NewCov),
	regression("ts_slope", "b of the least-squares line y = a + b·x over the window; per bar where x is left out", kernel.NewSlope, kernel.NewTrend),
	regression("ts_intercept", "a of the least-squares line y = a + b·x over the window; the line's value at t where x is left out", kernel.NewIntercept, kernel.NewTrendLevel),
	regression("ts_residual", "y[t] − a − b·x[t] of the least-squares line over the window", kernel.NewResidual, kernel.NewTrendResidual),
	rolling("ts_product", "Π x over the window", fewValues, "", kernel.NewProduct),
	{
		Name: "ts_count", Params: []Param{{"x", Flag, ""}, {"window", Bars, ""}, least}, Formula: "number of the window's bars at which x is true", Missing: fewValues, Lookback: windowBack, Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			x, w := c.flag("x"), c.bars("window")
			m := c.periods("min_periods", w)
			return c.node(w-1, fmt.Sprint(w, m), kernelOf(func() kernel.Rolling { return kernel.NewSum(w, m) }), x)
		},
	},
	rolling("decay_linear", "Σ w·x / Σ w over the window's values, w = window for this bar down to 1 for the oldest", fewValues, kakushadze, kernel.NewDecayLinear),
	exponential("ewm_mean", "Σ w·x / Σ w, w = (1 − α)^age, α = 2/(span + 1); the window is given, or ends where all older weights together are below 2⁻⁵³", "the window has no value", kernel.NewFadingMean),
	exponential("ewm_std", "√(W²/(W² − Σw²) · Σ w·(x − ewm_mean)² / W), W = Σ w, weights and window of ewm_mean", "the window has fewer than 2 values", kernel.NewFadingStd),
	{
		Name: "since", Params: []Param{{"x", Flag, ""}, {"window", Bars, ""}}, Formula: "bars since x was last true, 0 where it is now", Missing: "it was not true within the window", Lookback: windowBack, Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			w := c.bars("window")
			return c.node(w-1, fmt.Sprint(w), kernelOf(func() kernel.Rolling { return kernel.NewSince(w) }), c.flag("x"))
		},
	},
	{
		Name: "ffill", Params: []Param{{"x", Column, ""}, {"limit", Delay, ""}}, Formula: "the last x, at most limit bars old", Missing: "there is none", Lookback: "limit", Group: "in time", result: numberType,
		build: func(c *call) factors.Factor {
			k := c.delay("limit")
			return c.node(k, fmt.Sprint(k), kernelOf(func() kernel.Rolling { return kernel.NewFill(k) }), c.column("x"))
		},
	},
}

// daily is an operator by UTC day.
func daily(name, formula string, start func() kernel.RollingPair) Operator {
	return Operator{
		Name: name, Params: columnX, Formula: formula, Missing: "the day has no value yet", Lookback: "a day − 1", Group: "by day", result: numberType,
		build: func(c *call) factors.Factor { return c.daily(start, c.column("x")) },
	}
}

var byDay = []Operator{
	daily("day_sum", "Σ x of the UTC day so far", kernel.NewDaySum),
	daily("day_mean", "mean x of the UTC day so far", kernel.NewDayMean),
	daily("day_min", "smallest x of the UTC day so far", kernel.NewDayMin),
	daily("day_max", "largest x of the UTC day so far", kernel.NewDayMax),
	daily("day_first", "first x of the UTC day", kernel.NewDayFirst),
	{
		Name: "day_return", Formula: "ln(close / day_first(open)), from the UTC day's open to now", Lookback: "a day − 1", Group: "by day", result: numberType,
		build: func(c *call) factors.Factor {
			open := *c
			open.op.Name = "day_first"
			first := open.daily(kernel.NewDayFirst, field("open"))
			return c.node(0, "", func() factors.Eval {
				return func(dst []float64, in [][]float64) {
					for t, p := range in[0] {
						if dst[t] = finite(factors.LogReturn(in[1][t], p)); !(p > 0) {
							dst[t] = nan
						}
					}
				}
			}, field("close"), first)
		},
	},
}

// daily is a kernel of the day so far.
func (c *call) daily(start func() kernel.RollingPair, x factors.Factor) factors.Factor {
	every := c.b.grid.Every
	if every <= 0 {
		c.fail(c.at, "%s needs time bars: others have no fixed number in a day, so that its lookback is not known", c.op.Name)
		return x
	}
	perDay := int(datasets.MicrosPerDay / every.Microseconds())
	f := c.node(perDay-1, "", func() factors.Eval {
		k := start()
		return func(dst []float64, in [][]float64) { k.Next(dst, in[0], in[1]) }
	}, x)
	f.Inputs = []string{factors.UTCDay}
	return f
}

// newVar is the covariance of a column with itself.
func newVar(window, minPeriods int) kernel.Rolling {
	return variance{kernel.NewCov(window, minPeriods)}
}

type variance struct{ cov kernel.RollingPair }

func (v variance) Next(dst, x []float64) { v.cov.Next(dst, x, x) }

// kernelOf is Factor.Start of a kernel of one column.
func kernelOf(start func() kernel.Rolling) func() factors.Eval {
	return func() factors.Eval {
		k := start()
		return func(dst []float64, in [][]float64) { k.Next(dst, in[0]) }
	}
}

// pairOf is Factor.Start of a kernel of two columns.
func pairOf(start func() kernel.RollingPair) func() factors.Eval {
	return func() factors.Eval {
		k := start()
		return func(dst []float64, in [][]float64) { k.Next(dst, in[0], in[1]) }
	}
}
