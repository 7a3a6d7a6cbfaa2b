package factors

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// Options says how to compute, and over what.
type Options struct {
	Workers int // columns evaluated at once; 0 means GOMAXPROCS
	Lo, Hi  int // the rows [Lo, Hi) of factors that know the whole sample; Hi 0 means all rows
}

// Compute evaluates the factors over the market frame, one panel each, in the order of fs. Shared
// intermediates are computed once, and the result does not depend on the number of workers. A
// missing input field is an error that names it and the feed that carries it. When ctx is done
// Compute stops before the next column with its cause.
func Compute(ctx context.Context, market *Frame, fs []Factor, o Options) (*Frame, error) {
	p := plan{market: market, at: map[string]*node{}}
	roots := make([]*node, len(fs))
	names := map[string]bool{}
	for i, f := range fs {
		if names[f.Name] {
			return nil, fmt.Errorf("factor %s is defined twice", f.Name)
		}
		names[f.Name] = true
		if market.Panel(f.Name) != nil {
			return nil, fmt.Errorf("factor %s has the name of a bar column: call it otherwise", f.Name)
		}
		n, err := p.add(f)
		if err != nil {
			return nil, fmt.Errorf("factor %s: %w", f.Name, err)
		}
		roots[i] = n
	}

	instruments := len(market.Instruments)
	for _, level := range p.levels {
		for _, n := range level {
			n.cols = make([][]float64, instruments)
		}
		err := datasets.ForEach(ctx, o.Workers, len(level)*instruments, func(_ context.Context, i int) error {
			level[i/instruments].eval(i%instruments, market.Len(), o)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}

	out := &Frame{Grid: market.Grid, Panels: make([]*Panel, len(fs))}
	for i, f := range fs {
		out.Panels[i] = NewPanel(f.Name, market.Grid, roots[i].cols...)
	}
	return out, nil
}

// plan sorts the factors and what they use into levels, each of which needs only those before it.
type plan struct {
	market *Frame
	at     map[string]*node // by Factor.Key
	levels [][]*node
}

// node is one distinct factor.
type node struct {
	Factor
	level  int
	inputs []*Panel
	uses   []*node
	cols   [][]float64 // per instrument
}

func (p *plan) add(f Factor) (*node, error) {
	if n := p.at[f.Key]; n != nil {
		return n, nil
	}
	n := &node{Factor: f}
	for _, name := range f.Inputs {
		in := p.market.Panel(name)
		if in == nil {
			return nil, missingField(name)
		}
		n.inputs = append(n.inputs, in)
	}
	for _, u := range f.Uses {
		used, err := p.add(u)
		if err != nil {
			return nil, err
		}
		n.uses = append(n.uses, used)
		n.level = max(n.level, used.level+1)
	}
	for len(p.levels) <= n.level {
		p.levels = append(p.levels, nil)
	}
	p.levels[n.level] = append(p.levels[n.level], n)
	p.at[f.Key] = n
	return n, nil
}

func missingField(name string) error {
	feeds := FieldFeeds(name)
	alternatives := make([]string, len(feeds))
	for i, f := range feeds {
		alternatives[i] = string(f)
	}
	return fmt.Errorf("the bars have no %s, which comes from %s: qf fetch --types %s",
		name, strings.Join(alternatives, " or "), feeds[0])
}

// eval computes instrument i's column of rows values.
func (n *node) eval(i, rows int, o Options) {
	in := make([][]float64, 0, len(n.inputs)+len(n.uses))
	for _, p := range n.inputs {
		in = append(in, p.Col(i))
	}
	for _, u := range n.uses {
		in = append(in, u.cols[i])
	}
	dst := make([]float64, rows)
	n.cols[i] = dst
	if n.Sample == nil {
		n.Eval(dst, in)
		return
	}
	if o.Hi == 0 {
		o.Hi = rows
	}
	for t := range dst {
		if t < o.Lo || t >= o.Hi {
			dst[t] = math.NaN()
		}
	}
	n.Sample(dst[o.Lo:o.Hi], in[0][o.Lo:o.Hi])
}
