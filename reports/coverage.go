package reports

import (
	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// Coverage says what the lake held of one feed of one instrument, warm-up included.
type Coverage struct {
	Instrument  string   `json:"instrument"`
	Feed        string   `json:"feed"`
	From        string   `json:"from"` // first day
	To          string   `json:"to"`   // last day, included
	Days        int      `json:"days"`
	Present     int      `json:"present"`
	Empty       int      `json:"empty"` // the venue recorded nothing
	Missing     int      `json:"missing"`
	EmptyDays   []string `json:"empty_days"`
	MissingDays []string `json:"missing_days"`
}

func coverage(r *backtest.Result) []Coverage {
	out := []Coverage{}
	for i, in := range r.Grid.Columns() {
		at := map[datasets.DataType]int{}
		for _, s := range r.Days[i] {
			k, ok := at[s.Type]
			if !ok {
				k = len(out)
				at[s.Type] = k
				out = append(out, Coverage{
					Instrument: in.String(), Feed: string(s.Type), From: s.Day.String(),
					EmptyDays: []string{}, MissingDays: []string{},
				})
			}
			out[k].add(s)
		}
	}
	return out
}

// add counts one more day; days come in order.
func (c *Coverage) add(s bars.DayStatus) {
	day := s.Day.String()
	c.To = day
	c.Days++
	switch s.Presence {
	case bars.Present:
		c.Present++
	case bars.Empty:
		c.Empty++
		c.EmptyDays = append(c.EmptyDays, day)
	default:
		c.Missing++
		c.MissingDays = append(c.MissingDays, day)
	}
}
