package bars

import (
	"math"

	"github.com/qf-dev/qf/datasets"
)

// frame is the bars of a request: for time bars every label in (first.Start, end.Start], for others
// those that the trades made.
type frame struct {
	first  datasets.Day
	every  int64 // µs; 0 for bars that are not time bars
	labels []int64
	ends   []int // labels[:ends[d]] are the bars of the days up to d, counted from first
}

// timeFrame is the grid of time bars.
func timeFrame(q Request) frame {
	f := frame{first: q.First, every: q.Spec.Every.Microseconds()}
	for d := q.First; d < q.End; d++ {
		for at := d.Start() + f.every; at <= (d + 1).Start(); at += f.every {
			f.labels = append(f.labels, at)
		}
		f.ends = append(f.ends, len(f.labels))
	}
	return f
}

// tradeFrame is the bars that the trades made. By the exchange's clock a day's first trades may be
// older than the last of the day before; labels do not go back.
func tradeFrame(first datasets.Day, days []part) frame {
	f := frame{first: first}
	last := int64(math.MinInt64)
	for _, d := range days {
		if d.table != nil {
			for _, at := range d.table.ts {
				last = max(last, at)
				f.labels = append(f.labels, last)
			}
		}
		f.ends = append(f.ends, len(f.labels))
	}
	return f
}

// of lists the labels of a day.
func (f *frame) of(d int) []int64 {
	lo := 0
	if d > 0 {
		lo = f.ends[d-1]
	}
	return f.labels[lo:f.ends[d]]
}

// cutter cuts the files of a day into the frame's bars.
func (f *frame) cutter(d datasets.Day) cutter {
	c := newCutter(d)
	if c.every = f.every; c.every == 0 {
		c.labels = f.of(int(d - f.first))
	}
	return c
}

// joiner puts bars together from what the day-files hold of each, in order.
type joiner interface {
	// add puts row k of a table into the bar in progress. Rows come in the order of their files.
	add(t *table, k int)
	// close ends the bar in progress, which covers [from, to), and writes its columns into row; NaN
	// is missing. A bar to which nothing was added has what is carried.
	close(from, to int64, row []float64)
	// forget drops what would be carried: a day is missing.
	forget()
}

// part is what the lake had of one feed on one day.
type part struct {
	presence Presence
	info     datasets.Info // of the lake file, where there is one
	table    *table        // where it has rows
}

// lay joins the days' tables bar by bar. The bars of a missing day are NaN. What two day-files hold
// of one bar is joined in file order. What is not a time bar has rows of its own day's files and of those before.
func (f *frame) lay(days []part, j joiner, fields int) [][]float64 {
	out := make([][]float64, fields)
	for c := range out {
		out[c] = make([]float64, len(f.labels))
	}
	row := make([]float64, fields)
	d, k := 0, 0
	// upTo adds the rows that belong to bars up to a label, of files up to a day's.
	upTo := func(label int64, last int) {
		for d < len(days) && d <= last {
			t := days[d].table
			switch {
			case t == nil || k == len(t.ts):
				d, k = d+1, 0
			case t.ts[k] <= label:
				j.add(t, k)
				k++
			default:
				return
			}
		}
	}
	from := f.first.Start()
	if f.every > 0 {
		upTo(from, len(days)) // of the day before, by the exchange's clock
		j.close(from, from, row)
	}
	bar := 0
	for day, end := range f.ends {
		last := day
		if f.every > 0 {
			last = len(days)
		}
		missing := days[day].presence == Missing
		for ; bar < end; bar++ {
			upTo(f.labels[bar], last)
			j.close(from, f.labels[bar], row)
			from = f.labels[bar]
			if missing {
				j.forget()
				for c := range row {
					row[c] = math.NaN()
				}
			}
			for c, v := range row {
				out[c][bar] = v
			}
		}
		if f.every == 0 {
			upTo((f.first + datasets.Day(day) + 1).Start(), last) // what came after the day's last bar goes into the next
		}
		if missing {
			j.forget()
		}
	}
	return out
}
