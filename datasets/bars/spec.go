package bars

import (
	"fmt"
	"time"
)

// Kind says what closes a bar.
type Kind uint8

const (
	TimeBars   Kind = iota // every Spec.Every of the clock
	TickBars               // every Spec.Size trades
	VolumeBars             // every Spec.Size base units
	DollarBars             // every Spec.Size of quote notional
)

// Clock says which of a row's two times places it in a bar.
type Clock uint8

const (
	Arrival  Clock = iota // local_timestamp: what one could have known
	Exchange              // timestamp: the exchange's own; not causal in arrival time
)

// DefaultTickWindow is the number of trades in the ofi_{N}t column unless a factor asks for another.
const DefaultTickWindow = 100

// MaxTickWindow bounds the N of an ofi_{N}t column: so many trades are kept for each day.
const MaxTickWindow = 100_000

// Spec defines bars. The zero Spec is not valid: Every or Size must be positive.
type Spec struct {
	Kind  Kind
	Every time.Duration // TimeBars: 1s … 24h, a divisor of the day
	Size  float64       // the other kinds
	Clock Clock
	// TickWindows lists the N of the ofi_{N}t columns, ascending; empty means DefaultTickWindow alone.
	TickWindows []int
}

// Validate reports what is wrong with the spec, or nil.
func (s Spec) Validate() error {
	switch s.Kind {
	case TimeBars:
		if s.Every < time.Second || s.Every > 24*time.Hour || (24*time.Hour)%s.Every != 0 {
			return fmt.Errorf("bars: every %v: want 1s to 1d, a divisor of the day", s.Every)
		}
	case TickBars, VolumeBars, DollarBars:
		if !(s.Size > 0) {
			return fmt.Errorf("bars: size %v: want more than 0", s.Size)
		}
		if s.Kind == TickBars && s.Size != float64(int64(s.Size)) {
			return fmt.Errorf("bars: size %v: want a whole number of trades", s.Size)
		}
	default:
		return fmt.Errorf("bars: unknown kind %d", s.Kind)
	}
	if s.Clock != Arrival && s.Clock != Exchange {
		return fmt.Errorf("bars: unknown clock %d", s.Clock)
	}
	for i, n := range s.TickWindows {
		if n < 1 || i > 0 && n <= s.TickWindows[i-1] {
			return fmt.Errorf("bars: tick windows %v: want positive and ascending", s.TickWindows)
		}
		if n > MaxTickWindow {
			return fmt.Errorf("bars: tick window %d: want at most %d trades", n, MaxTickWindow)
		}
	}
	return nil
}

// String is the spec's kind, size and clock, as in "time 1m0s local_timestamp".
func (s Spec) String() string {
	switch s.Kind {
	case TimeBars:
		return fmt.Sprintf("time %v %s", s.Every, s.Clock.column())
	case TickBars:
		return fmt.Sprintf("tick %v %s", s.Size, s.Clock.column())
	case VolumeBars:
		return fmt.Sprintf("volume %v %s", s.Size, s.Clock.column())
	case DollarBars:
		return fmt.Sprintf("dollar %v %s", s.Size, s.Clock.column())
	}
	return fmt.Sprintf("unknown kind %d", s.Kind)
}
