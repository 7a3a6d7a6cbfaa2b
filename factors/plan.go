package factors

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// Plan is what factors are made of, each intermediate once: nodes that stand after those that they use. It is read
// only and may be started several times.
type Plan struct {
	fields      []string
	nodes       []planNode
	at          map[string]int // nodes by key
	levels      [][]int        // nodes that need those of the levels before alone
	stages      []stage
	roots       []int // the node of each factor
	instruments int
	columns     int // of a block: instruments, then references
}

type planNode struct {
	Factor
	inputs []int // places among the fields; −1: UTCDay
	uses   []int // nodes
	level  int
	stage  int
	wanted []bool // by column
}

// joins reports whether a node needs the columns of other instruments.
func (n *planNode) joins() bool { return n.Across != nil || n.Pick != nil }

// stage is what of several instruments can be computed at once: first nodes that need one instrument, each
// instrument for itself, then those across instruments, each for itself.
type stage struct{ alone, across []int }

// NewPlan plans the factors over the instruments of g, whose labels are not needed. Factors of equal keys are
// computed once. Two of one name are an error.
func NewPlan(fs []Factor, g *Grid) (*Plan, error) {
	p := &Plan{instruments: len(g.Instruments), columns: len(g.Instruments) + len(g.References), at: map[string]int{}}
	names := map[string]bool{}
	for _, f := range fs {
		if names[f.Name] {
			return nil, fmt.Errorf("factor %s is defined twice", f.Name)
		}
		names[f.Name] = true
		p.roots = append(p.roots, p.add(f))
	}
	p.want()
	return p, nil
}

// want marks which columns each node is computed for: a factor's for the instruments, and what it is made of for those
// that it needs.
func (p *Plan) want() {
	for k := range p.nodes {
		p.nodes[k].wanted = make([]bool, p.columns)
	}
	for _, k := range p.roots {
		for i := range p.instruments {
			p.nodes[k].wanted[i] = true
		}
	}
	for _, n := range slices.Backward(p.nodes) {
		for _, u := range n.uses {
			used := p.nodes[u].wanted
			if n.Pick != nil {
				used[*n.Pick] = true
				continue
			}
			for i := range used {
				used[i] = used[i] || n.wanted[i] || n.Across != nil && i < p.instruments
			}
		}
	}
}

func (p *Plan) add(f Factor) int {
	if k, ok := p.at[f.Key]; ok {
		return k
	}
	n := planNode{Factor: f}
	for _, name := range f.Inputs {
		if name == UTCDay {
			n.inputs = append(n.inputs, -1)
			continue
		}
		if !slices.Contains(p.fields, name) {
			p.fields = append(p.fields, name)
		}
		n.inputs = append(n.inputs, slices.Index(p.fields, name))
	}
	for _, u := range f.Uses {
		at := p.add(u)
		n.uses = append(n.uses, at)
		n.level = max(n.level, p.nodes[at].level+1)
		n.stage = max(n.stage, p.nodes[at].stage)
		if p.nodes[at].joins() {
			n.stage = max(n.stage, p.nodes[at].stage+1)
		}
	}
	k := len(p.nodes)
	for len(p.levels) <= n.level {
		p.levels = append(p.levels, nil)
	}
	p.levels[n.level] = append(p.levels[n.level], k)
	for len(p.stages) <= n.stage {
		p.stages = append(p.stages, stage{})
	}
	if s := &p.stages[n.stage]; n.joins() {
		s.across = append(s.across, k)
	} else {
		s.alone = append(s.alone, k)
	}
	p.at[f.Key] = k
	p.nodes = append(p.nodes, n)
	return k
}

// Fields names the market fields that the factors are computed from, in the order in which Next wants a block's
// columns, of the instruments and then of the references.
func (p *Plan) Fields() []string { return p.fields }

// Start begins with row 0 of all instruments.
func (p *Plan) Start() *Play {
	r := &Play{plan: p, evals: make([][]Eval, len(p.nodes)), cols: make([][][]float64, len(p.nodes)), in: make([][][][]float64, len(p.nodes)), out: make([][][]float64, len(p.roots))}
	for k := range p.nodes {
		r.cols[k], r.in[k] = make([][]float64, p.columns), make([][][]float64, p.columns)
		if p.nodes[k].Sample != nil || p.nodes[k].joins() {
			continue
		}
		r.evals[k] = make([]Eval, p.columns)
		for i, wanted := range p.nodes[k].wanted {
			if wanted {
				r.evals[k][i] = p.nodes[k].Start()
			}
		}
	}
	for k, n := range p.roots {
		if p.nodes[n].Sample != nil {
			n = p.nodes[n].uses[0]
		}
		r.out[k] = r.cols[n][:p.instruments]
	}
	return r
}

// Play is a plan with the state that it carries from block to block. Its columns keep their memory.
type Play struct {
	plan  *Plan
	evals [][]Eval        // by node and instrument
	cols  [][][]float64   // by node and instrument
	in    [][][][]float64 // by node, instrument and input: of the block in progress
	out   [][][]float64   // by factor and instrument
	day   []float64       // UTCDay of the block
	rows  int             // seen so far

	masked [][][][]float64 // by node, input and instrument: what members have, where some are none
}

// Next computes the rows that follow those before, by factor and instrument. Of a factor that looks ahead it gives the
// column that Factor.Sample wants. The columns are valid until the next call. The result does not depend on the
// number of workers (0: GOMAXPROCS). When ctx is done Next stops with its cause.
func (r *Play) Next(ctx context.Context, b *bars.Block, workers int) ([][][]float64, error) {
	if b.Lo != r.rows {
		panic("factors: a block does not follow the one before")
	}
	r.rows = b.Hi
	if b.Members != nil && r.masked == nil {
		r.mask()
	}
	r.day = r.day[:0]
	for _, at := range b.Close {
		r.day = append(r.day, float64(datasets.DayOf(at-1)))
	}
	if r.plan.columns > 1 {
		for _, s := range r.plan.stages {
			err := datasets.ForEach(ctx, workers, r.plan.columns, func(_ context.Context, i int) error {
				for _, k := range s.alone {
					r.eval(b, k, i)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			err = datasets.ForEach(ctx, workers, len(s.across), func(_ context.Context, at int) error {
				r.across(b, s.across[at])
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		return r.out, nil
	}
	for _, level := range r.plan.levels {
		err := datasets.ForEach(ctx, workers, len(level), func(_ context.Context, at int) error {
			if k := level[at]; r.plan.nodes[k].joins() {
				r.across(b, k)
			} else {
				r.eval(b, k, 0)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

// across computes a node of all instruments.
func (r *Play) across(b *bars.Block, node int) {
	n := &r.plan.nodes[node]
	if n.Pick != nil {
		for i := range r.cols[node] {
			r.cols[node][i] = r.cols[n.uses[0]][*n.Pick]
		}
		return
	}
	own := r.plan.instruments
	in := make([][][]float64, 0, 8)
	for _, f := range n.inputs {
		in = append(in, b.Cols[f][:own])
	}
	for _, u := range n.uses {
		in = append(in, r.cols[u][:own])
	}
	dst := r.cols[node][:own]
	for i := range dst {
		dst[i] = grown(dst[i], b.Len())
	}
	n.Across(dst, r.members(node, b, in))
}

// members are the columns of a node across instruments where the instrument is a member, and missing elsewhere.
func (r *Play) members(node int, b *bars.Block, in [][][]float64) [][][]float64 {
	if b.Members == nil {
		return in
	}
	for j, cols := range in {
		MaskInto(r.masked[node][j], cols, b.Members)
	}
	return r.masked[node]
}

// mask makes room for what members have.
func (r *Play) mask() {
	r.masked = make([][][][]float64, len(r.plan.nodes))
	for k, n := range r.plan.nodes {
		if n.Across == nil {
			continue
		}
		r.masked[k] = make([][][]float64, len(n.inputs)+len(n.uses))
		for j := range r.masked[k] {
			r.masked[k][j] = make([][]float64, r.plan.instruments)
		}
	}
}

// MaskInto writes x, by instrument, to dst, whose memory is kept, where the instrument is a member, and NaN elsewhere.
func MaskInto(dst, x [][]float64, members [][]bool) {
	for i, col := range x {
		dst[i] = grown(dst[i], len(col))
		for t, v := range col {
			if !members[i][t] {
				v = math.NaN()
			}
			dst[i][t] = v
		}
	}
}

// eval computes a node of instrument i.
func (r *Play) eval(b *bars.Block, node, i int) {
	n := &r.plan.nodes[node]
	if n.Sample != nil || !n.wanted[i] {
		return
	}
	in := r.in[node][i][:0]
	for _, f := range n.inputs {
		if f < 0 {
			in = append(in, r.day)
			continue
		}
		in = append(in, b.Cols[f][i])
	}
	for _, u := range n.uses {
		in = append(in, r.cols[u][i])
	}
	r.in[node][i] = in
	dst := grown(r.cols[node][i], b.Len())
	r.cols[node][i] = dst
	r.evals[node][i](dst, in)
}

// missingField says which feed carries a field that the bars do not have.
func missingField(name string) error {
	feeds := FieldFeeds(name)
	alternatives := make([]string, len(feeds))
	for i, f := range feeds {
		alternatives[i] = string(f)
	}
	return fmt.Errorf("the bars have no %s, which comes from %s: qf fetch --types %s",
		name, strings.Join(alternatives, " or "), feeds[0])
}
