package factors

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Panel is one quantity on a grid: N columns of T values in Arrow memory. Missing is NaN.
type Panel struct {
	Name string
	*Grid
	cols []*array.Float64
}

// NewPanel makes a panel over the given columns, one per instrument, without copying them. It panics
// if their number or lengths do not fit the grid.
func NewPanel(name string, g *Grid, cols ...[]float64) *Panel {
	if len(cols) != len(g.Instruments) {
		panic(fmt.Sprintf("factors: panel %s has %d columns for %d instruments", name, len(cols), len(g.Instruments)))
	}
	p := &Panel{Name: name, Grid: g, cols: make([]*array.Float64, len(cols))}
	for i, c := range cols {
		if len(c) != g.Len() {
			panic(fmt.Sprintf("factors: panel %s has %d rows for %d bars", name, len(c), g.Len()))
		}
		buf := memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(c))
		data := array.NewData(arrow.PrimitiveTypes.Float64, len(c), []*memory.Buffer{nil, buf}, nil, 0, 0)
		p.cols[i] = array.NewFloat64Data(data)
	}
	return p
}

// Col is instrument i's column, T values that the caller may read but not change.
func (p *Panel) Col(i int) []float64 { return p.cols[i].Float64Values() }

// cols64 are all columns, by instrument.
func (p *Panel) cols64() [][]float64 {
	out := make([][]float64, len(p.cols))
	for i := range out {
		out[i] = p.Col(i)
	}
	return out
}
