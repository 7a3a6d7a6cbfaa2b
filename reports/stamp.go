package reports

import "time"

// stamp is an instant in Unix µs as RFC 3339 in UTC, with as many decimals as it needs.
func stamp(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }

// microLayout has six decimals always, so that a column of times has one format, which readers of CSV files count on.
const microLayout = "2006-01-02T15:04:05.000000Z"

// parseStamp reads what stamp wrote; what is not a time is 1970.
func parseStamp(s string) int64 {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return t.UnixMicro()
}
