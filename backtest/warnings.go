package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// warnScore says what there is to say once a study was played up to its composite.
func (r *Result) warnScore(x *pass, firsts *firsts) {
	r.warn(x.scoring.Warnings()...)
	r.warnLookAhead()
	r.warnQuotes()
	r.warnConventions()
	firsts.warn(r)
	r.warnCoverage()
}

func (r *Result) warnLookAhead() {
	for _, why := range r.Study.LooksAhead() {
		r.warn(errors.New(why))
	}
}

// warnQuotes says which currencies count as one.
func (r *Result) warnQuotes() {
	_, warnings, _ := r.Study.Quotes() // what cannot be added up is refused when the study is read
	r.warn(warnings...)
}

// firsts are where each factor, and the composite, has its first value in the span.
type firsts struct {
	names []string
	in    []datasets.Instrument
	row   [][]int   // by signal and instrument, from the span's first; −1: none yet
	label [][]int64 // of it
	lo    int
	first int64 // the span's first label
	none  []int // by series: bars without a value
}

func (p *plan) newFirsts() *firsts {
	f := &firsts{in: p.grid.Instruments, lo: p.span.Lo, none: make([]int, len(p.series))}
	for _, x := range p.factors[:p.own] {
		f.names = append(f.names, x.Name)
	}
	f.names = append(f.names, study.Composite)
	for range f.names {
		none := make([]int, len(f.in))
		for i := range none {
			none[i] = -1
		}
		f.row, f.label = append(f.row, none), append(f.label, make([]int64, len(f.in)))
	}
	return f
}

// add looks at the next rows.
func (f *firsts) add(s *step) {
	if s.Lo == f.lo && s.Len() > 0 {
		f.first = s.Close[0]
	}
	for k, x := range s.series {
		for _, v := range x {
			if v != v {
				f.none[k]++
			}
		}
	}
	for k := range f.names {
		cols := s.score
		if k < len(f.names)-1 {
			cols = s.columns[k]
		}
		for i := range f.in {
			if f.row[k][i] >= 0 {
				continue
			}
			if t := slices.IndexFunc(cols[i], func(x float64) bool { return !math.IsNaN(x) }); t >= 0 {
				f.row[k][i], f.label[k][i] = s.Lo+t-f.lo, s.Close[t]
			}
		}
	}
}

// warn says from when on each exists, where that is later than the span's first bar. Members of a universe come and go.
func (f *firsts) warn(r *Result) {
	for k, x := range r.Study.Data.Series {
		if n := f.none[k]; n > 0 {
			r.warn(fmt.Errorf("series %s has no value at %d of the %d bars of the span: its file has none of the %v before them", x.Name, n, r.Bars(), x.Hold))
		}
	}
	if r.Study.Data.Universe != nil {
		return
	}
	for k, name := range f.names {
		for i, in := range f.in {
			switch first := f.row[k][i]; {
			case first < 0:
				r.warn(fmt.Errorf("%s of %v has no value: the lake does not hold enough days before %s", name, in, stamp(r.Span.To)))
			case first > 0:
				r.warn(fmt.Errorf("%s of %v exists from %s on, %d bars into the span: more days before %s would warm it up",
					name, in, stamp(f.label[k][i]), first, stamp(r.Span.From)))
			}
		}
	}
}

// warnCoverage counts the days of the span that the lake lacks.
func (r *Result) warnCoverage() {
	if r.Study.Data.Universe != nil { // most candidates are not listed throughout
		return
	}
	columns := r.Grid.Columns()
	for i, days := range r.Days {
		missing := map[datasets.DataType][]datasets.Day{}
		for _, d := range days {
			if d.Presence == bars.Missing && d.Day.Start() >= r.Span.From && d.Day.Start() < r.Span.To {
				missing[d.Type] = append(missing[d.Type], d.Day)
			}
		}
		for _, t := range datasets.DataTypes() {
			if list := missing[t]; len(list) > 0 {
				shown := list[:min(3, len(list))]
				r.warn(fmt.Errorf("%v: %d day(s) of %s are not in the lake (%v…): nothing is carried across them%s", columns[i], len(list), t, shown,
					r.absences(datasets.Partition{Instrument: columns[i], Type: t}, list)))
			}
		}
	}
}

// absences says what the vendor's metadata tells of days that the lake lacks, or nothing.
func (r *Result) absences(p datasets.Partition, days []datasets.Day) string {
	text, unlisted := "", 0
	for _, d := range days {
		p.Day = d
		if r.known.Absence(p, d) == datasets.NotListed {
			unlisted++
			continue
		}
		for _, i := range r.known.Incidents(p.Exchange, d) {
			text += fmt.Sprintf("; %s: known incident, %s", d, i.On(d))
		}
	}
	if unlisted > 0 {
		text += fmt.Sprintf("; on %d of them it was not listed then", unlisted)
	}
	return text
}

// warnData says what is odd in the data that was read up to the span's end.
func (r *Result) warnData(ctx context.Context, lake datasets.Scanner, workers int) error {
	end := datasets.DayOf(r.Span.To-1) + 1
	read := slices.DeleteFunc(slices.Clone(r.Sources), func(f datasets.Info) bool { return f.Partition.Day >= end })
	found, err := datasets.Findings(ctx, lake, read, end, workers)
	for _, f := range found {
		if r.Universe != nil && f.Check == "trades_end" { // what is held of it is settled
			continue
		}
		r.warn(errors.New(f.Text))
	}
	return err
}

const daysPerYear = 365

// warnConventions says where the study keeps a published convention that a reader would not expect.
func (r *Result) warnConventions() {
	s := r.Study
	annual := ""
	for _, c := range s.Factors {
		k, err := factors.Find(c.Kind)
		if err != nil {
			continue
		}
		if k.Name == "momentum_z" {
			r.warn(fmt.Errorf("%s: a momentum is measured against the mean and std of single returns, which are not scaled to its window: its values are wide by about the root of it", c.Name))
		}
		if k.AnnualVolatility() && annual == "" {
			annual = c.Name
		}
	}
	days := float64(r.Span.To-r.Span.From) / float64(datasets.MicrosPerDay)
	if pace := float64(r.Bars()) / days * daysPerYear; s.Bars.Kind != "time" && annual != "" && (pace > 2*s.Bars.BarsPerYear || pace < s.Bars.BarsPerYear/2) {
		r.warn(fmt.Errorf("bars_per_year is %.6g, and the span has %.3g bars a year: annualized factors such as %s keep the study's convention and are not volatilities per year", s.Bars.BarsPerYear, pace, annual))
	}
	if e := s.Execution; e.TakerBps == 0 && e.HalfSpreadBps == 0 {
		r.warn(errors.New("fills pay no fee and no spread: break_even_bps says what they could have paid"))
	}
}

// stamp writes a time of the grid for people.
func stamp(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02 15:04") }
