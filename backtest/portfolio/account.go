package portfolio

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors/kernel"
)

// Account is a replay summed up: what figures of PnL are made of. Amounts are in quote currency.
type Account struct {
	Span           study.Span
	Capital, Final float64 // equity before the first bar, and after the last
	Ruined         bool    // equity reached nothing; the replay ended there and stays flat

	// Unknown is from when on net PnL is not known, and UnknownOf the same of each instrument; nil where it is. What
	// holds funding (Final, Total.Funding, Days, Drawdown, round trips, equity by bar) is then without the payments that
	// the data does not show.
	Unknown   *Unknown
	UnknownOf []*Unknown

	Total        Attribution
	ByInstrument []Attribution // summing to Total

	Days     []Day
	Drawdown metrics.Drawdown // of equity by bar

	Fills    int
	Turnover float64 // Σ of the fills' notional, at the price before costs, over equity at the bar's close
	Notional float64 // Σ of it at the price paid
	Exposure float64 // mean over bars of Σ abs(weight)
	Trips    RoundTrips

	Participation Participation // where Options ask for it

	Residual float64 // the largest error of Attribution's identity, as a share of equity
	Warnings []error
}

// Unknown says why net PnL is not known.
type Unknown struct {
	From       int64 // the first instant at which something was held and may have paid what the data does not show, Unix µs
	Instrument int
	Reason     string
	Count      int // of such stretches or instants
}

// Known reports whether the net equity of a bar is known, given the bar's label.
func (a *Account) Known(label int64) bool { return a.Unknown == nil || label <= a.Unknown.From }

// Day is one observation of return, from UTC midnight to UTC midnight, the initial capital first: of one day, or over
// days that the lake does not hold, of these and the next that it does. A day without bars returns 0. A ruin is the last
// day.
type Day struct {
	Day    datasets.Day // the last that it covers
	Hole   int          // days of those that it covers which the lake does not hold; the others are at most one
	Return float64
	PnL    float64
	Held   bool // there was a position for a while
}

// RoundTrips sums up those that ended.
type RoundTrips struct {
	Count       int
	Wins        int     // those that earned more than their costs
	Hours       float64 // Σ of their lengths
	Gains       float64 // Σ PnL of the wins
	Losses      float64 // Σ PnL of the others, at most 0
	Best, Worst float64 // PnL; NaN where none ended
}

func (s *RoundTrips) add(t RoundTrip) {
	s.Count++
	s.Hours += float64(t.Closed-t.Opened) / float64(microsPerHour)
	if t.PnL > 0 {
		s.Wins++
		s.Gains += t.PnL
	} else {
		s.Losses += t.PnL
	}
	if s.Count == 1 {
		s.Best, s.Worst = t.PnL, t.PnL
	}
	s.Best, s.Worst = math.Max(s.Best, t.PnL), math.Min(s.Worst, t.PnL)
}

// Length is that of the span in days.
func (a *Account) Length() float64 {
	return float64(a.Span.To-a.Span.From) / float64(datasets.MicrosPerDay)
}

// Daily are the returns of single days, which statistics over days are made of, and on which of them there was a
// position. What was earned over a hole is not among them.
func (a *Account) Daily() (returns []float64, held []bool) {
	for _, d := range a.Days {
		if d.Hole == 0 {
			returns, held = append(returns, d.Return), append(held, d.Held)
		}
	}
	return returns, held
}

// SingleDays are the days of Daily, ascending.
func (a *Account) SingleDays() (days []datasets.Day) {
	for _, d := range a.Days {
		if d.Hole == 0 {
			days = append(days, d.Day)
		}
	}
	return days
}

// Paired are the returns of the days that are single ones of both a and b: where they hold different instruments, so may
// their holes differ.
func (a *Account) Paired(b *Account) (x, y []float64) {
	k := 0
	for _, d := range a.Days {
		for k < len(b.Days) && b.Days[k].Day < d.Day {
			k++
		}
		if k < len(b.Days) && b.Days[k].Day == d.Day && d.Hole == 0 && b.Days[k].Hole == 0 {
			x, y = append(x, d.Return), append(y, b.Days[k].Return)
		}
	}
	return x, y
}

// Participation is the share of its bar's turnover that a fill takes, over fills: Quantile of type 7, and the largest.
// NaN without a fill whose bar's turnover is known. A share above 1 is more than the whole market traded.
type Participation struct {
	Fills                int // whose bar's turnover is known
	Median, P95, Largest float64
}

// shares are kept in parts of equal length, the last of which may be shorter: as they grow nothing is copied.
type shares [][]float64

func (s *shares) add(v float64) {
	last := len(*s) - 1
	if last < 0 || len((*s)[last]) == sharesPart {
		*s = append(*s, nil)
		last++
	}
	(*s)[last] = append((*s)[last], v)
}

const sharesPart = 1 << 13

// participation sums shares up.
func (s shares) participation() Participation {
	n := 0
	for _, x := range s {
		n += len(x)
	}
	q := kernel.PartsQuantiles(s, 0.5, 0.95, 1)
	return Participation{n, q[0], q[1], q[2]}
}
