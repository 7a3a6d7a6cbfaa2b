package portfolio

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// Account is a replay summed up: what figures of PnL are made of. Amounts are in quote currency.
type Account struct {
	Span           study.Span
	Capital, Final float64 // equity before the first bar, and after the last
	Ruined         bool    // equity reached nothing; the replay ended there and stays flat

	// Unknown is from when on net PnL is not known; nil where it is. What holds funding (Final, Total.Funding, Days,
	// Drawdown, round trips) is then without the payments that the data does not show.
	Unknown *Unknown

	Total        Attribution
	ByInstrument []Attribution // summing to Total

	Days     []Day
	Drawdown metrics.Drawdown // of equity by bar

	Fills    int
	Turnover float64 // Σ of the fills' notional, at the price before costs, over equity at the bar's close
	Notional float64 // Σ of it at the price paid
	Exposure float64 // mean over bars of Σ abs(weight)
	Trips    RoundTrips

	Residual float64 // the largest error of Attribution's identity, as a share of equity
	Warnings []error
}

// Unknown says why net PnL is not known.
type Unknown struct {
	From       int64 // the first instant, Unix µs
	Instrument int   // whose position that was
	Count      int   // funding events, or bars with continuous funding, that the data does not show
}

// Day is one observation of daily return: of equity from UTC midnight to UTC midnight, the initial capital first. A day
// without bars returns 0. A ruin is the last day.
type Day struct {
	Day    datasets.Day
	Return float64
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

// Daily are the returns of days, and on which of them there was a position.
func (a *Account) Daily() (returns []float64, held []bool) {
	for _, d := range a.Days {
		returns, held = append(returns, d.Return), append(held, d.Held)
	}
	return returns, held
}
