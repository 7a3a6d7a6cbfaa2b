package datasets

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
)

// measure reads p's file to its end and gives the footer that its rows deserve. look, where it is
// not nil, sees every record on its way.
func (l *Lake) measure(ctx context.Context, p Partition, look func(arrow.Record)) (footer, error) {
	file, err := l.open(p)
	if err != nil {
		return footer{}, err
	}
	defer file.Close()
	f := footer{Info: Info{Partition: p, Bytes: file.Size()}}
	rows, err := l.read(ctx, file, p, nil)
	if err != nil {
		return f, fmt.Errorf("%s: %w", file.Path(), err)
	}
	defer rows.Release()
	t := newTally(p)
	for rows.Next() {
		if ctx.Err() != nil {
			return f, context.Cause(ctx)
		}
		rec := rows.Record()
		if err := t.add(rec); err != nil {
			return f, fmt.Errorf("%s: %w", file.Path(), err)
		}
		if look != nil {
			look(rec)
		}
	}
	if err := rows.Err(); err != nil {
		return f, fmt.Errorf("%s: %w", file.Path(), err)
	}
	f.Rows, f.First, f.Last, f.OrderViolations = t.rows, t.first, t.last, t.violations
	f.Look = t.look()
	f.digests = t.digests()
	f.Digest = combine(p.Type, f.digests)
	return f, nil
}
