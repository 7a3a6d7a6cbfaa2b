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
	// Settlements are the funding events of the span, by time.
	Settlements []Settlement
	// Sources are the lake files that were read, in day order; the bars depend on nothing else.
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

// Settlement is one funding event: at Time (Unix µs), Rate was paid by longs on the notional at
// Mark. Rate is that of the last derivative_ticker row which still carried funding_timestamp ==
// Time, and Mark the last mark_price known at Time; NaN where the data does not show them.
type Settlement struct {
	Time       int64
	Rate, Mark float64
}
