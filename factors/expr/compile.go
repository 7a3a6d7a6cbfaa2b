package expr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Scope is what the formulas of a study may name.
type Scope struct {
	Definitions []Source // names of parts
	Factors     []Source
	Instruments []datasets.Instrument
	References  []datasets.Instrument // what formulas may only look at: x["exchange:SYMBOL"]
	Series      []string              // names of the study's own series, the same at each instrument
	Groups      []string              // the instruments' labels; empty for those without
}

// Source is a definition, or a factor: an expression or a kind of the catalogue.
type Source struct {
	Name   string
	Expr   string // empty for a kind
	Kind   string
	Params factors.Params
}

// kind makes the factor of a kind.
func (s Source) kind(g *factors.Grid) (factors.Factor, error) {
	return factors.Make(s.Name, s.Kind, s.Params, g)
}

// valueType is what a part of a formula stands for.
type valueType uint8

const (
	numberType   valueType = iota // at each bar
	flagType                      // true or false at each bar
	constantType                  // a number
	windowType                    // a length of time, or of trades
	textType
)

// String says what there is instead of what is wanted.
func (t valueType) String() string {
	return [...]string{"a number at each bar", "true or false", "a constant", "a length of time", "a text"}[t]
}

// value is a part of a formula, compiled.
type value struct {
	valueType
	factor   factors.Factor // of a number or a flag
	number   float64
	window   factors.Window
	negative bool // a window with a minus before it
	text     string
}

// builder compiles the formulas of a scope.
type builder struct {
	scope Scope
	grid  *factors.Grid
	done  map[string]*value // by name
	doing []string          // names in progress, outermost first
	in    Source            // whose formula is in progress
	err   *Error            // the first problem of the factor in progress
	over  map[string]bool   // by key: whether it is a figure over the instruments
}

// Compile makes all factors of the scope on a grid, in their order. Equal parts have equal keys, so that a Plan
// computes them once. The errors say what is wrong with each factor or definition; where there are any, there are no factors.
func Compile(s Scope, g *factors.Grid) ([]factors.Factor, []*Error) {
	b := &builder{scope: s, grid: g, done: map[string]*value{}, over: map[string]bool{}}
	var errs []*Error
	report := func() {
		if b.err != nil && !slices.ContainsFunc(errs, func(e *Error) bool { return *e == *b.err }) {
			errs = append(errs, b.err)
		}
		b.err, b.doing = nil, nil
	}
	for k, d := range s.Definitions {
		b.in = d
		switch what := s.Taken(d.Name); {
		case !IsName(d.Name):
			b.fail(0, "a definition's name is letters, digits and _, and begins with no digit")
		case what != "":
			b.fail(0, "%s is the name of %s: call the definition otherwise", d.Name, what)
		case slices.ContainsFunc(s.Definitions[:k], func(o Source) bool { return o.Name == d.Name }):
			b.fail(0, "%s is defined twice", d.Name)
		default:
			b.named(d)
		}
		report()
	}
	list := make([]factors.Factor, len(s.Factors))
	for k, f := range s.Factors {
		b.in = f
		v := b.named(f)
		list[k] = v.factor
		list[k].Name = f.Name
		if b.err == nil && f.Expr != "" {
			switch {
			case v.valueType == flagType:
				b.fail(0, "the formula is true or false, and a factor is a number: if(…, 1, 0) makes one of it")
			case v.valueType != numberType:
				b.fail(0, "the formula is %v, and a factor is a number at each bar", v.valueType)
			case isColumn(f.Name) || f.Name == returns:
				b.fail(0, "%s is the name of a bar column: call the factor otherwise", f.Name)
			}
		}
		report()
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return list, nil
}

// Taken says what of the language, or of the scope's factors and series, has a name already; empty for nothing.
func (s Scope) Taken(name string) string {
	if _, ok := FindOperator(name); ok {
		return "an operator"
	}
	if _, err := factors.Find(name); err == nil {
		return "a kind of factor"
	}
	if isColumn(name) || name == returns {
		return "a column"
	}
	if slices.Contains([]string{"and", "or", "not", "trades"}, name) {
		return "a word of the language"
	}
	if slices.ContainsFunc(s.Factors, func(f Source) bool { return f.Name == name }) {
		return "a factor"
	}
	if slices.Contains(s.Series, name) {
		return "a series"
	}
	return ""
}

// IsName reports whether formulas can name something so: letters, digits and _, no digit first.
func IsName(s string) bool {
	tokens, err := lex(s)
	return err == nil && len(tokens) == 2 && tokens[0].kind == nameToken
}

// returns is the name of the log return of close.
const returns = "returns"

// columns names the bar columns that formulas may use, beside ofi_{N}t.
func columns() []string {
	return append(factors.OtherFields(), "open", "high", "low", "close", "volume", "vwap", "turnover", "buy_turnover", "sell_turnover", "trades", "buy_trades")
}

// isColumn reports whether bars can have a column of that name.
func isColumn(name string) bool {
	_, tick := factors.TickWindow(name)
	return tick || slices.Contains(columns(), name)
}

// fail keeps the first problem of the formula in progress.
func (b *builder) fail(at int, format string, a ...any) {
	if b.err == nil {
		b.err = &Error{In: b.in.Name, Text: b.in.Expr, Offset: at, Msg: fmt.Sprintf(format, a...)}
	}
}

// bad is what stands for a part that has a problem.
var bad = value{factor: factors.Factor{Lookback: 1}}

// named compiles a factor or a definition, once.
func (b *builder) named(s Source) value {
	if v, ok := b.done[s.Name]; ok {
		return *v
	}
	outer := b.in
	b.in = s
	b.doing = append(b.doing, s.Name)
	v := bad
	if s.Expr == "" {
		f, err := s.kind(b.grid)
		if err != nil {
			b.fail(0, "%v", err)
		}
		v = value{factor: f}
	} else if n, err := parse(s.Expr); err != nil {
		b.fail(err.Offset, "%s", err.Msg)
	} else {
		v = b.value(n)
	}
	b.doing = b.doing[:len(b.doing)-1]
	b.in = outer
	if b.err == nil {
		b.done[s.Name] = &v
	}
	return v
}

// value compiles a part.
func (b *builder) value(n *node) value {
	if b.err != nil {
		return bad
	}
	switch n.kind {
	case numberNode:
		return value{valueType: constantType, number: n.number}
	case windowNode:
		return value{valueType: windowType, window: n.window}
	case textNode:
		return value{valueType: textType, text: n.text}
	case nameNode:
		return b.name(n)
	case pickNode:
		return b.pick(n)
	}
	if n.names == nil {
		if _, ok := infix[n.text]; ok && len(n.args) == 2 {
			return b.infix(n)
		}
		if n.text == "-" || n.text == "not" {
			return b.prefix(n)
		}
	}
	return b.call(n)
}

func (b *builder) name(n *node) value {
	if at := slices.Index(b.doing, n.text); at >= 0 {
		b.fail(n.at, "%s is made of itself: %s", n.text, strings.Join(append(slices.Clone(b.doing[at:]), n.text), " → "))
		return bad
	}
	for _, list := range [][]Source{b.scope.Definitions, b.scope.Factors} {
		if at := slices.IndexFunc(list, func(s Source) bool { return s.Name == n.text }); at >= 0 {
			v := b.named(list[at])
			if v.factor.Sample != nil {
				b.fail(n.at, "%s places each value within the full sample, which looks ahead: formulas are causal", n.text)
			}
			return v
		}
	}
	switch {
	case n.text == returns:
		return value{factor: factors.Returns()}
	case isColumn(n.text) || slices.Contains(b.scope.Series, n.text):
		return value{factor: field(n.text)}
	}
	if _, err := factors.Find(n.text); err == nil {
		b.fail(n.at, "%s is a kind of factor, want a call such as %s()", n.text, n.text)
	} else if o, ok := FindOperator(n.text); ok {
		b.fail(n.at, "%s is an operator, want a call such as %s", n.text, o.Signature())
	} else {
		known := append(append(columns(), returns), b.scope.Series...)
		for _, s := range slices.Concat(b.scope.Definitions, b.scope.Factors) {
			known = append(known, s.Name)
		}
		b.fail(n.at, "there is no %q%s", n.text, nearest(n.text, known, "names are bar columns, returns, the study's factors, its definitions and its series"))
	}
	return bad
}

func (b *builder) pick(n *node) value {
	x := b.value(n.args[0])
	if b.err != nil {
		return bad
	}
	if x.valueType != numberType && x.valueType != flagType {
		b.fail(n.at, "%v has no instrument", x.valueType)
		return bad
	}
	i := b.scope.column(n.text)
	if i < 0 {
		var names []string
		for _, in := range slices.Concat(b.scope.Instruments, b.scope.References) {
			names = append(names, in.String())
		}
		b.fail(n.at, "the study has no instrument %q%s", n.text, nearest(n.text, names, "it has "+strings.Join(names, ", ")+"; others to look at stand under data.references"))
		return bad
	}
	if i >= len(b.scope.Instruments) && b.across(x.factor) {
		b.fail(n.at, "%s is a reference, and figures across instruments are those of the traded ones: take them outside of the brackets", n.text)
		return bad
	}
	f := factors.Factor{Uses: []factors.Factor{x.factor}, Lookback: x.factor.Lookback, Pick: &i}
	f.Key = key("["+n.text+"]", "", f.Uses)
	return value{valueType: x.valueType, factor: f}
}

// column is the place of an instrument among the traded ones and, after them, the references; −1 for none.
func (s Scope) column(name string) int {
	return slices.IndexFunc(slices.Concat(s.Instruments, s.References), func(in datasets.Instrument) bool { return in.String() == name })
}

// across reports whether a factor is made of figures over the traded instruments.
func (b *builder) across(f factors.Factor) bool {
	if is, ok := b.over[f.Key]; ok {
		return is
	}
	is := f.Across != nil || f.Pick == nil && slices.ContainsFunc(f.Uses, b.across)
	b.over[f.Key] = is
	return is
}

func (b *builder) prefix(n *node) value {
	x := b.value(n.args[0])
	if b.err != nil {
		return bad
	}
	switch {
	case n.text == "not":
		return value{valueType: flagType, factor: b.node("not", 0, "", each1(func(x float64) float64 { return truth(x == 0) }), b.series(n.args[0], x, flagType, "not"))}
	case x.valueType == constantType:
		x.number = -x.number
		return x
	case x.valueType == windowType:
		x.negative = !x.negative
		return x
	}
	return value{factor: b.node("negative", 0, "", stateless(func(dst []float64, in [][]float64) {
		for t, x := range in[0] {
			dst[t] = -x
		}
	}), b.series(n.args[0], x, numberType, "-"))}
}

func (b *builder) infix(n *node) value {
	op := infix[n.text]
	x, y := b.value(n.args[0]), b.value(n.args[1])
	if b.err != nil {
		return bad
	}
	if x.valueType == constantType && y.valueType == constantType && op.of == numberType && op.result == numberType {
		dst := []float64{0}
		op.start()(dst, [][]float64{{x.number}, {y.number}})
		if dst[0] != dst[0] {
			b.fail(n.at, "%v %s %v is not a finite number", x.number, n.text, y.number)
		}
		return value{valueType: constantType, number: dst[0]}
	}
	args := []factors.Factor{b.series(n.args[0], x, op.of, n.text), b.series(n.args[1], y, op.of, n.text)}
	if op.symmetric && args[1].Key < args[0].Key {
		args[0], args[1] = args[1], args[0]
	}
	return value{valueType: op.result, factor: b.node(n.text, 0, "", op.start, args...)}
}

// series is a compiled part as a column of a type; by is what wants it.
func (b *builder) series(n *node, v value, want valueType, by string) factors.Factor {
	switch {
	case b.err != nil:
	case v.valueType == want:
		return v.factor
	case v.valueType == constantType && want == numberType:
		return constant(v.number)
	case want == flagType:
		b.fail(n.at, "%s wants true or false, and this is %v: compare it with something", by, v.valueType)
	case v.valueType == flagType:
		b.fail(n.at, "%s wants a number, and this is true or false: if(…, 1, 0) makes one of it", by)
	default:
		b.fail(n.at, "%s wants a number, and this is %v", by, v.valueType)
	}
	return bad.factor
}

// field is a bar column.
func field(name string) factors.Factor {
	return factors.Factor{
		Key: "column " + name, Inputs: []string{name}, Lookback: 1,
		Start: stateless(func(dst []float64, in [][]float64) {
			for t, v := range in[0] {
				dst[t] = finite(v)
			}
		}),
	}
}

// constant is one number at each bar.
func constant(v float64) factors.Factor {
	return factors.Factor{Key: "= " + strconv.FormatFloat(v, 'g', -1, 64), Lookback: 1, Start: stateless(func(dst []float64, _ [][]float64) {
		for t := range dst {
			dst[t] = v
		}
	})}
}

// maxLookback is how far back a formula may look, in bars.
const maxLookback = 1_000_000_000

// node makes a factor of others; back is how many bars more than they it looks back.
func (b *builder) node(name string, back int, params string, start func() factors.Eval, uses ...factors.Factor) factors.Factor {
	f := factors.Factor{Uses: uses, Lookback: 1, Start: start, Key: key(name, params, uses)}
	for _, u := range uses {
		f.Lookback = max(f.Lookback, u.Lookback)
	}
	if f.Lookback += back; f.Lookback > maxLookback {
		b.fail(0, "it looks back %d bars, want at most %d", f.Lookback, maxLookback)
	}
	return f
}

// key is that of a node. Long ones are replaced by a hash, so that they do not grow with what they are made of.
func key(name, params string, uses []factors.Factor) string {
	var s strings.Builder
	s.WriteString(name + "(" + params)
	for _, u := range uses {
		s.WriteString("; " + u.Key)
	}
	s.WriteString(")")
	const longest = 120
	if s.Len() <= longest {
		return s.String()
	}
	sum := sha256.Sum256([]byte(s.String()))
	return name + " " + hex.EncodeToString(sum[:16])
}

// call is a call in progress.
type call struct {
	b    *builder
	op   Operator
	at   int
	args map[string]*node
	rest []*node // of a parameter of type Columns
}

func (c *call) fail(at int, format string, a ...any) { c.b.fail(at, format, a...) }

func (b *builder) call(n *node) value {
	op, ok := FindOperator(n.text)
	if !ok {
		return b.kindCall(n)
	}
	c := &call{b: b, op: op, at: n.at, args: map[string]*node{}}
	for k, arg := range n.args {
		at := -1
		if name := n.names[k]; name != "" {
			if at = slices.IndexFunc(op.Params, func(p Param) bool { return p.Name == name }); at < 0 {
				b.fail(arg.at, "%s has no argument %q, want %s", op.Name, name, op.Signature())
				return bad
			}
		} else if at = min(k, len(op.Params)-1); at < 0 || k > at && op.Params[at].Type != Columns {
			b.fail(arg.at, "%s has %d arguments, want %s", op.Name, len(n.args), op.Signature())
			return bad
		}
		p := op.Params[at]
		if p.Type == Columns {
			c.rest = append(c.rest, arg)
		} else if c.args[p.Name] != nil {
			b.fail(arg.at, "%s is given twice", p.Name)
			return bad
		}
		c.args[p.Name] = arg
	}
	for _, p := range op.Params {
		if c.args[p.Name] == nil && p.Default == "" {
			b.fail(n.at, "%s: %s is missing, want %s", op.Name, p.Name, op.Signature())
			return bad
		}
	}
	return value{valueType: op.result, factor: op.build(c)}
}

// kindCall is a call of a kind of the catalogue.
func (b *builder) kindCall(n *node) value {
	kind, err := factors.Find(n.text)
	if err != nil {
		var known []string
		for _, o := range Operators {
			known = append(known, o.Name)
		}
		for _, k := range factors.Catalogue {
			known = append(known, k.Name)
		}
		b.fail(n.at, "there is no %s(…)%s", n.text, nearest(n.text, known, "qf factors --operators and qf factors list what can be called"))
		return bad
	}
	params, where := b.kindParams(kind, n)
	if b.err != nil {
		return bad
	}
	f, err := factors.Make(kind.Name, kind.Name, params, b.grid)
	if err != nil {
		at := n.at
		text := strings.TrimPrefix(err.Error(), kind.Name+": ")
		if param, _, ok := strings.Cut(text, ": "); ok && where[param] != nil {
			at = where[param].at
		}
		b.fail(at, "%v", err)
	} else if f.Sample != nil {
		b.fail(n.at, "%s places each value within the full sample, which looks ahead: formulas are causal", n.text)
	}
	return value{factor: f}
}

// kindParams are the arguments of a kind as a study would write them, and where they stand.
func (b *builder) kindParams(kind factors.Kind, n *node) (factors.Params, map[string]*node) {
	params, where := factors.Params{}, map[string]*node{}
	for k, arg := range n.args {
		name := n.names[k]
		if name == "" {
			if k >= len(kind.Params) {
				b.fail(arg.at, "%s has %d parameters", kind.Name, len(kind.Params))
				return nil, nil
			}
			name = kind.Params[k].Name
		}
		if where[name] != nil {
			b.fail(arg.at, "%s is given twice", name)
		}
		where[name] = arg
		if arg.kind == nameNode && slices.ContainsFunc(kind.Params, func(p factors.Param) bool { return p.Name == name && p.Type == factors.ChoiceParam }) {
			params[name] = arg.text
			continue
		}
		switch v := b.value(arg); {
		case v.negative:
			b.fail(arg.at, "%s of %s is negative", name, kind.Name)
		case v.valueType == constantType:
			params[name] = strconv.FormatFloat(v.number, 'f', -1, 64)
		case v.valueType == windowType:
			params[name] = v.window.String()
		case v.valueType == textType:
			params[name] = v.text
		default:
			b.fail(arg.at, "%s of %s is %v, want a constant", name, kind.Name, v.valueType)
		}
	}
	return params, where
}

func (c *call) given(name string) bool { return c.args[name] != nil }

// node makes the operator's factor of others.
func (c *call) node(back int, params string, start func() factors.Eval, uses ...factors.Factor) factors.Factor {
	return c.b.node(c.op.Name, back, params, start, uses...)
}

// cross is node across instruments.
func (c *call) cross(params string, over func(dst [][]float64, in [][][]float64), uses ...factors.Factor) factors.Factor {
	f := c.b.node(c.op.Name, 0, params, nil, uses...)
	f.Across = over
	return f
}

// column is a number at each bar.
func (c *call) column(name string) factors.Factor {
	n := c.args[name]
	return c.b.series(n, c.b.value(n), numberType, c.op.Name)
}

// columns is a parameter of type Columns.
func (c *call) columns(string) []factors.Factor {
	var list []factors.Factor
	for _, n := range c.rest {
		list = append(list, c.b.series(n, c.b.value(n), numberType, c.op.Name))
	}
	return list
}

// flag is true or false at each bar.
func (c *call) flag(name string) factors.Factor {
	n := c.args[name]
	return c.b.series(n, c.b.value(n), flagType, c.op.Name)
}

// constant is a number that does not vary.
func (c *call) constant(name string) (value, *node) {
	n := c.args[name]
	v := c.b.value(n)
	if c.b.err == nil && (v.valueType == numberType || v.valueType == flagType) {
		c.fail(n.at, "%s of %s varies from bar to bar, want a constant such as 20 or 4h", name, c.op.Name)
	}
	return v, n
}

func (c *call) number(name string) float64 {
	if c.args[name] == nil {
		for _, p := range c.op.Params {
			if p.Name == name {
				v, _ := strconv.ParseFloat(p.Default, 64)
				return v
			}
		}
	}
	v, n := c.constant(name)
	if c.b.err == nil && v.valueType != constantType {
		c.fail(n.at, "%s of %s is %v, want a number", name, c.op.Name, v.valueType)
	}
	return v.number
}

func (c *call) between(name string, low, high float64) float64 {
	v := c.number(name)
	if c.b.err == nil && !(v >= low && v <= high) {
		c.fail(c.args[name].at, "%s of %s is %v, want %v to %v", name, c.op.Name, v, low, high)
	}
	return v
}

// needs is the least window of statistics that are missing below it.
var needs = map[string]int{
	"ts_std": 2, "ts_var": 2, "ts_zscore": 2, "ts_corr": 2, "ts_cov": 2, "ts_slope": 2, "ts_intercept": 2, "ts_residual": 2, "ts_skew": 3, "ts_kurt": 4,
}

// bars is a window in bars of the grid.
func (c *call) bars(name string) int { return c.length(name, max(needs[c.op.Name], 1)) }

// delay is a number of bars of the grid that may be 0.
func (c *call) delay(name string) int { return c.length(name, 0) }

func (c *call) length(name string, least int) int {
	v, n := c.constant(name)
	if c.b.err != nil {
		return max(least, 1)
	}
	fail := func(format string, a ...any) int {
		c.fail(n.at, format, a...)
		return max(least, 1)
	}
	switch {
	case v.negative, v.valueType == constantType && v.number < 0:
		return fail("%s of %s is negative: it would look ahead, at bars that are not known yet", name, c.op.Name)
	case v.valueType == textType:
		return fail("%s of %s is a text, want a window such as 20 or 4h", name, c.op.Name)
	case v.valueType == windowType:
		k, err := v.window.In(c.b.grid)
		if err != nil {
			return fail("%s of %s: %v", name, c.op.Name, err)
		}
		v.number = float64(k)
	}
	if v.number > maxLookback {
		return fail("%s of %s is %v bars, want at most %d", name, c.op.Name, v.number, maxLookback)
	}
	if v.number != math.Trunc(v.number) || v.number < float64(least) {
		return fail("%s of %s is %v bars, want a whole number, %d or more", name, c.op.Name, v.number, least)
	}
	return int(v.number)
}

// periods is the least number of values of a window of w bars.
func (c *call) periods(name string, w int) int {
	if c.b.err != nil {
		return min(1, w)
	}
	if !c.given(name) {
		return factors.ShareOf(0.9, w)
	}
	v, _ := c.constant(name)
	if v.valueType == constantType && v.number > 0 && v.number < 1 {
		return factors.ShareOf(v.number, w)
	}
	if c.b.err != nil {
		return 1
	}
	return min(c.length(name, 1), w)
}
