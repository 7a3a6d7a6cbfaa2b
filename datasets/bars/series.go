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
	// Settlements are the funding events that derivative_ticker names in [First.Start, End.Start], by
	// time, both ends included: no bar of the span covers the one at End.Start. The files of the day
	// before and the day after are read for them where the lake has them; without the day before, the
	// one at First.Start is left out.
	Settlements []Settlement
	// FundingGaps are the stretches of [First.Start, End.Start) over which the data does not say what settled, by
	// time, disjoint. Over all other instants of it Settlements are all that settled.
	FundingGaps []FundingGap
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
type FundingGap struct {
	From, To int64
	Reason   string
}

// Settlement is one funding event: at Time (Unix µs), Rate was paid by longs on the notional at
// Mark. Rate is that of the last derivative_ticker row which still carried funding_timestamp ==
// Time, wherever that row stands, and Mark the last mark_price of rows up to Time. NaN where the
// data does not show them, as for any Time inside a missing day.
type Settlement struct {
	Time       int64
	Rate, Mark float64
}
