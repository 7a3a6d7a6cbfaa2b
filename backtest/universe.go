package backtest

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/universe"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// selection is the universe of a study in play.
type selection struct {
	days     *universe.Days
	schedule universe.Schedule // who is a member when
	today    universe.Schedule // who is one at the span's end, always: what survived
	members  [][]bool          // of a block
}

// choose finds out who is a member when, from the bars' turnover and the listings.
func (p *plan) choose(ctx context.Context, lake *datasets.Lake) error {
	u := p.s.Data.Universe
	if u == nil {
		return nil
	}
	if !slices.Contains(p.source.Fields(), "turnover") {
		return fmt.Errorf("data.universe: the bars have no turnover to rank by")
	}
	n := len(p.grid.Instruments)
	x := &selection{days: &universe.Days{Turnover: make([][]float64, n), Lives: make([][]universe.Life, n)}, members: make([][]bool, n)}
	for i, in := range p.grid.Instruments {
		lives, err := p.livesOf(lake, in)
		if err != nil {
			return err
		}
		x.days.Lives[i] = lives
	}
	for b, err := range p.source.Blocks(ctx, bars.Want{Hi: p.source.Rows(), Fields: []string{"turnover"}, Length: p.o.block}) {
		if err != nil {
			return err
		}
		x.days.Add(b.Close, b.Cols[0][:n])
	}
	span := datasets.DayOf(p.span.From)
	instants := universe.Instants(*u, x.days.First, span, p.s.Data.To)
	x.schedule = p.stages.choose(x.days, *u, instants)
	x.today = universe.Fixed(x.days.Rank(*u, p.s.Data.To))
	p.chosen = x
	return nil
}

// livesOf are when an instrument was listed: as the vendor says, else from the lake's first day of trades to its last.
func (p *plan) livesOf(lake *datasets.Lake, in datasets.Instrument) (lives []universe.Life, err error) {
	if v := p.known.Venue(in.Exchange); v != nil {
		for _, l := range v.Lives(in.Symbol) {
			life := universe.Life{From: l.FirstDay()}
			if !l.To.IsZero() {
				life.To = l.EndDay()
			}
			lives = append(lives, life)
		}
		if lives != nil {
			return lives, nil
		}
	}
	held, err := lake.List(datasets.Trades, in)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	life := universe.Life{From: held[0].Day}
	if last := held[len(held)-1].Day; last < p.s.Data.To-1 {
		life.To = last + 1
	}
	return []universe.Life{life}, nil
}

// ends are the instants within the span's reach at which instrument i is delisted.
func (x *selection) ends(i int) (list []int64) {
	for _, l := range x.days.Lives[i] {
		if l.To != 0 {
			list = append(list, l.To.Start())
		}
	}
	return list
}

// settled are the stretches over which funding is not known, but for those from a last day's last row on: a position does not
// reach beyond it.
func settled(gaps []bars.FundingGap, ends []int64) []bars.FundingGap {
	gaps = slices.Clone(gaps)
	for _, end := range ends {
		for k, g := range gaps {
			if g.From >= end-datasets.MicrosPerDay && g.From < end && g.To >= end {
				gaps[k].From = end
			}
		}
	}
	return gaps
}

// members says who is a member in the rows of a block.
func (x *selection) of(schedule universe.Schedule, to [][]bool, labels []int64) [][]bool {
	for i := range to {
		to[i] = slices.Grow(to[i][:0], len(labels))[:len(labels)]
	}
	schedule.Fill(to, labels)
	return to
}

// mask leaves the factors of members, for what judges them.
func (x *pass) mask(s *step) [][][]float64 {
	if s.Members == nil {
		return s.columns[:x.p.own]
	}
	for k := range x.p.own {
		if k == len(x.judged) {
			x.judged = append(x.judged, make([][]float64, len(x.p.grid.Instruments)))
		}
		factors.MaskInto(x.judged[k], s.columns[k], s.Members)
	}
	return x.judged
}

// release gives up the targets of who is no member: what is held is sold at the next fill.
func release(target [][]float64, members [][]bool) {
	for i, in := range members {
		for t, ok := range in {
			if !ok {
				target[i][t] = 0
			}
		}
	}
}

// survivors is the study traded on those who are members at the span's end: what a universe of today would have shown.
type survivors struct {
	pass    *pass
	run     *replay
	members [][]bool
}

func (p *plan) newSurvivors(l *learned, w *window) (*survivors, error) {
	if p.chosen == nil {
		return nil, nil
	}
	x, err := p.newPass(l, nil)
	if err != nil {
		return nil, err
	}
	return &survivors{pass: x, run: w.survivors, members: make([][]bool, len(p.grid.Instruments))}, nil
}

// add plays the rows of s.
func (y *survivors) add(ctx context.Context, s *step) error {
	p := y.pass.p
	b := *s.whole
	b.Members = p.chosen.of(p.chosen.today, y.members, b.Close)
	again, err := y.pass.next(ctx, &b)
	if err != nil {
		return err
	}
	if err := y.pass.decide(again); err != nil {
		return err
	}
	if b.Lo >= p.span.Lo && b.Hi <= p.span.Hi && b.Len() > 0 {
		d := y.pass.decisions
		y.run.rows = p.stages.replay(y.run.Portfolio, again.Block, y.run.fields, d[len(d)-1].target)
	}
	return nil
}

// Universe is who was a member when.
type Universe struct {
	Config     study.UniverseConfig
	Candidates int
	Changes    []Membership          // within the span; the first is as it begins
	Today      []datasets.Instrument // who is a member at the span's end
	Ended      int                   // members at some time that were delisted within the span
}

// Membership is a change of the members.
type Membership struct {
	Day          datasets.Day
	Chosen       bool // at a choice; else by a delisting
	Members      []datasets.Instrument
	Joined, Left []datasets.Instrument
}

// universe tells of the members over the span.
func (p *plan) universe() *Universe {
	x := p.chosen
	if x == nil {
		return nil
	}
	u := &Universe{Config: *p.s.Data.Universe, Candidates: len(p.grid.Instruments)}
	named := func(list []int) []datasets.Instrument {
		out := make([]datasets.Instrument, 0, len(list))
		for _, i := range list {
			out = append(out, p.grid.Instruments[i])
		}
		return out
	}
	minus := func(a, b []int) []int {
		return slices.DeleteFunc(slices.Clone(a), func(i int) bool { return slices.Contains(b, i) })
	}
	first := datasets.DayOf(p.span.From)
	var before, ever []int
	for k, c := range x.schedule {
		if k+1 < len(x.schedule) && x.schedule[k+1].Day <= first {
			continue
		}
		m := Membership{Day: max(c.Day, first), Chosen: c.Chosen, Members: named(c.Members), Joined: named(minus(c.Members, before)), Left: named(minus(before, c.Members))}
		u.Changes = append(u.Changes, m)
		before, ever = c.Members, append(ever, c.Members...)
	}
	u.Today = named(x.today[0].Members)
	slices.Sort(ever)
	for _, i := range slices.Compact(ever) {
		if slices.ContainsFunc(x.days.Lives[i], func(l universe.Life) bool { return l.To > first && l.To <= p.s.Data.To }) {
			u.Ended++
		}
	}
	return u
}

// warnUniverse says what of the universe cannot be seen.
func (r *Result) warnUniverse(left int) {
	u := r.Universe
	if u == nil {
		return
	}
	if left > 0 {
		r.warn(fmt.Errorf("universe: the lake has no trades of %d of %d candidates that were listed in the span: qf fetch --config brings them; what is left out may be what did not survive", left, left+u.Candidates))
	}
	least := math.MaxInt
	for _, c := range u.Changes {
		least = min(least, len(c.Members))
	}
	if least < u.Config.Top {
		r.warn(fmt.Errorf("universe: at times it has %d members, fewer than the %d asked for: that many were listed, old enough and traded", least, u.Config.Top))
	}
}
