package expr

import (
	"math"

	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

var nan = math.NaN()

// finite is v, or missing where it is not finite.
func finite(v float64) float64 {
	if w := float64(v); w-w != 0 { // rounded before: v may be a product that the compiler has in its hands
		return nan
	}
	return v
}

// truth is 1 or 0.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// one is an operator by value of one number. f gets no missing value.
func one(name, formula, missing string, f func(x float64) float64) Operator {
	return Operator{
		Name: name, Params: columnX, Formula: formula, Missing: missing, Group: "by value", result: numberType,
		build: func(c *call) factors.Factor { return c.node(0, "", each1(f), c.column("x")) },
	}
}

// two is an operator by value of two numbers.
func two(name, a, b, formula, missing string, f func(a, b float64) float64) Operator {
	return Operator{
		Name: name, Params: []Param{{a, Column, ""}, {b, Column, ""}}, Formula: formula, Missing: missing, Group: "by value", result: numberType,
		build: func(c *call) factors.Factor { return c.node(0, "", each2(f), c.column(a), c.column(b)) },
	}
}

// each1 is Factor.Start of f at each row.
func each1(f func(x float64) float64) func() factors.Eval {
	return stateless(func(dst []float64, in [][]float64) {
		for t, x := range in[0] {
			if dst[t] = nan; x == x {
				dst[t] = finite(f(x))
			}
		}
	})
}

// each2 is Factor.Start of f at each row.
func each2(f func(a, b float64) float64) func() factors.Eval {
	return stateless(func(dst []float64, in [][]float64) {
		b := in[1]
		for t, a := range in[0] {
			if dst[t] = nan; a == a && b[t] == b[t] {
				dst[t] = finite(f(a, b[t]))
			}
		}
	})
}

func stateless(e factors.Eval) func() factors.Eval { return func() factors.Eval { return e } }

var byValue = []Operator{
	one("abs", "|x|", "", math.Abs),
	one("sign", "1, 0 or −1", "", func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}),
	one("log", "ln x", "x ≤ 0", portable.Log),
	one("log1p", "ln(1 + x)", "x ≤ −1", portable.Log1p),
	one("exp", "e^x", "the result overflows", portable.Exp),
	one("sqrt", "√x", "x < 0", math.Sqrt),
	two("power", "x", "y", "x^y", "x < 0 and y is no whole number, or x = 0 and y < 0", portable.Pow),
	two("signed_power", "x", "y", "sign(x)·|x|^y", "x = 0 and y < 0", func(x, y float64) float64 {
		return math.Copysign(portable.Pow(math.Abs(x), y), x)
	}),
	two("min", "x", "y", "the smaller of the two", "", func(a, b float64) float64 { return min(a, b) }),
	two("max", "x", "y", "the larger of the two", "", func(a, b float64) float64 { return max(a, b) }),
	{
		Name: "clip", Params: []Param{{"x", Column, ""}, {"low", Number, ""}, {"high", Number, ""}}, Formula: "low where x is below it, high where x is above it, else x", Group: "by value", result: numberType,
		build: func(c *call) factors.Factor {
			low, high := c.number("low"), c.number("high")
			if low > high {
				c.fail(c.args["low"].at, "low %v is above high %v", low, high)
			}
			return c.node(0, show(low)+" "+show(high), each1(func(x float64) float64 { return min(max(x, low), high) }), c.column("x"))
		},
	},
	one("round", "the nearest whole number, halves to even", "", math.RoundToEven),
	{
		Name: "if", Params: []Param{{"condition", Flag, ""}, {"then", Column, ""}, {"otherwise", Column, ""}}, Formula: "then where the condition is true, otherwise where it is false", Missing: "the condition is missing, or the value that it chooses", Group: "by value", result: numberType,
		build: func(c *call) factors.Factor {
			return c.node(0, "", stateless(func(dst []float64, in [][]float64) {
				for t, is := range in[0] {
					switch {
					case is != is:
						dst[t] = nan
					case is != 0:
						dst[t] = in[1][t]
					default:
						dst[t] = in[2][t]
					}
				}
			}), c.flag("condition"), c.column("then"), c.column("otherwise"))
		},
	},
	{
		Name: "is_missing", Params: columnX, Formula: "true where x is missing", Group: "by value", result: flagType,
		build: func(c *call) factors.Factor {
			return c.node(0, "", stateless(func(dst []float64, in [][]float64) {
				for t, x := range in[0] {
					dst[t] = truth(x != x)
				}
			}), c.column("x"))
		},
	},
}

// infix are the operators between operands; the loops of the most frequent ones are written out.
var infix = map[string]struct {
	of, result valueType // of the operands
	start      func() factors.Eval
	symmetric  bool
}{
	"+": {numberType, numberType, stateless(func(dst []float64, in [][]float64) {
		b := in[1]
		for t, a := range in[0] {
			dst[t] = finite(a + b[t])
		}
	}), true},
	"-": {numberType, numberType, stateless(func(dst []float64, in [][]float64) {
		b := in[1]
		for t, a := range in[0] {
			dst[t] = finite(a - b[t])
		}
	}), false},
	"*": {numberType, numberType, stateless(func(dst []float64, in [][]float64) {
		b := in[1]
		for t, a := range in[0] {
			dst[t] = finite(a * b[t])
		}
	}), true},
	"/": {numberType, numberType, stateless(func(dst []float64, in [][]float64) {
		b := in[1]
		for t, a := range in[0] {
			dst[t] = finite(a / b[t])
		}
	}), false},
	"^":   {numberType, numberType, each2(portable.Pow), false},
	"<":   {numberType, flagType, each2(func(a, b float64) float64 { return truth(a < b) }), false},
	"<=":  {numberType, flagType, each2(func(a, b float64) float64 { return truth(a <= b) }), false},
	">":   {numberType, flagType, each2(func(a, b float64) float64 { return truth(a > b) }), false},
	">=":  {numberType, flagType, each2(func(a, b float64) float64 { return truth(a >= b) }), false},
	"==":  {numberType, flagType, each2(func(a, b float64) float64 { return truth(a == b) }), true},
	"!=":  {numberType, flagType, each2(func(a, b float64) float64 { return truth(a != b) }), true},
	"and": {flagType, flagType, each2(func(a, b float64) float64 { return truth(a != 0 && b != 0) }), true},
	"or":  {flagType, flagType, each2(func(a, b float64) float64 { return truth(a != 0 || b != 0) }), true},
}
