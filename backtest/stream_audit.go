package backtest

import (
	"context"
	"fmt"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// audit proves the study on its first days that have trades, as many as fit into memory: there everything is made in whole
// columns, which streams have the bits of. The certificate says which days these are.
func (st *stream) audit(ctx context.Context, lake *datasets.Lake, o Options) (*Certificate, error) {
	part := *st.s
	part.Data.From, part.Data.To = st.auditDays()
	r, err := production.frame(ctx, lake, &part, o)
	if err != nil {
		return nil, fmt.Errorf("audit of %s to %s: %w", part.Data.From, part.Data.To, err)
	}
	if err := production.trade(ctx, r); err != nil {
		return nil, fmt.Errorf("audit of %s to %s: %w", part.Data.From, part.Data.To, err)
	}
	c, err := production.audit(ctx, lake, r, o)
	if err != nil {
		return nil, err
	}
	c.Expected = append(c.Expected, fmt.Sprintf(
		"%d bars are streamed: everything was made again over %s to %s alone, in whole columns, which streaming has the bits of", st.rows(), part.Data.From, part.Data.To))
	return c, nil
}

// auditedDays is the number of days that an audit of a stream looks at: enough for a midnight with a day on either side.
const auditedDays = 3

// auditDays are successive days of the span that have trades, at most auditedDays and, but for the first, as many
// as are not streamed.
func (st *stream) auditDays() (from, to datasets.Day) {
	rows := map[datasets.Day]int{}
	for _, src := range st.tape.Sources {
		if src.Partition.Type == datasets.Trades {
			rows[src.Partition.Day] = int(src.Rows)
		}
	}
	all := 0
	for _, d := range st.tape.Days {
		if d.Type != datasets.Trades || d.Day.Start() < st.span.From {
			continue
		}
		present := d.Presence == bars.Present
		if to == 0 {
			if present {
				from, to, all = d.Day, d.Day+1, rows[d.Day]
			}
			continue
		}
		if all += rows[d.Day]; !present || to-from == auditedDays || all >= streamFrom {
			break
		}
		to++
	}
	return from, to
}
