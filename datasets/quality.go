package datasets

import (
	"fmt"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/zeebo/xxh3"
)

// quality looks at a day's rows as they pass by for what is odd in them, in memory that does not
// grow with the day.
type quality struct {
	p        Partition
	gap      int64 // µs
	rows     int64
	previous int64 // local_timestamp of the last row, the day's start at first
	ids      idWindow

	id      int // columns, −1 where the feed has none
	side    int
	isStart int // is_snapshot

	order, latency, late, unit, gaps, duplicate, unknown, snapshot sightings
}

// lateAfter is how far timestamp may be behind local_timestamp: connections are slow, and a venue may send what is
// minutes old, but not the most of the time.
var lateAfter = time.Minute.Microseconds()

// flatRows is how many trades at one price are odd on one day.
const flatRows = 100

// sightings counts one kind of oddity.
type sightings struct {
	count, first, worst int64
}

// see counts row (from 0); by is how bad it is.
func (s *sightings) see(row, by int64) {
	if s.count++; s.count == 1 {
		s.first = row + 1
	}
	s.worst = max(s.worst, by)
}

func newQuality(p Partition, gap time.Duration) *quality {
	q := &quality{p: p, gap: gap.Microseconds(), previous: p.Day.Start(), id: -1, side: -1, isStart: -1}
	for i, c := range p.Type.Columns() {
		switch c.Name {
		case "id":
			q.id = i
		case "side":
			q.side = i
		case "is_snapshot":
			q.isStart = i
		}
	}
	return q
}

func (q *quality) add(rec arrow.Record) {
	q.times(rec.Column(0).(*array.Timestamp), rec.Column(localTimeIndex).(*array.Timestamp))
	if q.id >= 0 {
		a := rec.Column(q.id).(*array.String)
		for i := range a.Len() {
			if a.IsValid(i) && q.ids.seen(xxh3.HashString(a.Value(i))) {
				q.duplicate.see(q.rows+int64(i), 0)
			}
		}
	}
	if q.side >= 0 {
		q.sides(rec.Column(q.side).(*array.Dictionary))
	}
	if q.isStart >= 0 {
		a := rec.Column(q.isStart).(*array.Boolean)
		for i := range a.Len() {
			if a.Value(i) {
				q.snapshot.see(q.rows+int64(i), 0)
			}
		}
	}
	q.rows += rec.NumRows()
}

func (q *quality) times(exchange, local *array.Timestamp) {
	at := local.TimestampValues()
	for i, e := range exchange.TimestampValues() {
		row, t := q.rows+int64(i), int64(at[i])
		switch ahead := int64(e) - t; {
		case int64(e) < firstOfTime.Start() || int64(e) >= endOfTime.Start():
			q.unit.see(row, 0)
		case ahead > 0:
			q.latency.see(row, ahead)
		case -ahead >= lateAfter:
			q.late.see(row, -ahead)
		}
		switch step := t - q.previous; {
		case step < 0:
			q.order.see(row, -step)
		case step >= q.gap:
			q.gaps.see(row, step)
		}
		q.previous = t
	}
}

func (q *quality) sides(a *array.Dictionary) {
	names := a.Dictionary().(*array.String)
	for i := range a.Len() {
		if names.Value(a.GetValueIndex(i)) == "unknown" {
			q.unknown.see(q.rows+int64(i), 0)
		}
	}
}

// findings lists what was seen, always in the same order, with a look at the prices. It ends the looking: the silence
// up to the day's end counts as a gap.
func (q *quality) findings(look Look) []Finding {
	if q.rows == 0 {
		return nil // known empty
	}
	if rest := (q.p.Day + 1).Start() - q.previous; rest >= q.gap {
		q.gaps.see(q.rows-1, rest)
	}
	var out []Finding
	odd := func(check string, s sightings, format string, a ...any) {
		if s.count > 0 {
			out = append(out, Finding{q.p, Oddity, check, s.count, s.first, fmt.Sprintf(format, a...)})
		}
	}
	rows := func(s sightings) string {
		return fmt.Sprintf("%d of %d rows (%.3g %%)", s.count, q.rows, 100*float64(s.count)/float64(q.rows))
	}
	span := func(s sightings) time.Duration { return time.Duration(s.worst) * time.Microsecond }
	odd("order_violations", q.order, "%s arrived before their predecessor, by up to %v", rows(q.order), span(q.order))
	odd("negative_latency", q.latency, "%s have local_timestamp before timestamp, by up to %v", rows(q.latency), span(q.latency))
	odd("high_latency", q.late, "%s have timestamp a minute or more before local_timestamp, by up to %v", rows(q.late), span(q.late))
	odd("bad_time", q.unit, "%s have a timestamp that is not of 2010 to 2100: of another unit, such as milliseconds", rows(q.unit))
	if q.p.Type != Liquidations { // their silence is the normal case
		odd("gaps", q.gaps, "%d gaps of %v or more, the longest %v", q.gaps.count, time.Duration(q.gap)*time.Microsecond, span(q.gaps))
	}
	in := func(s Sighting) sightings { return sightings{s.Count, s.First, 0} }
	odd("crossed_book", in(look.Crossed), "%s have the bid above the ask", rows(in(look.Crossed)))
	odd("locked_book", in(look.Locked), "%s have the bid at the ask", rows(in(look.Locked)))
	odd("bad_price", in(look.BadPrice), "%d prices are zero or negative", look.BadPrice.Count)
	odd("lone_print", in(look.Lone), "%s are lone prints: 20 %% or more off for up to five trades", rows(in(look.Lone)))
	odd("price_jump", in(look.Jump), "%d times the price becomes twice or half of what it was, or more", look.Jump.Count)
	if look.flat() && q.rows >= flatRows {
		odd("flat_price", sightings{q.rows, 1, 0}, "all %d trades have the price %v", q.rows, look.Low)
	}
	odd("duplicate_id", q.duplicate, "%s repeat the id of one of the %d rows before them", rows(q.duplicate), idsKept)
	odd("unknown_side", q.unknown, "%s have side unknown", rows(q.unknown))
	if q.isStart >= 0 {
		if q.snapshot.count == 0 {
			odd("no_snapshot", sightings{1, 1, 0}, "no row belongs to a snapshot: the book cannot be built from this file alone")
		} else if 2*q.snapshot.count > q.rows {
			odd("snapshot_share", q.snapshot, "%s belong to snapshots", rows(q.snapshot))
		}
	}
	return out
}

// idsKept is the least number of rows over which a repeated id is found.
const idsKept = 1 << 17

// idWindow remembers the hashes of the last ids: two generations of up to idsKept, so that memory is
// bounded.
type idWindow struct{ young, old idSet }

// seen reports whether the id is among those remembered, and remembers it.
func (w *idWindow) seen(id uint64) bool {
	if w.young.has(id) {
		return true
	}
	if w.young.n == idsKept {
		w.young, w.old = w.old, w.young
		w.young.clear()
	}
	w.young.add(id)
	return w.old.has(id)
}

// idSet is a hash set with linear probing of up to idsKept hashes, at most half full. 0 marks a free
// slot and stands for 1.
type idSet struct {
	slots []uint64
	n     int
}

// slot is where id is, or would be.
func (s *idSet) slot(id uint64) int {
	i := int(id % uint64(len(s.slots)))
	for s.slots[i] != 0 && s.slots[i] != id {
		i = (i + 1) % len(s.slots)
	}
	return i
}

func (s *idSet) has(id uint64) bool {
	return s.n > 0 && s.slots[s.slot(max(id, 1))] != 0
}

func (s *idSet) add(id uint64) {
	if s.slots == nil {
		s.slots = make([]uint64, 2*idsKept)
	}
	s.slots[s.slot(max(id, 1))] = max(id, 1)
	s.n++
}

func (s *idSet) clear() {
	clear(s.slots)
	s.n = 0
}
