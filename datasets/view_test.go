package datasets

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/google/go-cmp/cmp"
)

// Rows before the cut are the lake's, those after it are as many, and in each all is another and valid;
// or they are gone. How the file is cut into batches does not matter, nor which columns are read.
func TestViewChangesTheFutureAlone(t *testing.T) {
	for _, feed := range []DataType{Trades, Quotes, BookSnapshot5, DerivativeTicker, Liquidations} {
		for _, clock := range []string{LocalTimestamp, Timestamp} {
			l := newLake(t)
			p := part(feed, btc, "2024-01-01")
			rec := record(p, 2000, 3)
			put(t, l, p, rec, 700)
			i := slices.IndexFunc(feed.Columns(), func(c Column) bool { return c.Name == clock })
			times := rec.Column(i).(*array.Timestamp).TimestampValues()
			v := View{Lake: l, Clock: clock, Cut: int64(times[900]), Gone: p.Day + 2}
			past := slices.IndexFunc(times, func(at arrow.Timestamp) bool { return int64(at) >= v.Cut })
			was := cells(rec)

			rr, err := v.Scan(t.Context(), feed, btc, DayRange(p.Day, p.Day))
			is := drain(t, rr, err)
			if len(is) != len(was) || !slices.Equal(is[:past], was[:past]) {
				t.Fatalf("%s by %s: %d rows, want %d of which the first %d do not change", feed, clock, len(is), len(was), past)
			}
			for k := past; k < len(was); k++ {
				if is[k] == was[k] {
					t.Fatalf("%s by %s: row %d is not poisoned: %s", feed, clock, k, is[k])
				}
			}

			for _, c := range feed.Columns() {
				rr, err := v.Scan(t.Context(), feed, btc, DayRange(p.Day, p.Day), c.Name)
				column := drain(t, rr, err)
				rr, err = v.Scan(t.Context(), feed, btc, DayRange(p.Day, p.Day), c.Name, LocalTimestamp, Timestamp)
				several := drain(t, rr, err)
				for k := range column {
					if several[k][:len(column[k])] != column[k] {
						t.Fatalf("%s %s: %s alone, %s with others", feed, c.Name, column[k], several[k])
					}
				}
			}

			v.Gone = 0
			rr, err = v.Scan(t.Context(), feed, btc, DayRange(p.Day, p.Day))
			if d := cmp.Diff(was[:past], drain(t, rr, err)); d != "" {
				t.Errorf("%s by %s: %s", feed, clock, d)
			}
			if info, err := v.Stat(p); err != nil || info.Rows != int64(past) {
				t.Errorf("%s by %s: %d rows, %v, want %d", feed, clock, info.Rows, err, past)
			}
		}
	}
}

// Poison keeps a book's sides apart, amounts from falling below 0, and numbers finite.
func TestPoisonIsValid(t *testing.T) {
	for _, u := range []float64{0, 0.5, math.Nextafter(1, 0)} {
		price, amount, rate := poisonOf("asks[0].price"), poisonOf("asks[0].amount"), poisonOf("funding_rate")
		if !(price(100, u) > 100) || !(price(100, u) < price(100.01, u)) {
			t.Errorf("prices 100 and 100.01 become %v and %v", price(100, u), price(100.01, u))
		}
		if a := amount(3, u); !(a > 0) || amount(0, u) != 0 {
			t.Errorf("amounts 3 and 0 become %v and %v", a, amount(0, u))
		}
		if r := rate(1e-4, u); !(r < 0 && r > -1e-2) {
			t.Errorf("a rate of 1e-4 becomes %v", r)
		}
	}
}

func TestViewOfOtherDays(t *testing.T) {
	l := newLake(t)
	var days []Partition
	var was [][]string
	for _, d := range []string{"2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"} {
		p := part(Trades, btc, d)
		rec := record(p, 50, 3)
		put(t, l, p, rec, 700)
		days, was = append(days, p), append(was, cells(rec))
	}
	v := View{Lake: l, Clock: LocalTimestamp, Cut: days[1].Day.Start() + 10_000_000, Gone: days[3].Day}
	for k, p := range days {
		info, err := v.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		rr, err := v.Scan(t.Context(), Trades, btc, DayRange(p.Day, p.Day))
		is := drain(t, rr, err)
		if int64(len(is)) != info.Rows || slices.Equal(is, was[k]) != (k == 0) || (len(is) == 0) != (k == 3) {
			t.Errorf("%v: %d rows, %d by Stat", p, len(is), info.Rows)
		}
	}
	if _, err := v.Scan(t.Context(), Trades, btc, DayRange(days[0].Day, days[1].Day)); err == nil {
		t.Error("two days at once were taken")
	}
	if _, err := v.Stat(part(Trades, btc, "2024-02-01")); !errors.Is(err, ErrNotFound) {
		t.Errorf("a day that is not there: %v", err)
	}
}

// Nothing that is derived from a view reaches the lake, and nothing of the lake's is used for it.
func TestViewHasNoTables(t *testing.T) {
	l := newLake(t)
	rec := record(part(Trades, btc, "2024-01-01"), 5, 1)
	if err := l.WriteTable(context.Background(), "bars/x/data.parquet", rec, nil); err != nil {
		t.Fatal(err)
	}
	v := View{Lake: l, Clock: LocalTimestamp}
	if _, _, err := v.ReadTable("bars/x/data.parquet"); !errors.Is(err, ErrNotFound) {
		t.Errorf("read: %v", err)
	}
	if _, _, err := v.OpenTable("bars/x/data.parquet", "price"); !errors.Is(err, ErrNotFound) {
		t.Errorf("opened: %v", err)
	}
	if _, err := v.CheckTable("bars/x/data.parquet"); !errors.Is(err, ErrNotFound) {
		t.Errorf("checked: %v", err)
	}
	if err := v.WriteTable(context.Background(), "bars/y/data.parquet", rec, nil); err == nil {
		t.Error("a table was taken")
	}
	if _, _, err := l.ReadTable("bars/y/data.parquet"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the lake has it: %v", err)
	}
}
