package factors

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets/bars"
)

// Options says how to compute, and over what.
type Options struct {
	Workers int // columns evaluated at once; 0 means GOMAXPROCS
	Lo, Hi  int // the rows [Lo, Hi) of factors that know the whole sample; Hi 0 means all rows
}

// Compute evaluates the factors over the market frame, one panel each, in the order of fs: a Plan over one block. A
// missing input field is an error that names it and the feed that carries it. When ctx is done Compute stops before
// the next column with its cause.
func Compute(ctx context.Context, market *Frame, fs []Factor, o Options) (*Frame, error) {
	for _, f := range fs {
		if market.Panel(f.Name) != nil {
			return nil, fmt.Errorf("factor %s has the name of a bar column: call it otherwise", f.Name)
		}
		if name := f.lacks(market); name != "" {
			return nil, fmt.Errorf("factor %s: %w", f.Name, missingField(name))
		}
	}
	p, err := NewPlan(fs, market.Grid)
	if err != nil {
		return nil, err
	}
	b := &bars.Block{Hi: market.Len(), Close: market.Close}
	for _, name := range p.Fields() {
		b.Cols = append(b.Cols, market.Panel(name).cols64())
	}
	cols, err := p.Start().Next(ctx, b, o.Workers)
	if err != nil {
		return nil, err
	}
	out := &Frame{Grid: market.Grid, Panels: make([]*Panel, len(fs))}
	for k, f := range fs {
		if f.Sample != nil {
			cols[k] = o.sample(f, cols[k])
		}
		out.Panels[k] = NewPanel(f.Name, market.Grid, cols[k]...)
	}
	return out, nil
}

// sample gives the columns of a factor that looks ahead, from those that it uses.
func (o Options) sample(f Factor, cols [][]float64) [][]float64 {
	out := make([][]float64, len(cols))
	for i, x := range cols {
		hi := o.Hi
		if hi == 0 {
			hi = len(x)
		}
		out[i] = slices.Repeat([]float64{math.NaN()}, len(x))
		f.Sample(out[i][o.Lo:hi], x[o.Lo:hi])
	}
	return out
}

// lacks is the first field that the factor needs and the market does not have, or empty.
func (f Factor) lacks(market *Frame) string {
	for _, name := range f.Inputs {
		if name != UTCDay && market.Panel(name) == nil {
			return name
		}
	}
	for _, u := range f.Uses {
		if name := u.lacks(market); name != "" {
			return name
		}
	}
	return ""
}
