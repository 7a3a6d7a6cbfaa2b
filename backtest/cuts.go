package backtest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
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
func (r *Result) cuts(ctx context.Context, lake *datasets.Lake) ([]auditCut, error) {
	g := r.Market.Grid
	var list []auditCut
	add := func(at int64, place, future string) {
		if at < g.Close[0] || at > r.Span.To || slices.ContainsFunc(list, func(c auditCut) bool { return c.at == at }) {
			return
		}
		cut := auditCut{AuditCut{At: instant(at), Place: place, Future: future, Bars: r.known(at)}, at, 0}
		if future == poisonedFuture {
			cut.gone = datasets.DayOf(at) + 2
		}
		list = append(list, cut)
	}
	rows := r.Span.Hi - r.Span.Lo
	fifth := func(k int) int { return r.Span.Lo + rows*k/5 }

	first := 0
	if g.Every == 0 {
		first = min(1, g.Len()-1) // the first bar whose label shows that another one ended
	}
	add(g.Close[first], "first bar", poisonedFuture)
	add(g.Close[r.busiest(fifth(1), fifth(2))], "end of a bar", poisonedFuture)
	middle, last := datasets.DayOf(r.Span.From/2+r.Span.To/2)+1, datasets.DayOf(r.Span.To-1)
	add(min(middle, last).Start(), "midnight", poisonedFuture)
	t, i := r.filledBar(fifth(2), fifth(5))
	at, err := r.opened(ctx, lake, t, i)
	if err != nil {
		return nil, err
	}
	add(at, "inside a bar", absentFuture)
	add(last.Start()-1, "just before midnight", absentFuture)
	if end, ok := r.firstGap(); ok {
		add(end, "end of a missing day", poisonedFuture)
	}
	slices.SortFunc(list, func(a, b auditCut) int { return cmp.Compare(a.at, b.at) })
	return list, nil
}

// busiest is the row of [lo, hi) with the most trades of the least traded instrument, there and in the
// next bar.
func (r *Result) busiest(lo, hi int) int {
	trades := r.Market.Panel("trades")
	best, most := lo, -1.0
	for t := lo; t < min(hi, r.Market.Len()-1); t++ {
		least := math.Inf(1)
		for i := range r.Market.Instruments {
			least = min(least, defined(trades.Col(i)[t]), defined(trades.Col(i)[t+1]))
		}
		if least > most {
			best, most = t, least
		}
	}
	return best
}

// filledBar is, of the rows of [lo, hi) in which something was filled, the one whose price went farthest
// from its open, and the instrument; without any fill it is the busiest.
func (r *Result) filledBar(lo, hi int) (t, instrument int) {
	opens, closes := r.Market.Panel("open"), r.Market.Panel("close")
	farthest := -1.0
	for _, f := range r.All.Fills {
		went := math.Abs(math.Log(closes.Col(f.Instrument)[f.Row] / opens.Col(f.Instrument)[f.Row]))
		if f.Row >= lo && f.Row < hi && went > farthest {
			t, instrument, farthest = f.Row, f.Instrument, went
		}
	}
	if farthest < 0 {
		t = r.busiest(lo, hi)
	}
	return t, instrument
}

// opened is the instant after the first trade of bar t.
func (r *Result) opened(ctx context.Context, lake *datasets.Lake, t, instrument int) (int64, error) {
	from, to := r.Span.From, r.Market.Close[t]
	if t > 0 {
		from = r.Market.Close[t-1]
	}
	rows, err := lake.Scan(ctx, datasets.Trades, r.Market.Instruments[instrument],
		datasets.Range{From: time.UnixMicro(from), To: time.UnixMicro(to)}, r.Study.Data.Clock)
	if err != nil {
		return 0, err
	}
	defer rows.Release()
	for rows.Next() {
		for _, at := range rows.Record().Column(0).(*array.Timestamp).TimestampValues() {
			if int64(at) >= from {
				return int64(at) + 1, nil
			}
		}
	}
	return to, rows.Err()
}

func defined(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// firstGap is the start of the first day that the lake has of some feed after one that it lacks.
func (r *Result) firstGap() (end int64, ok bool) {
	for _, days := range r.Market.Days {
		missing := map[datasets.DataType]bool{}
		for _, d := range days {
			if at := d.Day.Start(); missing[d.Type] && d.Presence != bars.Missing && (!ok || at < end) {
				end, ok = at, true
			}
			missing[d.Type] = d.Presence == bars.Missing
		}
	}
	return end, ok
}

// known counts the bars that are known at an instant: a time bar is at its label; others are labelled
// with their last trade, and are known after it.
func (r *Result) known(at int64) int {
	if r.Market.Every > 0 {
		at++
	}
	n, _ := slices.BinarySearch(r.Market.Close, at)
	return n
}

// instant is a time in RFC 3339.
func instant(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }
