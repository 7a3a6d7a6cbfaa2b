package backtest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

// auditCut is a cut as the machine has it.
type auditCut struct {
	AuditCut
	at   int64        // Unix µs
	gone datasets.Day // see datasets.View
}

// cuts chooses the instants of an audit, in time order, each where a certain kind of leak shows: the first
// bar (what is filled in from later), a label with trades on both sides (bars that end late), midnight
// (days that do not keep to themselves), after the first trade of a bar at whose open something was
// filled (nothing else of that bar is known), just before the last midnight, and the end of the first
// missing day.
func (p *plan) cuts(ctx context.Context, lake *datasets.Lake, l *learned) ([]auditCut, error) {
	x, err := p.explore(ctx, l)
	if err != nil {
		return nil, err
	}
	var list []auditCut
	add := func(at int64, place, future string) error {
		if at < x.labels[0] || at > p.span.To || slices.ContainsFunc(list, func(c auditCut) bool { return c.at == at }) {
			return nil
		}
		known := at // a time bar is known at its label; others are labelled with their last trade, and are known after it
		if p.grid.Every == 0 {
			known--
		}
		n, err := p.source.Find(ctx, known)
		if err != nil {
			return err
		}
		cut := auditCut{AuditCut{At: instant(at), Place: place, Future: future, Bars: n}, at, 0}
		if future == poisonedFuture {
			cut.gone = datasets.DayOf(at) + 2
		}
		list = append(list, cut)
		return nil
	}
	middle, last := datasets.DayOf(p.span.From/2+p.span.To/2)+1, datasets.DayOf(p.span.To-1)
	bar := x.filled
	if bar.label == 0 {
		bar = x.busiest[1].bar
	}
	opened, err := p.opened(ctx, lake, bar)
	if err != nil {
		return nil, err
	}
	type place struct {
		at           int64
		name, future string
	}
	places := []place{
		{x.labels[len(x.labels)-1], "first bar", poisonedFuture},
		{x.busiest[0].label, "end of a bar", poisonedFuture},
		{min(middle, last).Start(), "midnight", poisonedFuture},
		{opened, "inside a bar", absentFuture},
		{last.Start() - 1, "just before midnight", absentFuture},
	}
	if end, ok := p.firstGap(); ok {
		places = append(places, place{end, "end of a missing day", poisonedFuture})
	}
	for _, c := range places {
		if err := add(c.at, c.name, c.future); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b auditCut) int { return cmp.Compare(a.at, b.at) })
	return list, nil
}

// bar is a row of the grid, with its label and the one before, of an instrument.
type bar struct {
	label, before int64
	instrument    int
}

// busy finds the row of a stretch with the most trades of the least traded instrument, there and in the next bar.
type busy struct {
	lo, hi int
	bar
	most float64
}

// explored is what a pass finds for the choice of cuts.
type explored struct {
	labels  []int64 // of the first bar; where bars are not time bars of the second too, which shows that another one ended
	busiest [2]busy // of the second fifth of the span, and of its last three
	filled  bar     // of the last three fifths, that whose price went farthest from its open and in which something was filled
}

// explore plays the study once.
func (p *plan) explore(ctx context.Context, l *learned) (*explored, error) {
	rows := p.span.Hi - p.span.Lo
	fifth := func(k int) int { return p.span.Lo + rows*k/5 }
	x := &explored{}
	x.busiest = [2]busy{{lo: fifth(1), hi: fifth(2), most: -1}, {lo: fifth(2), hi: fifth(5), most: -1}}
	first := 1
	if p.grid.Every == 0 {
		first = 2
	}
	openAt, closeAt, tradesAt := p.want("open"), p.want("close"), p.want("trades")
	market := p.market()
	run, err := p.newReplay(market, p.span, portfolio.Options{})
	if err != nil {
		return nil, err
	}
	remember := p.remember(market)
	listener, err := p.listener(true)
	if err != nil {
		return nil, err
	}
	play, err := p.newPass(l, listener)
	if err != nil {
		return nil, err
	}
	farthest, trades, before := -1.0, -1.0, [2]int64{p.span.From, p.span.From}
	for s, err := range play.steps(ctx, p.span.Hi) {
		if err != nil {
			return nil, err
		}
		remember(s.Block)
		for t, label := range s.Close {
			if len(x.labels) < first {
				x.labels = append(x.labels, label)
			}
			now := math.Inf(1)
			for i := range p.grid.Instruments {
				now = min(now, defined(s.Cols[tradesAt][i][t]))
			}
			for k := range x.busiest {
				b := &x.busiest[k]
				if row := s.Lo + t - 1; row >= b.lo && row < b.hi && min(trades, now) > b.most {
					b.most, b.bar = min(trades, now), bar{label: before[1], before: before[0]}
				}
			}
			trades = now
			before = [2]int64{before[1], label}
		}
		if s.Lo < p.span.Lo || s.Len() == 0 {
			continue
		}
		own := play.decisions[len(play.decisions)-1]
		for _, f := range p.stages.replay(run.Portfolio, s.Block, run.fields, own.target).Fills {
			t := f.Row - s.Lo
			went := math.Abs(portable.Log(s.Cols[closeAt][f.Instrument][t] / s.Cols[openAt][f.Instrument][t]))
			if f.Row >= fifth(2) && went > farthest {
				farthest = went
				x.filled = bar{label: s.Close[t], before: p.span.From, instrument: f.Instrument}
				if t > 0 {
					x.filled.before = s.Close[t-1]
				} else if p.grid.Every > 0 {
					x.filled.before = s.Close[t] - p.grid.Every.Microseconds()
				}
			}
		}
	}
	return x, nil
}

// opened is the instant after the first trade of a bar.
func (p *plan) opened(ctx context.Context, lake *datasets.Lake, b bar) (int64, error) {
	rows, err := lake.Scan(ctx, datasets.Trades, p.grid.Instruments[b.instrument],
		datasets.Range{From: time.UnixMicro(b.before), To: time.UnixMicro(b.label)}, p.s.Data.Clock)
	if err != nil {
		return 0, err
	}
	defer rows.Release()
	for rows.Next() {
		for _, at := range rows.Record().Column(0).(*array.Timestamp).TimestampValues() {
			if int64(at) >= b.before {
				return int64(at) + 1, nil
			}
		}
	}
	return b.label, rows.Err()
}

func defined(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// firstGap is the start of the first day that the lake has of some feed after one that it lacks.
func (p *plan) firstGap() (end int64, ok bool) {
	for i := range p.grid.Columns() {
		missing := map[datasets.DataType]bool{}
		for _, d := range p.source.Days(i) {
			if at := d.Day.Start(); missing[d.Type] && d.Presence != bars.Missing && (!ok || at < end) {
				end, ok = at, true
			}
			missing[d.Type] = d.Presence == bars.Missing
		}
	}
	return end, ok
}

// instant is a time in RFC 3339.
func instant(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }
