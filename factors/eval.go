package factors

import (
	"slices"

	"github.com/qf-dev/qf/factors/kernel"
)

// Eval computes the next rows of one instrument: it fills dst from the columns in, all of dst's length. What it
// carries from one call to the next makes the cutting into calls invisible. It must not look past the row it
// fills, nor keep or change in.
type Eval func(dst []float64, in [][]float64)

// stateless is Factor.Start of an Eval that carries nothing.
func stateless(e Eval) func() Eval { return func() Eval { return e } }

// carried is Factor.Start of a factor that is its input.
var carried = stateless(func(dst []float64, in [][]float64) { copy(dst, in[0]) })

// rolled is Factor.Start of a factor that is a kernel of its input.
func rolled(start func() kernel.Rolling) func() Eval {
	return func() Eval {
		k := start()
		return func(dst []float64, in [][]float64) { k.Next(dst, in[0]) }
	}
}

// scratch is a column that lives as long as the Eval that works with it.
type scratch []float64

// of is the column of n values, which hold anything.
func (s *scratch) of(n int) []float64 {
	*s = slices.Grow((*s)[:0], n)[:n]
	return *s
}
