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
	m = &Market{Grid: m.Grid, Contracts: m.Contracts, Changes: m.Changes, Ends: m.Ends, Settlements: m.Settlements, Gaps: m.Gaps, Days: m.Days} // with a past of its own
	p, err := New(m, span, e, o)
	if err != nil {
		return nil, nil, err
	}
	b := &bars.Block{Hi: f.Len(), Close: f.Close}
	place := func(names []string, required bool) (at []int, err error) {
		for _, name := range names {
			x := f.Panel(name)
			switch {
			case x != nil:
				at = append(at, len(b.Cols))
				b.Cols = append(b.Cols, columnsOf(x))
			case required:
				return nil, fmt.Errorf("portfolio: the market has no %s column", name)
			default:
				at = append(at, -1)
			}
		}
		return at, nil
	}
	remembered, err := place(m.Remembers(), true)
	if err != nil {
		return nil, nil, err
	}
	required, err := place(p.Fields(), true)
	if err != nil {
		return nil, nil, err
	}
	optional, _ := place(p.Optional(), false)
	m.Remember(b, remembered)
	var targets [][]float64
	if !o.Hold {
		targets = columnsOf(target)
	}
	rows := p.Step(b, append(required, optional...), targets)
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
