package ledger

import (
	"context"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// Family is the trials that a run on some span has to be judged beside: those on a span that overlaps it, of an instrument
// in common. Whoever has looked at any of these days knows something of them.
type Family struct {
	Head   Head // of the ledger at that time
	Trials []Trial
}

// Trial is a member with its daily returns.
type Trial struct {
	*Entry
	Daily   []datasets.Day // ascending
	Returns []float64
}

// Family reads the family of a study on a span.
func (l *Ledger) Family(ctx context.Context, s *study.Study, span study.Span) (*Family, error) {
	list, err := l.Entries(ctx)
	if err != nil {
		return nil, err
	}
	f := &Family{}
	if f.Head, err = l.Head(ctx); err != nil {
		return nil, err
	}
	from, to := stamp(span.From), stamp(span.To)
	for _, e := range list {
		shared := slices.ContainsFunc(s.Data.Instruments, func(in study.InstrumentConfig) bool {
			return slices.Contains(e.Instruments, in.Instrument.String())
		})
		if !shared || strings.Compare(e.From, to) >= 0 || strings.Compare(from, e.To) >= 0 {
			continue
		}
		t := Trial{Entry: e}
		t.Daily, t.Returns = e.Daily()
		f.Trials = append(f.Trials, t)
	}
	return f, nil
}

// minCommon is the number of days below which a trial's ratio over them says nothing.
const minCommon = 10

// Over cuts the trials to days, ascending. Those that know fewer than 10 of them are left out, unless there are not more days
// at all.
func (f *Family) Over(days []datasets.Day) *Family {
	cut := &Family{Head: f.Head}
	for _, t := range f.Trials {
		c := Trial{Entry: t.Entry}
		k := 0
		for _, d := range days {
			for k < len(t.Daily) && t.Daily[k] < d {
				k++
			}
			if k < len(t.Daily) && t.Daily[k] == d {
				c.Daily, c.Returns = append(c.Daily, d), append(c.Returns, t.Returns[k])
			}
		}
		if len(c.Daily) >= min(minCommon, len(days)) {
			cut.Trials = append(cut.Trials, c)
		}
	}
	return cut
}

// Deflation is what the best of the trials has to beat on the days to which they are cut: the variance of their ratios, and
// as many independent trials as their returns amount to by their mean correlation, each pair over the days that both know.
func (f *Family) Deflation() metrics.Deflation {
	var ratios []float64
	for _, t := range f.Trials {
		ratios = append(ratios, metrics.Sharpe(t.Returns, 0, 1))
	}
	groups := f.groups()
	var c metrics.Correlations
	for i, a := range groups {
		c.Within(a.returns(a.days))
		for _, b := range groups[:i] {
			if days := common(a.days, b.days); len(days) >= minCommon {
				c.Between(a.returns(days), b.returns(days))
			}
		}
	}
	return metrics.Deflate(ratios, c.Mean())
}

// On lists the returns of the trials that know exactly these days, and which they are.
func (f *Family) On(days []datasets.Day) (returns [][]float64, trials []int) {
	for k, t := range f.Trials {
		if slices.Equal(t.Daily, days) {
			returns, trials = append(returns, t.Returns), append(trials, k)
		}
	}
	return returns, trials
}

// Put sets an entry among the trials, in place of what the ledger holds under its digest: of earlier data perhaps.
func (f *Family) Put(e *Entry) {
	t := Trial{Entry: e}
	t.Daily, t.Returns = e.Daily()
	k := slices.IndexFunc(f.Trials, func(old Trial) bool { return old.Digest == e.Digest })
	if k < 0 {
		f.Trials = append(f.Trials, t)
		return
	}
	f.Trials[k] = t
}

// Judge judges one of the trials beside the others; nil where it is not among them.
func (f *Family) Judge(digest string, e study.EvaluationConfig) *evaluate.Trials {
	own := slices.IndexFunc(f.Trials, func(t Trial) bool { return t.Digest == digest })
	if own < 0 {
		return nil
	}
	days := f.Trials[own].Daily
	over := f.Over(days)
	compared, which := over.On(days)
	own = slices.IndexFunc(which, func(k int) bool { return over.Trials[k].Digest == digest })
	t := evaluate.Judge(over.Deflation(), compared, own, e)
	return &t
}

// group is trials of the same days.
type group struct {
	days   []datasets.Day
	trials []Trial
}

func (f *Family) groups() (list []*group) {
	for _, t := range f.Trials {
		k := slices.IndexFunc(list, func(g *group) bool { return slices.Equal(g.days, t.Daily) })
		if k < 0 {
			k = len(list)
			list = append(list, &group{days: t.Daily})
		}
		list[k].trials = append(list[k].trials, t)
	}
	return list
}

// returns are those of some of the group's days.
func (g *group) returns(days []datasets.Day) (list [][]float64) {
	if len(days) == len(g.days) {
		for _, t := range g.trials {
			list = append(list, t.Returns)
		}
		return list
	}
	for _, t := range g.trials {
		var x []float64
		k := 0
		for at, d := range g.days {
			if k < len(days) && days[k] == d {
				x = append(x, t.Returns[at])
				k++
			}
		}
		list = append(list, x)
	}
	return list
}

// common lists the days that are in both of two ascending lists.
func common(a, b []datasets.Day) (days []datasets.Day) {
	k := 0
	for _, d := range a {
		for k < len(b) && b[k] < d {
			k++
		}
		if k < len(b) && b[k] == d {
			days = append(days, d)
		}
	}
	return days
}
