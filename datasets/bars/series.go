package bars

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// Series is one instrument's bars over a span of days, in time order.
type Series struct {
	Instrument datasets.Instrument
	Spec       Spec
	// Record has "ts" (the label: timestamp[us, UTC]) and one nullable float64 column per field.
	// Missing is null. Time bars have a row for every label from the first day's first to the last
	// day's last, whatever the lake holds.
	Record arrow.Record
	// Days says for each day of the span and each feed asked for what the lake had.
	Days []DayStatus
	// Settlements are the funding events in [First.Start, End.Start] that derivative_ticker shows, by
	// time, both ends included: no bar of the span covers the one at End.Start. The files of the day
	// before and the day after are read for them where the lake has them. What makes an event known stands at
	// FundingGap. Spot, contracts with continuous funding and futures with an end have neither events nor gaps.
	Settlements []Settlement
	// FundingGaps are the stretches of [First.Start, End.Start) over which the data does not say what settled, by
	// time, disjoint. Over all other instants of it Settlements are all that settled.
	FundingGaps []FundingGap
	// ContinuousFunding is the contract's.
	ContinuousFunding bool
	// Sources are the lake files that the series depends on, in day order.
	Sources []datasets.Info
}

// Presence is what the lake holds of one feed on one day.
type Presence uint8

const (
	Missing Presence = iota // no file: nothing is known
	Empty                   // a file without rows: the vendor recorded nothing
	Present
)

// DayStatus is the coverage of one feed on one day.
type DayStatus struct {
	Type datasets.DataType
	Day  datasets.Day
	Presence
}

// FundingGap is the time (From, To], Unix µs, over which derivative_ticker does not say what settled, and why.
//
// A funding event T is known where rows that say when funding settles next (those with a funding_timestamp of their
// time or later, or one that is past by no more than five minutes while its successor has not been announced) go on
// over T without a hole that is longer than the interval in force: the shorter one of those between events before and
// after the hole, at least an hour, eight hours where none shows. A T that another one replaced before it came is no
// event. A hole that is longer is a gap, from the T on that was announced last, if that is within the interval; so
// are the time before the first such row, unless it carries T itself, and that from a T on after which none comes.
type FundingGap struct {
	From, To int64
	Reason   string
}

// Settlement is one funding event: at Time (Unix µs), Rate was paid by longs on the notional at
// Mark. Rate is that of the last derivative_ticker row which still carried funding_timestamp ==
// Time, also when it comes after Time, and Mark the last mark_price of rows up to Time. NaN where no row shows one.
type Settlement struct {
	Time       int64
	Rate, Mark float64
}
