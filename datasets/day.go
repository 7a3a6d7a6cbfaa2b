package datasets

import (
	"fmt"
	"time"
)

// Day is a UTC calendar day, counted from 1970-01-01.
type Day int32

// MicrosPerDay is the length of a UTC day in the unit of every time in the lake.
const MicrosPerDay = 86_400_000_000

const dayLayout = "2006-01-02"

// DayOf is the day that holds the instant us (Unix microseconds).
func DayOf(us int64) Day {
	d := us / MicrosPerDay
	if us%MicrosPerDay < 0 {
		d--
	}
	return Day(d)
}

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	if err != nil {
		return 0, fmt.Errorf("date %q: want YYYY-MM-DD", s)
	}
	return DayOf(t.UnixMicro()), nil
}

// Start is the day's first instant in Unix microseconds; the next day's Start ends it.
func (d Day) Start() int64 { return int64(d) * MicrosPerDay }

// Time is the day's first instant.
func (d Day) Time() time.Time { return time.UnixMicro(d.Start()).UTC() }

// String is YYYY-MM-DD.
func (d Day) String() string { return d.Time().Format(dayLayout) }

// Range is a half-open span of time [From, To), UTC.
type Range struct{ From, To time.Time }

// Days lists the days that the range touches, in order.
func (r Range) Days() []Day {
	if !r.From.Before(r.To) {
		return nil
	}
	first, last := DayOf(r.From.UnixMicro()), DayOf(r.To.UnixMicro()-1)
	days := make([]Day, 0, last-first+1)
	for d := first; d <= last; d++ {
		days = append(days, d)
	}
	return days
}

// DayRange is the range of whole days from first to last, both included.
func DayRange(first, last Day) Range { return Range{first.Time(), (last + 1).Time()} }

// MarshalText is String.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDay.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}
