package factors

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// Find gives the kind of that name. The error names the nearest one there is.
func Find(kind string) (Kind, error) {
	names := make([]string, len(Catalogue))
	for i, k := range Catalogue {
		if k.Name == kind {
			return k, nil
		}
		names[i] = k.Name
	}
	return Kind{}, fmt.Errorf("factor kind %q is unknown%s", kind, datasets.DidYouMean(kind, names))
}

// Make makes a factor of a kind on a grid. Parameters that p leaves out take their defaults. The
// error names the kind or the parameter that is wrong, and what is wanted.
func Make(name, kind string, p Params, g *Grid) (Factor, error) {
	k, err := Find(kind)
	if err != nil {
		return Factor{}, err
	}
	return k.make(name, p, g)
}

// Needs lists the market fields that a factor of a kind is computed from. It needs no grid, so that
// bars can be asked for them (see FieldFeeds and TickWindow).
func Needs(kind string, p Params) ([]string, error) {
	k, err := Find(kind)
	if err != nil {
		return nil, err
	}
	if p, err = k.complete(p); err != nil {
		return nil, err
	}
	if k.Needs == nil {
		return k.Inputs, nil
	}
	return k.Needs(p)
}

func (k Kind) make(name string, p Params, g *Grid) (Factor, error) {
	p, err := k.complete(p)
	if err != nil {
		return Factor{}, err
	}
	f, err := k.New(p, g)
	if err != nil {
		return Factor{}, fmt.Errorf("%s: %w", k.Name, err)
	}
	f.Name, f.Key = name, k.key(p, g)
	return f, nil
}

// complete checks the parameters' names and forms and fills in the defaults.
func (k Kind) complete(p Params) (Params, error) {
	full := make(Params, len(k.Params))
	names := make([]string, len(k.Params))
	for i, d := range k.Params {
		names[i] = d.Name
		s, given := p[d.Name]
		if !given {
			if d.Default == "" {
				return nil, fmt.Errorf("%s: %s is missing: %s", k.Name, d.Name, d.Doc)
			}
			s = d.Default
		}
		if err := d.check(s); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", k.Name, d.Name, err)
		}
		full[d.Name] = s
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if _, ok := full[name]; !ok {
			return nil, fmt.Errorf("%s has no parameter %q%s", k.Name, name, datasets.DidYouMean(name, names))
		}
	}
	return full, nil
}

// check says what is wrong with a parameter as written, or nil.
func (d Param) check(s string) error {
	var err error
	switch d.Type {
	case WindowParam:
		_, err = ParseWindow(s)
	case NumberParam:
		_, err = parseNumber(s)
	case PeriodsParam:
		_, _, err = parsePeriods(s)
	case ChoiceParam:
		if !slices.Contains(d.Choices, s) {
			err = fmt.Errorf("%q: want one of %s", s, strings.Join(d.Choices, ", "))
		}
	}
	return err
}

// maxNumber bounds a parameter, so that products with it stay finite.
const maxNumber = 1e15

func parseNumber(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%q is not a number", s)
	case math.Abs(v) > maxNumber:
		return 0, fmt.Errorf("%s: want at most %g", s, float64(maxNumber))
	}
	return v, nil
}

// parsePeriods reads a share of a window in (0, 1), or a window.
func parsePeriods(s string) (share float64, w Window, err error) {
	if v, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && v > 0 && v < 1 {
		return v, Window{}, nil
	}
	if w, err = ParseWindow(s); err != nil || w.Trades > 0 {
		return 0, Window{}, fmt.Errorf("%q: want bars (18), time (10d) or a share of the window (0.9)", s)
	}
	return 0, w, nil
}

// key is the kind and its parameters, windows in bars of g where they have such a length.
func (k Kind) key(p Params, g *Grid) string {
	var b strings.Builder
	b.WriteString(k.Name)
	a := args{p: p, g: g}
	last := 0 // the window that a share counts in: the one declared before it
	for _, d := range k.Params {
		b.WriteByte(' ')
		switch d.Type {
		case ChoiceParam:
			b.WriteString(p[d.Name])
		case NumberParam:
			b.WriteString(strconv.FormatFloat(a.number(d.Name), 'g', -1, 64))
		case WindowParam:
			w := a.window(d.Name)
			if last = w.Bars; w.Time > 0 {
				last = a.bars(d.Name)
			}
			if w.Trades > 0 {
				b.WriteString(w.String())
			} else {
				b.WriteString(strconv.Itoa(last))
			}
		case PeriodsParam:
			if last > 0 {
				b.WriteString(strconv.Itoa(a.periods(d.Name, last)))
			}
		}
	}
	return b.String()
}

// args reads the parameters of one factor on a grid; the first error stays in err.
type args struct {
	p   Params
	g   *Grid
	err error
}

func (a *args) fail(name string, err error) {
	if a.err == nil {
		a.err = fmt.Errorf("%s: %w", name, err)
	}
}

// window is a window as written.
func (a *args) window(name string) Window {
	w, err := ParseWindow(a.p[name])
	if err != nil {
		a.fail(name, err)
	}
	return w
}

// bars is a window's length in bars.
func (a *args) bars(name string) int {
	n, err := a.window(name).In(a.g)
	if err != nil {
		a.fail(name, err)
		return 1
	}
	return n
}

// barsFrom is bars, for a statistic that needs that many values.
func (a *args) barsFrom(least int, name string) int {
	n := a.bars(name)
	if n < least && a.err == nil {
		a.fail(name, fmt.Errorf("%d bars, want %d or more", n, least))
	}
	return n
}

// periods is the least number of values that a window of that many bars must hold: a share of it,
// rounded up, or a length, of which a window that is shorter asks for all of its bars.
func (a *args) periods(name string, window int) int {
	share, w, err := parsePeriods(a.p[name])
	if err != nil {
		a.fail(name, err)
		return 1
	}
	if share > 0 {
		return ShareOf(share, window)
	}
	n, err := w.In(a.g)
	if err != nil {
		a.fail(name, err)
		return 1
	}
	return min(n, window)
}

// ShareOf is share·window rounded up, forgiving the rounding of the product.
func ShareOf(share float64, window int) int {
	return max(int(math.Ceil(float64(share*float64(window))-1e-9)), 1)
}

func (a *args) number(name string) float64 {
	v, err := parseNumber(a.p[name])
	if err != nil {
		a.fail(name, err)
	}
	return v
}

// share is a number in [0, 1].
func (a *args) share(name string) float64 {
	v := a.number(name)
	if !(v >= 0 && v <= 1) {
		a.fail(name, fmt.Errorf("%v is outside 0 to 1", v))
		return 0
	}
	return v
}

// perYear is the number of bars in a year, for annualization.
func (a *args) perYear() float64 {
	if a.err == nil && !(a.g.BarsPerYear > 0) {
		a.err = fmt.Errorf("annualization over bars that are not time bars needs bars.bars_per_year")
	}
	return a.g.BarsPerYear
}
