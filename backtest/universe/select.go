package universe

import (
	"slices"
	"sort"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// alive is how many days before an instant must have seen a trade: what is not traded any more is no member.
const alive = 3

// Days is what is known of the candidates.
type Days struct {
	First    datasets.Day
	Turnover [][]float64 // by instrument and day from First, quote currency
	Lives    [][]Life    // by instrument, ascending
}

// Add counts the turnover of the next rows, by instrument, to the days that they belong to: a bar belongs to the day that it covers.
func (d *Days) Add(labels []int64, turnover [][]float64) {
	if len(labels) == 0 {
		return
	}
	if d.Turnover[0] == nil {
		d.First = datasets.DayOf(labels[0] - 1)
	}
	last := int(datasets.DayOf(labels[len(labels)-1]-1) - d.First)
	for i, x := range turnover {
		for len(d.Turnover[i]) <= last {
			d.Turnover[i] = append(d.Turnover[i], 0)
		}
		for t, v := range x {
			if v > 0 {
				d.Turnover[i][datasets.DayOf(labels[t]-1)-d.First] += v
			}
		}
	}
}

// Life is one stretch of days over which an instrument is listed.
type Life struct{ From, To datasets.Day } // [From, To); To 0: it goes on

// at is the life that an instant lies in; its last day must not be over.
func (d *Days) at(i int, day datasets.Day) (Life, bool) {
	for _, l := range d.Lives[i] {
		if l.From < day && (l.To == 0 || day < l.To) {
			return l, true
		}
	}
	return Life{}, false
}

// traded is the turnover of an instrument over the days [from, to), of one life.
func (d *Days) traded(i int, from, to datasets.Day) float64 {
	sum := 0.0
	x := d.Turnover[i]
	for k := max(0, int(from-d.First)); k < min(len(x), int(to-d.First)); k++ {
		sum += x[k]
	}
	return sum
}

// Rank lists the members chosen at the start of a day, largest turnover first: by the window's days of their present life, of
// equals the first.
func (d *Days) Rank(c study.UniverseConfig, day datasets.Day) []int {
	type candidate struct {
		i        int
		turnover float64
	}
	var list []candidate
	for i := range d.Turnover {
		life, ok := d.at(i, day)
		if !ok || day-life.From < c.AgeDays() || d.traded(i, max(life.From, day-alive), day) == 0 {
			continue
		}
		list = append(list, candidate{i, d.traded(i, max(life.From, day-c.WindowDays()), day)})
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		switch {
		case a.turnover > b.turnover:
			return -1
		case a.turnover < b.turnover:
			return 1
		}
		return a.i - b.i
	})
	members := []int{}
	for _, x := range list[:min(len(list), c.Top)] {
		members = append(members, x.i)
	}
	return members
}

// Instants are the days at whose start members are chosen, from the data's first day to its end: each beginning of a period, which are
// calendar months or so many days counted from the span's first, and the span's first day itself.
func Instants(c study.UniverseConfig, first, span, end datasets.Day) []datasets.Day {
	list := []datasets.Day{span}
	if n := c.EveryDays(); n > 0 {
		for d := span - n; d > first; d -= n {
			list = append(list, d)
		}
		for d := span + n; d < end; d += n {
			list = append(list, d)
		}
	} else {
		for d := first + 1; d < end; d++ {
			if d.Time().Day() == 1 {
				list = append(list, d)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Change is who is a member from a day's start on.
type Change struct {
	Day     datasets.Day
	Members []int // by turnover at the last choice
	Chosen  bool  // at an instant; else somebody was delisted
}

// Schedule is who is a member when, in order. Before the first change nobody is.
type Schedule []Change

// Select chooses members at each of the instants.
func Select(d *Days, c study.UniverseConfig, instants []datasets.Day) Schedule {
	var s Schedule
	for k, day := range instants {
		members := d.Rank(c, day)
		s = append(s, Change{day, members, true})
		end := datasets.Day(1 << 30)
		if k+1 < len(instants) {
			end = instants[k+1]
		}
		for {
			last, ok := datasets.Day(0), false // the first delisting of a member before the next choice
			for _, i := range members {
				if l, in := d.at(i, day); in && l.To != 0 && l.To < end && (!ok || l.To < last) {
					last, ok = l.To, true
				}
			}
			if !ok {
				break
			}
			var rest []int
			for _, i := range members {
				if l, in := d.at(i, day); !in || l.To != last {
					rest = append(rest, i)
				}
			}
			members, day = rest, last
			s = append(s, Change{day, members, false})
		}
	}
	return s
}

// Fixed is a universe that never changes.
func Fixed(members []int) Schedule { return Schedule{{Day: 0, Members: members, Chosen: true}} }

// Fill says by instrument, for each label, whether it is a member.
func (s Schedule) Fill(dst [][]bool, labels []int64) {
	for i := range dst {
		clear(dst[i])
	}
	for t := 0; t < len(labels); {
		k := sort.Search(len(s), func(k int) bool { return s[k].Day.Start() > labels[t] })
		end := len(labels)
		if k < len(s) {
			end = sort.Search(len(labels), func(j int) bool { return labels[j] >= s[k].Day.Start() })
		}
		if k > 0 {
			for _, i := range s[k-1].Members {
				for j := t; j < end; j++ {
					dst[i][j] = true
				}
			}
		}
		t = end
	}
}
