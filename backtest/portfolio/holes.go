package portfolio

import (
	"sync"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// knownDays says on which days the lake has trades of a market's instruments.
type knownDays struct {
	once sync.Once
	of   []daySet // per instrument; none where it is not known what the lake has
}

// daySet are the days from first on, as many as the last known one needs, that the lake has.
type daySet struct {
	first datasets.Day
	there []bool
}

// lacks reports whether the lake has a day before d and one after, and not d itself.
func (s daySet) lacks(d datasets.Day) bool {
	k := int(d - s.first)
	return k >= 0 && k < len(s.there) && !s.there[k]
}

func (s daySet) has(d datasets.Day) bool {
	k := int(d - s.first)
	return k >= 0 && k < len(s.there) && s.there[k]
}

// daysOf is the set of an instrument's days.
func daysOf(days []bars.DayStatus) (s daySet) {
	for _, d := range days {
		if d.Type != datasets.Trades || d.Presence == bars.Missing {
			continue
		}
		if len(s.there) == 0 {
			s.first = d.Day
		}
		for s.first+datasets.Day(len(s.there)) < d.Day {
			s.there = append(s.there, false)
		}
		s.there = append(s.there, true)
	}
	return s
}

func (m *Market) knownDays() []daySet {
	m.known.once.Do(func() {
		for _, days := range m.Days {
			m.known.of = append(m.known.of, daysOf(days))
		}
	})
	return m.known.of
}
