package bars

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// The columns of a funding table. Its rows are of two sorts: first the funding events that the file
// names, then the mark price at whole minutes.
const (
	fEvent = iota // 1: ts is a funding_timestamp; 0: a mark price
	fRate
	fMark
	fFields
)

const microsPerMinute = 60_000_000

// maxEvents bounds what a day-file can make us hold: a funding_timestamp for each minute, and more.
const maxEvents = 4096

// fundingEvents makes the funding events and minute marks of derivative_ticker, whatever the bars are.
func fundingEvents(c Clock) feedFold {
	return feedFold{
		name: "funding", feed: datasets.DerivativeTicker, columns: fundingColumns, fields: []string{"event", "rate", "mark"},
		definition: c.column(),
		start:      func(c cutter) fold { return newFundingFold(c.day) },
	}
}

var fundingColumns = []string{"funding_timestamp", "funding_rate", "mark_price"}

// fundingFold reads the funding events of one derivative_ticker file: for each funding_timestamp T
// the rate of the last row that carries it, and the mark price at T. Most T are whole minutes, for
// which the mark is kept minute by minute, so that it is there also for a T that only a later row or
// file names; for any other T it is what was known when the rows passed T, named before.
type fundingFold struct {
	now, high int64 // the latest time of any row so far; times from high on are not believed (see cutter)
	mark      float64
	minute    int64 // mark is the last at or before it and later than the minute before
	marks     *table
	events    []event // in the order of their first row
	index     map[int64]int
	current   int   // the event that the last row carried
	pending   int64 // the earliest T, not a whole minute, that rows have named and not passed
}

type event struct {
	time       int64
	rate, mark float64
	passed     bool
}

func newFundingFold(d datasets.Day) *fundingFold {
	return &fundingFold{
		now: (d - 1).Start(), high: (d + 2).Start(), minute: math.MinInt64,
		mark: math.NaN(), marks: newTable(fFields), index: map[int64]int{}, current: -1, pending: math.MaxInt64,
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
			if at > f.pending {
				f.pass(at)
			}
			f.now = at
		}
		if v := cells[2](i); !math.IsNaN(v) {
			f.price(v)
		}
		if v := cells[0](i); !math.IsNaN(v) {
			if err := f.event(int64(v), cells[1](i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// pass settles the pending events before the row at the given time.
func (f *fundingFold) pass(at int64) {
	f.pending = math.MaxInt64
	for i := range f.events {
		e := &f.events[i]
		if e.passed {
			continue
		}
		if e.time < at {
			e.mark, e.passed = f.mark, true
		} else {
			f.pending = min(f.pending, e.time)
		}
	}
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
		f.marks.add(f.minute, 0, math.NaN(), f.mark)
	}
}

// event takes a row that carries T, with its rate.
func (f *fundingFold) event(T int64, rate float64) error {
	if f.current < 0 || f.events[f.current].time != T {
		i, ok := f.index[T]
		if !ok {
			if len(f.events) == maxEvents {
				return fmt.Errorf("more than %d different funding timestamps", maxEvents)
			}
			i = len(f.events)
			f.index[T] = i
			whole := T%microsPerMinute == 0
			f.events = append(f.events, event{T, math.NaN(), math.NaN(), whole || T < f.now})
			if !f.events[i].passed {
				f.pending = min(f.pending, T)
			}
		}
		f.current = i
	}
	if !math.IsNaN(rate) {
		f.events[f.current].rate = rate
	}
	return nil
}

func (f *fundingFold) table() *table {
	f.keep()
	out := newTable(fFields)
	slices.SortFunc(f.events, func(a, b event) int { return cmp.Compare(a.time, b.time) })
	for _, e := range f.events {
		out.add(e.time, 1, e.rate, e.mark)
	}
	for k, m := range f.marks.ts {
		out.add(m, f.marks.cols[fEvent][k], f.marks.cols[fRate][k], f.marks.cols[fMark][k])
	}
	return out
}

// settlements lists the funding events of [First.Start, End.Start], both included, given the funding
// tables of the day before the span, the span's days and the day after. The one at First.Start needs
// the day before; the last rate of the one at End.Start is in the file of the day after.
func settlements(first, end datasets.Day, days []part) []Settlement {
	rates := map[int64]float64{}
	marks := map[int64]float64{}
	var times []int64
	for _, d := range days {
		if d.table == nil {
			continue
		}
		for k, t := range d.table.ts {
			if d.table.cols[fEvent][k] == 0 || t < first.Start() || t > end.Start() {
				continue
			}
			if _, ok := rates[t]; !ok {
				times = append(times, t)
				rates[t], marks[t] = math.NaN(), math.NaN()
			}
			if v := d.table.cols[fRate][k]; !math.IsNaN(v) {
				rates[t] = v
			}
			if v := d.table.cols[fMark][k]; !math.IsNaN(v) {
				marks[t] = v
			}
		}
	}
	slices.Sort(times)
	var out []Settlement
	for _, t := range times {
		watched := datasets.DayOf(t - 1) // the day whose file runs up to t
		switch {
		case days[watched-first+1].presence != Missing:
			s := Settlement{t, rates[t], marks[t]}
			if t%microsPerMinute == 0 {
				s.Mark = markAt(t, days[:datasets.DayOf(t)-first+2])
			}
			out = append(out, s)
		case watched >= first:
			out = append(out, Settlement{t, math.NaN(), math.NaN()})
		}
	}
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
			if d.table.cols[fEvent][k] != 0 {
				break
			}
			if m <= t {
				return d.table.cols[fMark][k]
			}
		}
	}
	return math.NaN()
}
