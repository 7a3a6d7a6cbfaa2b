package datasets

import "fmt"

// firstOfTime is 2010-01-01: no exchange of the vendor's is older.
const firstOfTime Day = 14610

// endOfTime is 2100-01-01, before which every option expires.
const endOfTime Day = 47482

// TimeRange gives the first instant that a cell of a time column may name in the file of a day, and the one after the
// last, in Unix µs: local_timestamp is on the day, any other time from 2010 to 2100. What is outside is of another unit,
// or not a time. How far timestamp may be from local_timestamp is not limited: venues send what is old, and verify
// counts it.
func TimeRange(column string, d Day) (from, end int64) {
	if column == LocalTimestamp {
		return d.Start(), (d + 1).Start()
	}
	return firstOfTime.Start(), endOfTime.Start()
}

// TimeUnit says what a number looks like that is not a time in microseconds; "" where it is one of 2010 to 2100.
func TimeUnit(t int64) string {
	for _, u := range []struct {
		name         string
		microseconds float64
	}{{"", 1}, {"milliseconds", 1e3}, {"seconds", 1e6}, {"nanoseconds", 1e-3}} {
		if us := float64(t) * u.microseconds; us >= float64(firstOfTime.Start()) && us < float64(endOfTime.Start()) {
			if u.name == "" {
				return ""
			}
			return fmt.Sprintf("%d looks like %s: want microseconds since 1970 (UTC), 16 digits", t, u.name)
		}
	}
	return fmt.Sprintf("%d is no time of 2010 to 2100 in microseconds since 1970 (UTC)", t)
}
