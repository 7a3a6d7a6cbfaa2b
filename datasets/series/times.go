package series

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are the forms of a time as text. Without an offset it is UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"}

// ParseTime reads a time, in Unix µs: as RFC 3339 with T or a space, with an offset or in UTC, down to the minute or the
// day, which is its 00:00; or as Unix time in seconds, ms, µs or ns, told apart by how large it is. What lies outside of the
// years 2000 to 2099 is an error.
func ParseTime(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return unix(n)
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(x) < 1e11 {
		return inRange(int64(math.Round(x*1e6)), text)
	}
	dated := text
	if len(text) > 10 && text[10] == ' ' {
		dated = text[:10] + "T" + text[11:]
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, dated); err == nil {
			return inRange(at.Add(999).UnixMicro(), text) // rounded up: never earlier than it was
		}
	}
	return 0, fmt.Errorf("time %q: want a form such as 2024-01-31T08:00:00Z, 2024-01-31 or 1706688000", text)
}

// unix is a Unix time of the unit that makes it a time of today's.
func unix(n int64) (int64, error) {
	us := n
	switch size := math.Abs(float64(n)); {
	case size < 1e11:
		us = n * 1_000_000
	case size < 1e14:
		us = n * 1000
	case size >= 1e17:
		us = (n + 999) / 1000 // never earlier than it was
	}
	return inRange(us, strconv.FormatInt(n, 10))
}

var earliest, latest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func inRange(us int64, text string) (int64, error) {
	if us < earliest || us >= latest {
		return 0, fmt.Errorf("time %q is %s, want one of the years 2000 to 2099", text, time.UnixMicro(us).UTC().Format("2006-01-02"))
	}
	return us, nil
}
