package factors

import (
	"slices"
	"strings"
)

// Chunks computes factors of one instrument over a market that comes a chunk of rows at a time, with the
// bits that Compute gives over the whole: before each chunk it goes back as far as values depend on
// the past, and to a row from which the kernels count as they do from row 0.
type Chunks struct {
	fields []string
	nodes  []chunkNode // each after those that it uses
	roots  []int       // the node of each factor
}

type chunkNode struct {
	Factor
	inputs []int // places among the fields
	uses   []int // nodes
}

// NewChunks prepares the factors.
func NewChunks(fs []Factor) *Chunks {
	c := &Chunks{}
	for _, f := range fs {
		c.roots = append(c.roots, c.add(f))
	}
	return c
}

func (c *Chunks) add(f Factor) int {
	if k := slices.IndexFunc(c.nodes, func(n chunkNode) bool { return n.Key == f.Key }); k >= 0 {
		return k
	}
	n := chunkNode{Factor: f}
	for _, name := range f.Inputs {
		if !slices.Contains(c.fields, name) {
			c.fields = append(c.fields, name)
		}
		n.inputs = append(n.inputs, slices.Index(c.fields, name))
	}
	for _, u := range f.Uses {
		n.uses = append(n.uses, c.add(u))
	}
	c.nodes = append(c.nodes, n)
	return len(c.nodes) - 1
}

// Fields names the market columns that the factors are computed from, in the order in which Eval wants
// them.
func (c *Chunks) Fields() []string { return c.fields }

// Back is how many rows before the first row wanted Eval may ask for.
func (c *Chunks) Back() int {
	back, before := 0, make([]int, len(c.nodes)) // the first row wanted of each node, so many rows earlier
	for k := len(c.nodes) - 1; k >= 0; k-- {
		n := &c.nodes[k]
		start := before[k] + n.reach() + max(n.Block-1, 0)
		back = max(back, start)
		for _, u := range n.uses {
			before[u] = max(before[u], start)
		}
	}
	return back
}

// reach is how many rows before a row its value may depend on; a factor that looks ahead is not computed here.
func (n *chunkNode) reach() int {
	if n.Sample != nil {
		return 0
	}
	return n.Lookback - 1
}

// ChunkColumns are the columns that Eval fills, and keep their memory from one chunk to the next. The zero
// ChunkColumns is ready.
type ChunkColumns struct {
	chunks *Chunks
	cols   [][]float64 // by node
	want   []int       // by node: the first row wanted
	start  []int       // by node: the first row computed
	in     [][]float64
}

// Eval computes rows from on of a chunk whose columns, those of Fields, begin at row base of the whole and
// have the same length. Between base and from there must be Back rows, or all that there are.
func (c *Chunks) Eval(out *ChunkColumns, base, from int, market [][]float64) {
	out.prepare(c, from)
	if c.begin(out); slices.Min(out.start) < base {
		panic("factors: a chunk does not go back far enough")
	}
	rows := 0
	if len(market) > 0 {
		rows = len(market[0])
	}
	for k := range c.nodes {
		n, lo := &c.nodes[k], out.start[k]-base
		if n.Sample != nil {
			continue
		}
		out.in = out.in[:0]
		for _, i := range n.inputs {
			out.in = append(out.in, market[i][lo:])
		}
		for _, u := range n.uses {
			out.in = append(out.in, out.cols[u][lo:])
		}
		out.cols[k] = slices.Grow(out.cols[k][:0], rows)[:rows]
		n.Start()(out.cols[k][lo:], out.in)
	}
}

// begin works out from which row on each node is wanted and computed.
func (c *Chunks) begin(out *ChunkColumns) {
	for k := len(c.nodes) - 1; k >= 0; k-- {
		n := &c.nodes[k]
		start := max(0, out.want[k]-n.reach())
		if n.Block > 0 {
			start -= start % n.Block
		}
		out.start[k] = start
		for _, u := range n.uses {
			out.want[u] = min(out.want[u], start)
		}
	}
}

func (out *ChunkColumns) prepare(c *Chunks, from int) {
	if out.chunks != c {
		*out = ChunkColumns{chunks: c, cols: make([][]float64, len(c.nodes)), want: make([]int, len(c.nodes)), start: make([]int, len(c.nodes))}
	}
	for k := range out.want {
		out.want[k] = from
	}
}

// Factor is the column of factor k, from row base on; what stands before row from means nothing. Of a factor
// that looks ahead it is the column that Factor.Sample wants, and ahead is true.
func (out *ChunkColumns) Factor(k int) (col []float64, ahead bool) {
	n := out.chunks.roots[k]
	if node := &out.chunks.nodes[n]; node.Sample != nil {
		return out.cols[node.uses[0]], true
	}
	return out.cols[n], false
}

// Column is the column of the node with that key, of Eval's chunk, or nil where there is none.
func (out *ChunkColumns) Column(key string) []float64 {
	for k := range out.chunks.nodes {
		if out.chunks.nodes[k].Key == key {
			return out.cols[k]
		}
	}
	return nil
}

// Given is f where the factors of some keys, f itself or among those that it uses, are not computed but
// copied from fields of the market, by key.
func (f Factor) Given(fields map[string]string) Factor {
	if name, ok := fields[f.Key]; ok {
		f.Inputs, f.Uses, f.Lookback, f.Block = []string{name}, nil, 1, 0
		f.Start = carried
		return f
	}
	uses := make([]Factor, len(f.Uses))
	for k, u := range f.Uses {
		uses[k] = u.Given(fields)
	}
	f.Uses = uses
	return f
}

// Costly lists the keys of the deviations and ratios that the factors are made of: those that take longer to
// compute again than to keep.
func Costly(fs []Factor) []string {
	var keys []string
	for _, f := range fs {
		kind, _, _ := strings.Cut(f.Key, " ")
		if kind == volatility.Name || kind == amihud.Name {
			if !slices.Contains(keys, f.Key) {
				keys = append(keys, f.Key)
			}
			continue
		}
		for _, key := range Costly(f.Uses) {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}
