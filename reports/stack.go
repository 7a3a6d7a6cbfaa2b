package reports

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// stack lays columns by instrument one below the other, row by row: by time, then instrument.
type stack struct {
	most        int         // rows of the grid at a time
	names       arrow.Array // of the instruments, most times over
	instruments int

	ts      []int64
	columns [][]float64
}

// stacked are rows of a stack, valid until the next ones.
type stacked struct {
	ts          []int64
	instruments arrow.Array
	columns     [][]float64
}

func newStack(ins []datasets.Instrument) *stack {
	var names []string
	for _, in := range ins {
		names = append(names, in.String())
	}
	most := max(1, tableBatch/len(ins))
	return &stack{most: most, names: cycled(names, most), instruments: len(ins)}
}

// of stacks rows [lo, hi), at most s.most of them, of columns by instrument.
func (s *stack) of(ts []int64, lo, hi int, columns ...[][]float64) stacked {
	n := s.instruments
	out := stacked{instruments: array.NewSlice(s.names, 0, int64((hi-lo)*n))}
	if n == 1 {
		out.ts = ts[lo:hi]
		for _, c := range columns {
			out.columns = append(out.columns, c[0][lo:hi])
		}
		return out
	}
	s.ts = s.ts[:0]
	for _, at := range ts[lo:hi] {
		for range n {
			s.ts = append(s.ts, at)
		}
	}
	for len(s.columns) < len(columns) {
		s.columns = append(s.columns, make([]float64, s.most*n))
	}
	for k, c := range columns {
		for i, x := range c {
			to := s.columns[k][:(hi-lo)*n]
			for t, v := range x[lo:hi] {
				to[t*n+i] = v
			}
		}
		out.columns = append(out.columns, s.columns[k][:(hi-lo)*n])
	}
	out.ts = s.ts
	return out
}
