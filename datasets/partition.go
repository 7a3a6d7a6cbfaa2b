package datasets

import "fmt"

// Partition names one lake file: one UTC day, by arrival time, of one feed of one instrument.
type Partition struct {
	Instrument
	Type DataType
	Day  Day
}

// String is exchange/type/SYMBOL/YYYY-MM-DD, the form that errors and reports use.
func (p Partition) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", p.Exchange, p.Type, p.Symbol, p.Day)
}

// Compare orders partitions by type, instrument and day.
func (p Partition) Compare(o Partition) int {
	if p.Type != o.Type {
		if p.Type < o.Type {
			return -1
		}
		return 1
	}
	if c := p.Instrument.Compare(o.Instrument); c != 0 {
		return c
	}
	return int(p.Day) - int(o.Day)
}

// groups are the vendor's grouped symbols: one file holds every instrument of that kind.
var groups = []string{"SPOT", "FUTURES", "PERPETUALS", "OPTIONS", "COMBOS", "PREDICTIONS"}

// Grouped reports whether the symbol stands for many instruments in one file.
func (in Instrument) Grouped() bool {
	for _, g := range groups {
		if in.Symbol == g {
			return true
		}
	}
	return false
}
