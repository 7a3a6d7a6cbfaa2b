package portfolio

import (
	"fmt"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Simulate replays target over a span of a frame in memory: the case of one block. target has a column per instrument,
// and is not asked for under Options.Hold.
func Simulate(m *Market, f *factors.Frame, target *factors.Panel, span study.Span, e study.ExecutionConfig, o Options) (*Rows, *Account, error) {
	m = &Market{Grid: m.Grid, Contracts: m.Contracts, Settlements: m.Settlements, Gaps: m.Gaps, Days: m.Days} // with a past of its own
	p, err := New(m, span, e, o)
	if err != nil {
		return nil, nil, err
	}
	b := &bars.Block{Hi: f.Len(), Close: f.Close}
	var fields []int
	for k, name := range p.fields {
		panel := f.Panel(name)
		switch {
		case panel != nil:
			fields = append(fields, len(b.Cols))
			b.Cols = append(b.Cols, columnsOf(panel))
		case k < p.required:
			return nil, nil, fmt.Errorf("portfolio: the market has no %s column", name)
		default:
			fields = append(fields, -1)
		}
	}
	var targets [][]float64
	if !o.Hold {
		targets = columnsOf(target)
	}
	rows := p.Step(b, fields, targets)
	a, err := p.Close()
	return rows, a, err
}

func columnsOf(p *factors.Panel) [][]float64 {
	cols := make([][]float64, len(p.Instruments))
	for i := range cols {
		cols[i] = p.Col(i)
	}
	return cols
}
