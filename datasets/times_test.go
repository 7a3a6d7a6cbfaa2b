package datasets

import (
	"strings"
	"testing"
	"time"
)

func TestTimeUnit(t *testing.T) {
	at := time.Date(2024, 5, 3, 12, 0, 0, 0, time.UTC)
	for v, want := range map[int64]string{
		at.UnixMicro(): "", at.UnixMilli(): "looks like milliseconds", at.Unix(): "looks like seconds", at.UnixNano(): "looks like nanoseconds",
		0: "is no time of 2010 to 2100", -1: "is no time", 20240503120000: "is no time",
		time.Date(2009, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro(): "is no time", time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(): "",
		time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(): "is no time", time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC).UnixMicro(): "",
	} {
		if got := TimeUnit(v); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%d: %q, want %q", v, got, want)
		}
	}
}
