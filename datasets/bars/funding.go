package bars

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// The rows of a funding table are of three sorts. A stretch is time over which rows that say when funding settles
// next came at least every shortestInterval; behind it stand the events that came in it. The marks at whole minutes are
// last.
const (
	markRow    = iota // ts: a whole minute
	eventRow          // ts: T
	stretchRow        // ts: the first row's time
	oneRunRow         // a stretch all of whose rows carry one T
)

// The columns of a funding table.
const (
	fKind  = iota
	fRate  // of an event, or of the one that a stretch leaves open
	fMark  // at the minute, or at such an event
	fUntil // of a stretch: the last row's time
	fOpen  // of a stretch: the T that its last row announces; of an event: the one announced once it had come, NaN where rows were few
	fFirst // of a stretch: the T of the first row; of an event: 1 where its run of rows begins the stretch
	fFields
)

const microsPerMinute = 60_000_000

// What is believed of funding_timestamps.
var (
	// lateRows is how long after T a row that still carries it says something of it.
	lateRows = (5 * time.Minute).Microseconds()
	// earlyRoll is how long before T its successor may be announced without T being called off: the recorder's clock
	// may be behind the venue's.
	earlyRoll = time.Minute.Microseconds()
	// usualInterval is the time between settlements where the data shows no two of them, and shortestInterval the
	// shortest that is believed.
	usualInterval    = (8 * time.Hour).Microseconds()
	shortestInterval = time.Hour.Microseconds()
)

// maxEvents bounds what a day-file can make us hold: a funding_timestamp for each minute, and more.
const maxEvents = 4096

// fundingEvents makes the funding events and minute marks of derivative_ticker, whatever the bars are.
func fundingEvents(c Clock) feedFold {
	return feedFold{
		name: "funding", feed: datasets.DerivativeTicker, columns: fundingColumns, fields: []string{"kind", "rate", "mark", "until", "open", "first"},
		definition: c.column() + ", stretches",
		start:      func(c cutter) fold { return newFundingFold(c.day) },
	}
}

var fundingColumns = []string{"funding_timestamp", "funding_rate", "mark_price"}

// fundingFold reads what one derivative_ticker file says of funding: which events came, with the rate of the last
// row that still carried each, and over which time it said what comes next; and the mark price at whole minutes. Most T
// are whole minutes, for which the mark is there also when only a later file names them; for any other T it is
// what was known when the rows passed T, named before.
type fundingFold struct {
	now, high int64 // the latest time of any row so far; times from high on are not believed (see cutter)
	mark      float64
	minute    int64 // mark is the last at or before it and later than the minute before
	marks     *table
	out       *table

	heard bool
	last  int64 // time of the last row that says what comes next
	first struct {
		at int64 // of the stretch
		T  float64
	}
	next   event   // what that row says
	events []event // of the stretch
	total  int
}

// event is a funding_timestamp that rows carry.
type event struct {
	time       int64
	rate, mark float64
	passed     bool    // mark is final
	came       bool    // a row at or after it carried it
	opens      bool    // it is the first that rows of the stretch carry, without interruption
	after      float64 // the T announced once it had come
}

func newFundingFold(d datasets.Day) *fundingFold {
	return &fundingFold{
		now: (d - 1).Start(), high: (d + 2).Start(), minute: math.MinInt64,
		mark: math.NaN(), marks: newTable(fFields), out: newTable(fFields),
	}
}

func (f *fundingFold) add(rec arrow.Record) error {
	t, err := batchTimes(rec, 0)
	if err != nil {
		return err
	}
	var cells [3]func(int) float64
	for c := range cells {
		if cells[c], err = batchCells(rec, c+1); err != nil {
			return err
		}
	}
	for i := range t {
		if at := int64(t[i]); at > f.now && at < f.high {
			if f.heard && !f.next.passed && at > f.next.time {
				f.next.mark, f.next.passed = f.mark, true
			}
			f.now = at
		}
		if v := cells[2](i); v > 0 {
			f.price(v)
		}
		if v := cells[0](i); !math.IsNaN(v) {
			if err := f.claim(int64(v), cells[1](i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// price takes the mark price of a row at f.now.
func (f *fundingFold) price(v float64) {
	m := f.now / microsPerMinute * microsPerMinute
	if m < f.now {
		m += microsPerMinute
	}
	if m != f.minute {
		f.keep()
		f.minute = m
	}
	f.mark = v
}

// keep writes the last mark of the minute.
func (f *fundingFold) keep() {
	if !math.IsNaN(f.mark) {
		nan := math.NaN()
		f.marks.add(f.minute, markRow, nan, f.mark, nan, nan, nan)
	}
}

// claim takes a row at f.now that carries T, with its rate. One that comes long after T, or once rows at or after T
// announced its successor, is a late row and says nothing.
func (f *fundingFold) claim(T int64, rate float64) error {
	at := f.now
	if T < at-lateRows {
		return nil
	}
	if f.heard && at-f.last > shortestInterval {
		f.endStretch()
	}
	if f.heard && T <= at && f.next.time > T && f.last >= T-earlyRoll {
		return nil
	}
	if f.heard && T != f.next.time && f.first.T == float64(f.next.time) && f.next.time <= f.first.at {
		f.endStretch() // by itself, since by the file before that event may be a late row
	}
	if !f.heard {
		f.heard, f.first.at, f.first.T = true, at, float64(T)
		f.next = f.announced(T)
		f.next.opens = true
	}
	f.last = at
	if e := f.next; e.time != T {
		if came(e, at, T) {
			if follows(e.time, at, T) {
				e.after = float64(T)
			}
			if err := f.happened(e); err != nil {
				return err
			}
		}
		f.next = f.announced(T)
	}
	if !math.IsNaN(rate) {
		f.next.rate = rate
	}
	f.next.came = f.next.came || T <= at
	return nil
}

// announced is the event of a T that rows had not carried before.
func (f *fundingFold) announced(T int64) event {
	nan := math.NaN()
	return event{time: T, rate: nan, mark: nan, passed: T < f.now, after: nan}
}

// came reports whether the announced event e happened, given that a row at the given time carries another T: one that
// was replaced before it came is no event.
func came(e event, at, T int64) bool {
	return e.came || e.time <= at || e.time-at <= earlyRoll && T > e.time
}

// follows reports whether next, first carried at the given time, is the event after T: there may be others between where
// that is far from T.
func follows(T, at, next int64) bool { return next > T && 2*(at-T) <= next-T }

// happened adds an event to the stretch.
func (f *fundingFold) happened(e event) error {
	if f.total++; f.total > maxEvents {
		return fmt.Errorf("more than %d different funding timestamps", maxEvents)
	}
	if !e.passed {
		e.mark = f.mark
	}
	f.events = append(f.events, e)
	return nil
}

// endStretch writes the stretch.
func (f *fundingFold) endStretch() {
	nan := math.NaN()
	open := f.next
	if open.came {
		if !open.passed && open.time <= f.now {
			open.mark = f.mark
		}
		f.events = append(f.events, open)
		open = event{rate: nan, mark: nan}
	}
	T := float64(open.time)
	if open.time == 0 {
		T = nan
	}
	kind := float64(stretchRow)
	if open.opens {
		kind = oneRunRow
	}
	f.out.add(f.first.at, kind, open.rate, open.mark, float64(f.last), T, f.first.T)
	for _, e := range f.events {
		opens := nan
		if e.opens {
			opens = 1
		}
		f.out.add(e.time, eventRow, e.rate, e.mark, nan, e.after, opens)
	}
	f.heard, f.events = false, f.events[:0]
}

func (f *fundingFold) table() *table {
	if f.heard {
		f.endStretch()
	}
	f.keep()
	for k, m := range f.marks.ts {
		nan := math.NaN()
		f.out.add(m, markRow, nan, f.marks.cols[fMark][k], nan, nan, nan)
	}
	return f.out
}

// stretch is a stretch of a funding table.
type stretch struct {
	from, to int64
	first    int64 // T of the first row
	open     event // what the last row announces; time 0: nothing, its T had come
	events   []event
}

// stretches reads them off a table.
func stretches(t *table) []stretch {
	var out []stretch
	for k, at := range t.ts {
		cell := func(c int) float64 { return t.cols[c][k] }
		whole := func(c int) int64 {
			if v := cell(c); !math.IsNaN(v) {
				return int64(v)
			}
			return 0
		}
		switch cell(fKind) {
		case stretchRow, oneRunRow:
			out = append(out, stretch{from: at, to: whole(fUntil), first: whole(fFirst),
				open: event{time: whole(fOpen), rate: cell(fRate), mark: cell(fMark), opens: cell(fKind) == oneRunRow}})
		case eventRow:
			s := &out[len(out)-1]
			s.events = append(s.events, event{time: at, rate: cell(fRate), mark: cell(fMark), after: cell(fOpen), opens: cell(fFirst) == 1})
		default:
			return out
		}
	}
	return out
}

// funding lists the funding events that are known in [First.Start, End.Start] and the gaps in [First.Start, End.Start),
// given the funding tables of the day before the span, the span's days and the day after. The event at First.Start
// may need the day before; the last rate of the one at End.Start is in the file of the day after.
//
// What is known stands at FundingGap; see lateRows and earlyRoll for the tolerances.
//
// Spot, and contracts whose rate accrues at every instant, have neither; nor has a future with an end that never
// names a T.
func funding(q Request, days []part) ([]Settlement, []FundingGap) {
	if q.Contract.Spot || q.Contract.ContinuousFunding {
		return nil, nil
	}
	var all []stretch
	for _, d := range days {
		if d.table != nil {
			all = append(all, stretches(d.table)...)
		}
	}
	if len(all) == 0 && q.Instrument.Dated() {
		return nil, nil
	}
	all = withoutLate(all)
	j := fundingJoin{q: q, days: days, rates: map[int64]event{}}
	j.spacing(all)
	j.join(all)
	return j.settlements(), j.gaps
}

// opening is the event that the first row carries and that had come, or 0. Such a stretch is that event alone.
func (s *stretch) opening() int64 {
	if len(s.events) > 0 && s.events[0].time <= s.from {
		return s.events[0].time
	}
	return 0
}

// withoutLate leaves out what is late rows by the file before.
func withoutLate(all []stretch) []stretch {
	kept := all[:0]
	for _, s := range all {
		if T := s.opening(); T != 0 && len(kept) > 0 {
			if before := kept[len(kept)-1]; before.open.time > T && before.to >= T-earlyRoll {
				continue
			}
		}
		kept = append(kept, s)
	}
	return kept
}

// fundingJoin joins the stretches of successive files.
type fundingJoin struct {
	q      Request
	days   []part
	spaces []space
	rates  map[int64]event
	latest int64 // of the events so far
	gaps   []FundingGap
}

// space is the time from an event to the next.
type space struct{ at, interval int64 }

// spacing collects the intervals that the data shows.
func (j *fundingJoin) spacing(all []stretch) {
	add := func(T, at, next int64) {
		if T != 0 && follows(T, at, next) {
			j.spaces = append(j.spaces, space{T, max(next-T, shortestInterval)})
		}
	}
	for k, s := range all {
		if k > 0 { // from the last event of a stretch to the first of the next
			before := all[k-1]
			T := before.open.time
			if n := len(before.events); T == 0 && n > 0 {
				T = before.events[n-1].time
			}
			if T <= s.from+earlyRoll {
				add(T, s.from, s.first)
			}
		}
		for _, e := range s.events {
			if !math.IsNaN(e.after) {
				add(e.time, e.time, int64(e.after))
			}
		}
	}
	slices.SortStableFunc(j.spaces, func(a, b space) int { return int(min(1, max(-1, a.at-b.at))) })
}

// interval is what is in force over a hole.
func (j *fundingJoin) interval(from, to int64) int64 {
	after, _ := slices.BinarySearchFunc(j.spaces, from+1, func(s space, at int64) int { return int(min(1, max(-1, s.at-at))) })
	shortest := int64(math.MaxInt64)
	if after > 0 {
		shortest = j.spaces[after-1].interval
	}
	for _, s := range j.spaces[after:] {
		if s.at >= to-lateRows {
			shortest = min(shortest, s.interval)
			break
		}
	}
	if shortest == math.MaxInt64 {
		return usualInterval
	}
	return shortest
}

func (j *fundingJoin) join(all []stretch) {
	begin, end := j.q.First.Start(), j.q.End.Start()
	if len(all) == 0 {
		j.gap(begin-1, end-1)
		return
	}
	last, open := int64(math.MinInt64), event{}
	for k, s := range all {
		known := s.from // from where on the stretch says what comes next
		if T := s.opening(); T != 0 {
			known = T - 1
		}
		if k == 0 {
			j.gap(begin-1, known)
		} else {
			switch interval := j.interval(last, s.from); {
			case s.from-last > interval:
				j.gap(unknownFrom(last, open, interval), known)
			case open.time != 0 && open.time != s.first && came(open, s.from, s.first):
				j.happened(open)
			}
			if open.time == s.first {
				j.carry(open, &s)
			}
		}
		for _, e := range s.events {
			j.happened(e)
		}
		if s.to >= last {
			last, open = s.to, s.open
		}
	}
	if interval := j.interval(last, math.MaxInt64); open.time != 0 || end-last > interval {
		j.gap(unknownFrom(last, open, interval), end-1)
	}
}

// carry hands rate and mark of an event that a stretch leaves open on to the next one, which goes on announcing it,
// where that shows none.
func (j *fundingJoin) carry(open event, s *stretch) {
	e := &s.open
	if len(s.events) > 0 {
		e = &s.events[0]
	}
	if e.time != open.time || !e.opens {
		return
	}
	if math.IsNaN(e.rate) {
		e.rate = open.rate
	}
	if math.IsNaN(e.mark) {
		e.mark = open.mark
	}
}

// unknownFrom is the last instant of which something is known, after a last row that announces what is open.
func unknownFrom(last int64, open event, interval int64) int64 {
	if open.time > last && open.time-last <= interval {
		return open.time - 1
	}
	return last
}

// happened enters an event. Of one that two files show, the later rate counts.
func (j *fundingJoin) happened(e event) {
	old, ok := j.rates[e.time]
	if ok && math.IsNaN(e.rate) {
		e.rate = old.rate
	}
	if ok && math.IsNaN(e.mark) {
		e.mark = old.mark
	}
	j.rates[e.time] = e
	j.latest = max(j.latest, e.time)
}

// gap enters (from, to], as far as it lies in the span and behind what is known.
func (j *fundingJoin) gap(from, to int64) {
	from, to = max(from, j.q.First.Start()-1, j.latest), min(to, j.q.End.Start()-1)
	if n := len(j.gaps); n > 0 {
		from = max(from, j.gaps[n-1].To)
	}
	if from >= to {
		return
	}
	reason := "derivative_ticker is silent, or names no funding_timestamp to come"
	var missing []datasets.Day
	for d := datasets.DayOf(from + 1); d <= datasets.DayOf(to); d++ {
		if j.days[d-j.q.First+1].presence == Missing {
			missing = append(missing, d)
		}
	}
	switch len(missing) {
	case 0:
	case 1:
		reason = fmt.Sprintf("the lake has no derivative_ticker of %s", missing[0])
	default:
		reason = fmt.Sprintf("the lake has no derivative_ticker of %d days from %s on", len(missing), missing[0])
	}
	if n := len(j.gaps); n > 0 && j.gaps[n-1].To == from && j.gaps[n-1].Reason == reason {
		j.gaps[n-1].To = to
		return
	}
	j.gaps = append(j.gaps, FundingGap{from, to, reason})
}

// settlements are the events that happened, with the marks at whole minutes.
func (j *fundingJoin) settlements() []Settlement {
	var out []Settlement
	for t, e := range j.rates {
		if t < j.q.First.Start() || t > j.q.End.Start() {
			continue
		}
		if t%microsPerMinute == 0 {
			e.mark = markAt(t, j.days[:datasets.DayOf(t)-j.q.First+2])
		}
		out = append(out, Settlement{t, e.rate, e.mark})
	}
	slices.SortFunc(out, func(a, b Settlement) int { return int(min(1, max(-1, a.Time-b.Time))) })
	return out
}

// markAt is the last mark price at or before t, a whole minute of the last of days or its first
// instant: from that day's file, or from those before it up to a missing one.
func markAt(t int64, days []part) float64 {
	for i, d := range slices.Backward(days) {
		atStart := i == len(days)-1 && t%datasets.MicrosPerDay == 0
		if d.presence == Missing && !atStart {
			break
		}
		if d.table == nil {
			continue
		}
		for k, m := range slices.Backward(d.table.ts) {
			if d.table.cols[fKind][k] != markRow {
				break
			}
			if m <= t {
				return d.table.cols[fMark][k]
			}
		}
	}
	return math.NaN()
}
