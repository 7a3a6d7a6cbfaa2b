package reports

import (
	"fmt"
	"strings"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/datasets"
)

// Universe says who was a member of the study's universe when, and what looking at the members of the end alone would have shown.
type Universe struct {
	Rule       string            `json:"rule"`
	Candidates int               `json:"candidates"`
	Ended      int               `json:"members_delisted"` // members at some time that were delisted within the span
	Today      []string          `json:"members_at_end"`
	Survivors  evaluate.Figure   `json:"survivors_return"` // of the same study on these
	Difference evaluate.Figure   `json:"survivors_excess"` // that, less what was earned
	Reasons    map[string]string `json:"reasons,omitempty"`
	Changes    []Membership      `json:"membership"`
}

// Membership is who is a member from a day on.
type Membership struct {
	Day     datasets.Day `json:"day"`
	Chosen  bool         `json:"chosen"` // at a choice; else a member was delisted
	Members []string     `json:"members"`
	Joined  []string     `json:"joined"`
	Left    []string     `json:"left"`
}

// universe tells of it; nil where the study has none.
func universe(r *backtest.Result) *Universe {
	u := r.Universe
	if u == nil {
		return nil
	}
	c := u.Config
	out := &Universe{
		Rule:       fmt.Sprintf("the %d largest by %s over %v, chosen every %s", c.Top, c.RankBy, c.Window, c.Every),
		Candidates: u.Candidates, Ended: u.Ended, Today: instrumentNames(u.Today), Survivors: nan, Difference: nan, Changes: []Membership{},
	}
	if c.AgeDays() > 0 {
		out.Rule += fmt.Sprintf(", listed for %v", c.MinAge)
	}
	for _, m := range u.Changes {
		out.Changes = append(out.Changes, Membership{m.Day, m.Chosen, instrumentNames(m.Members), instrumentNames(m.Joined), instrumentNames(m.Left)})
	}
	for _, v := range r.Figures.Variants {
		if v.Variant == evaluate.Survivors {
			out.Survivors = v.TotalReturn
			out.Reasons = v.Reasons
		}
	}
	for _, row := range r.Figures.PnL {
		if row.Signal == r.Traded && row.Window == evaluate.All {
			out.Difference = out.Survivors - row.Of("total_return")
		}
	}
	return out
}

func instrumentNames(list []datasets.Instrument) []string {
	out := []string{}
	for _, in := range list {
		out = append(out, in.String())
	}
	return out
}

// universeWords sums the universe up.
func universeWords(u *Universe) string {
	text := fmt.Sprintf("%d candidates, %d members delisted", u.Candidates, u.Ended)
	if d := known(percent(u.Difference, 2)); d != "" {
		text += "; the members of the end alone: " + d
	}
	return text
}

// membershipGrid lists who joined and left.
func membershipGrid(d *Report) grid {
	g := grid{Caption: "Who was a member of the universe", Head: []heading{
		{Text: "From"}, {Text: "Members", Numeric: true}, {Text: "Joined"}, {Text: "Left"},
	}}
	if d.Universe == nil {
		return g
	}
	short := func(list []string) string {
		const shown = 8
		var names []string
		for _, n := range list {
			_, symbol, _ := strings.Cut(n, ":")
			names = append(names, symbol)
		}
		if len(names) > shown {
			return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
		}
		return strings.Join(names, ", ")
	}
	for _, m := range d.Universe.Changes {
		g.Rows = append(g.Rows, []entry{words(m.Day.String()), integer(len(m.Members)), words(short(m.Joined)), words(short(m.Left))})
	}
	return g
}
