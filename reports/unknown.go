package reports

import (
	"fmt"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/datasets"
)

// Unknown says from when on a run's net PnL is not known: a position was held over funding that the data does not show.
// portfolio.Account.Unknown decides. What is net and later than that is null, or named for what it is, without funding.
type Unknown struct {
	Window     string `json:"window"`
	Instrument string `json:"instrument"` // whose funding is missing first
	From       string `json:"from"`       // the first instant
	Reason     string `json:"reason"`
}

func unknown(r *backtest.Result) []Unknown {
	out := []Unknown{}
	for _, run := range r.Runs {
		if run.Account.Unknown != nil {
			out = append(out, newUnknown(r, run.Window, run.Account.Unknown))
		}
	}
	return out
}

func newUnknown(r *backtest.Result, window string, u *portfolio.Unknown) Unknown {
	return Unknown{Window: window, Instrument: r.Grid.Instruments[u.Instrument].String(), From: stamp(u.From), Reason: u.Reason}
}

func (u Unknown) words() string {
	s := fmt.Sprintf("the data lacks funding of %s from %s on", u.Instrument, minute(u.From))
	if u.Reason != "" {
		s += ": " + u.Reason
	}
	return s
}

// netUnknown is what is not known of a window's run; nil where all is.
func (d *Report) netUnknown(window string) *Unknown {
	for k := range d.Unknown {
		if d.Unknown[k].Window == window {
			return &d.Unknown[k]
		}
	}
	return nil
}

// dayKnown reports whether the net equity at the end of a day is known.
func dayKnown(a *portfolio.Account, d datasets.Day) bool { return a.Known((d + 1).Start()) }
