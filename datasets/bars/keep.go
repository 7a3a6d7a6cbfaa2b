package bars

import (
	"context"
	"fmt"
)

// Kept counts the tables that bars are laid from, of which each day-file gives one or, with funding events, two.
type Kept struct {
	There int // the cache held them before
	Built int // they were folded now, and kept
}

// Keep folds what Build would have to fold for the request, and keeps it, so that Build finds it in the
// cache. It lays no bars. Unlike Build it fails where something could not be kept, and
// of shared work it does its own alone (Options.Own).
func Keep(ctx context.Context, lake Store, q Request, o Options) (Kept, error) {
	if q.Spec.Kind == TickBars && q.Spec.Size == 1 {
		return Kept{}, fmt.Errorf("bars %s: bars of one trade are the trades themselves, and are not kept", q.Instrument)
	}
	if o.Own != nil && q.Spec.Kind != TimeBars {
		if !o.Own(q.Instrument, "") {
			return Kept{}, nil
		}
		o.Own = nil
	}
	o.NoCache = false
	if err := q.validate(); err != nil {
		return Kept{}, err
	}
	in, err := openInstrument(ctx, lake, q, o)
	if err != nil {
		return Kept{}, err
	}
	s := &Source{grid: Grid{Kind: q.Spec.Kind, Every: q.Spec.Every}, of: []*instrument{in}, o: o}
	return s.fold(ctx, true)
}
