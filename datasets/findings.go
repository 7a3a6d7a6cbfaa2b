package datasets

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow/array"
)

// Findings sums up what is odd in the data of a span that ends where the day end begins, given the lake files that
// were read of it: a finding for each feed, instrument and check, with the number of rows and in Partition the first
// day. Of trades it reports prices that jump, within a day and from one to the next, lone prints, a price that stays the
// same for two days or more, and trades that end a day or more before the span does; of all feeds prices that are
// not positive, crossed quotes, and rows that arrived before their predecessors.
//
// What the files' footers record is used; a file without a record, of another tool or an older qf, is read. The
// findings are in the order of Partition.Compare, and do not depend on workers.
func Findings(ctx context.Context, lake Scanner, files []Info, end Day, workers int) ([]Finding, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b Info) int { return a.Partition.Compare(b.Partition) })
	files = slices.CompactFunc(files, func(a, b Info) bool { return a.Partition == b.Partition })
	err := ForEach(ctx, workers, len(files), func(ctx context.Context, i int) (err error) {
		if f := &files[i]; !f.Look.Known && f.Rows > 0 {
			f.Look, err = lookAt(ctx, lake, f.Partition)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []Finding
	for len(files) > 0 {
		p := files[0].Partition
		n := slices.IndexFunc(files, func(f Info) bool { return f.Partition.Type != p.Type || f.Partition.Instrument != p.Instrument })
		if n < 0 {
			n = len(files)
		}
		out = append(out, findingsOf(files[:n], end)...)
		files = files[n:]
	}
	return out, nil
}

// Scanner is what Findings needs of a lake.
type Scanner interface {
	Scan(context.Context, DataType, Instrument, Range, ...string) (array.RecordReader, error)
}

// lookAt makes a day-file's Look from its rows.
func lookAt(ctx context.Context, lake Scanner, p Partition) (Look, error) {
	l := newLooker(p.Type)
	columns := p.Type.Columns()
	var names []string
	for _, c := range l.columns() {
		names = append(names, columns[c].Name)
	}
	if len(names) == 0 {
		return Look{}, nil
	}
	rows, err := lake.Scan(ctx, p.Type, p.Instrument, DayRange(p.Day, p.Day), names...)
	if err != nil {
		return Look{}, err
	}
	defer rows.Release()
	place := func(c int) int { return slices.Index(l.prices, c) }
	if l.bid >= 0 {
		l.bid, l.ask = place(l.bid), place(l.ask)
	}
	for i := range l.prices {
		l.prices[i] = i
	}
	for rows.Next() {
		if ctx.Err() != nil {
			return Look{}, context.Cause(ctx)
		}
		l.add(rows.Record())
	}
	return l.end(), rows.Err()
}

// findingsOf sums up the days of one feed of one instrument, in their order.
func findingsOf(files []Info, end Day) []Finding {
	var out []Finding
	p := files[0].Partition
	// odd reports what each file says of a check.
	odd := func(check, what string, count func(f Info) int64) {
		var total int64
		var days int
		var first Day
		for _, f := range files {
			n := count(f)
			if n == 0 {
				continue
			}
			if days++; days == 1 {
				first = f.Partition.Day
			}
			total += n
		}
		if days == 0 {
			return
		}
		at := p
		at.Day = first
		when := "on " + first.String()
		if days > 1 {
			when = fmt.Sprintf("on %d days, the first %s", days, first)
		}
		out = append(out, Finding{at, Oddity, check, total, 0, fmt.Sprintf("%s of %v: %d %s, %s", p.Type, p.Instrument, total, what, when)})
	}
	seen := func(of func(Look) Sighting) func(Info) int64 {
		return func(f Info) int64 { return of(f.Look).Count }
	}
	odd("bad_price", "prices are zero or negative and left out", seen(func(l Look) Sighting { return l.BadPrice }))
	odd("crossed_book", "rows have the bid above the ask", seen(func(l Look) Sighting { return l.Crossed }))
	odd("order_violations", "rows arrived before their predecessor", func(f Info) int64 { return f.OrderViolations })
	if p.Type != Trades {
		return out
	}
	odd("lone_print", "trades are lone prints, 20 % or more off for up to five trades", seen(func(l Look) Sighting { return l.Lone }))
	jumps := map[Day]int64{} // from the close of the day before
	for i, f := range files {
		if i == 0 || f.Partition.Day != files[i-1].Partition.Day+1 {
			continue
		}
		before, now := files[i-1].Look.Close, f.Look.Open
		if before > 0 && now > 0 && math.Max(now/before, before/now) >= elsewhere {
			jumps[f.Partition.Day]++
		}
	}
	odd("price_jump", "times the price is twice or half of that before, and more", func(f Info) int64 {
		return seen(func(l Look) Sighting { return l.Jump })(f) + jumps[f.Partition.Day]
	})
	out = append(out, flatPrices(files)...)
	last := Info{}
	for _, f := range files {
		if f.Rows > 0 {
			last = f
		}
	}
	if silent := end.Start() - last.Last; last.Last > 0 && silent >= MicrosPerDay {
		out = append(out, Finding{last.Partition, Oddity, "trades_end", 0, 0,
			fmt.Sprintf("trades of %v end on %s, %d hours before the span does: what is held then cannot be closed", p.Instrument, last.Partition.Day, silent/3600e6)})
	}
	return out
}

// flatPrices reports stretches of two days or more in which every trade has the same price.
func flatPrices(files []Info) []Finding {
	const atLeast = 2
	var out []Finding
	for i := 0; i < len(files); {
		j := i
		for j < len(files) && files[j].Look.flat() && files[j].Look.Low == files[i].Look.Low {
			j++
		}
		if j-i >= atLeast {
			p := files[i].Partition
			var rows int64
			for _, f := range files[i:j] {
				rows += f.Rows
			}
			out = append(out, Finding{p, Oddity, "flat_price", rows, 0,
				fmt.Sprintf("trades of %v: all %d of %s to %s are at %v", p.Instrument, rows, p.Day, files[j-1].Partition.Day, files[i].Look.Low)})
		}
		i = max(j, i+1)
	}
	return out
}
