package bars_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/tardis"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// Bits of lake files and bar tables are flipped, one at a time, and everything is read again: scans of the
// whole day and of part of it, the footer, bars. Each flip is found, by an error that names the file, or
// changes none of that. All bits of small files, and 10,000 of large ones, are flipped where QF_FLIPS is
// set, as make fuzz does; a sample of them otherwise.
func TestFlippedBits(t *testing.T) {
	small, large := 151, 0 // every so manieth bit; so many at random
	if os.Getenv("QF_FLIPS") != "" {
		small, large = 1, 10_000
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-24s %-18s %8s %9s %9s %7s\n", "file", "bits of", "tried", "detected", "harmless", "silent")
	for _, size := range []struct {
		name        string
		rows, ticks int // trades and quotes a day; seconds between rows of the ticker
	}{{"small", 150, 600}, {"large", 40_000, 4}} {
		if size.name == "large" && large == 0 {
			continue
		}
		c := newCampaign(t, size.rows, size.ticks)
		for _, f := range c.files {
			whole, err := os.ReadFile(f.path)
			if err != nil {
				t.Fatal(err)
			}
			bits := map[string][]int{}
			if size.name == "large" {
				rng := rand.New(rand.NewPCG(1, uint64(len(whole))))
				for range (large + len(c.files) - 1) / len(c.files) {
					bits["any, "+sizeOf(len(whole))] = append(bits["any, "+sizeOf(len(whole))], rng.IntN(8*len(whole)))
				}
			} else {
				end := 8 * footerAt(whole)
				for bit := len(f.name) % small; bit < 8*len(whole); bit += small {
					part := "pages"
					if bit >= end {
						part = "seal and footer"
					}
					bits[part] = append(bits[part], bit)
				}
			}
			for _, part := range []string{"seal and footer", "pages", "any, " + sizeOf(len(whole))} {
				if len(bits[part]) > 0 {
					found, harmless, silent := c.flip(t, f, whole, bits[part])
					fmt.Fprintf(&table, "%-24s %-18s %8d %9d %9d %7d\n", f.name, part, len(bits[part]), found, harmless, silent)
				}
			}
		}
	}
	t.Log(table.String())
}

func sizeOf(n int) string { return fmt.Sprintf("%d kB", n/1000) }

// footerAt is where a file's seal begins.
func footerAt(b []byte) int {
	at := len(b) - 8 - int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	return at - 24 - 4*int(binary.LittleEndian.Uint32(b[at-8:]))
}

// campaign is a lake of one day with what is read of it while it is whole.
type campaign struct {
	lake  *datasets.Lake
	day   datasets.Day
	in    datasets.Instrument
	files []flipped
	scans map[datasets.DataType]string
	bars  string
}

// flipped is a file of the lake: a day of a feed, or, without one, a table of bars.
type flipped struct {
	name, path string
	feed       datasets.DataType
}

func newCampaign(t *testing.T, rows, ticks int) *campaign {
	root := t.TempDir()
	lake, err := datasets.OpenLake(filepath.Join(root, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	c := &campaign{lake: lake, day: 19792, in: datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}, scans: map[datasets.DataType]string{}}
	market := &tardistest.Market{Seed: 7, Start: c.day, Instruments: []datasets.Instrument{c.in}, TradesPerDay: rows, QuotesPerDay: rows, TickerEvery: ticks}
	src := &tardis.Files{Paths: map[datasets.Partition]string{}}
	var want []datasets.Partition
	for _, feed := range []datasets.DataType{datasets.Trades, datasets.Quotes, datasets.DerivativeTicker} {
		p := datasets.Partition{Instrument: c.in, Type: feed, Day: c.day}
		src.Paths[p] = filepath.Join(root, string(feed)+".csv")
		f, err := os.Create(src.Paths[p])
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(market.WriteDay(f, p), f.Close()); err != nil {
			t.Fatal(err)
		}
		want = append(want, p)
	}
	if r, err := datasets.Fetch(context.Background(), src, lake, want, datasets.FetchOptions{}); err != nil || r.Count(datasets.Fetched) != len(want) {
		t.Fatal(r, err)
	}
	if c.bars, err = c.build(); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "lake"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(filepath.Join(root, "lake"), path)
		f := flipped{path: path, feed: datasets.DataType(strings.Split(filepath.ToSlash(rel), "/")[0])}
		if f.name = string(f.feed); f.feed == "bars" {
			f.feed, f.name = "", strings.Join(strings.Split(filepath.ToSlash(rel), "/")[:2], "/")
		} else if c.scans[f.feed], err = c.scan(f.feed); err != nil {
			return err
		}
		c.files = append(c.files, f)
		return nil
	})
	if err != nil || len(c.files) < 6 {
		t.Fatal(c.files, err)
	}
	return c
}

// flip flips each of the bits in turn.
func (c *campaign) flip(t *testing.T, f flipped, whole []byte, bits []int) (found, harmless, silent int) {
	t.Helper()
	defer os.WriteFile(f.path, whole, 0o666)
	for _, bit := range bits {
		bad := append([]byte(nil), whole...)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(f.path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		var same bool
		var err error
		if f.feed == "" { // a table that is found damaged is made again, and the bars are right in any case
			rel, _ := filepath.Rel(c.root(f), f.path)
			rec, _, unread := c.lake.ReadTable(rel)
			if unread == nil {
				rec.Release()
			}
			built, failed := c.build()
			if same = built == c.bars; failed != nil || !same {
				t.Errorf("%s: bit %d: bars differ, %v", f.path, bit, failed)
			}
			err = unread
		} else {
			var now string
			now, err = c.scan(f.feed)
			same = now == c.scans[f.feed]
		}
		switch {
		case err != nil && !strings.Contains(err.Error(), f.path):
			t.Errorf("bit %d: %v does not name %s", bit, err, f.path)
		case err != nil:
			found++
		case same:
			harmless++
		default:
			silent++
			t.Errorf("%s: bit %d of %d changes what is read in silence", f.path, bit, 8*len(whole))
		}
	}
	return found, harmless, silent
}

func (c *campaign) root(f flipped) string {
	root, _, _ := strings.Cut(f.path, string(filepath.Separator)+"bars"+string(filepath.Separator))
	return root
}

// scan is a text of what the footer, the whole day and a part of it give.
func (c *campaign) scan(feed datasets.DataType) (string, error) {
	info, err := c.lake.Stat(datasets.Partition{Instrument: c.in, Type: feed, Day: c.day})
	if err != nil {
		return "", err
	}
	text := fmt.Sprintln(info)
	noon := c.day.Time().Add(12 * time.Hour)
	for _, r := range []datasets.Range{datasets.DayRange(c.day, c.day), {From: noon, To: noon.Add(7 * time.Hour)}} {
		rows, err := c.lake.Scan(context.Background(), feed, c.in, r)
		if err != nil {
			return "", err
		}
		for rows.Next() {
			text += cellsOf(rows.Record())
		}
		err = rows.Err()
		rows.Release()
		if err != nil {
			return "", err
		}
	}
	return text, nil
}

func cellsOf(rec arrow.Record) string {
	var b strings.Builder
	for i := range int(rec.NumCols()) {
		fmt.Fprint(&b, rec.Column(i))
	}
	return b.String()
}

// build is a text of the bars of the day.
func (c *campaign) build() (string, error) {
	s, err := bars.Build(context.Background(), c.lake, bars.Request{
		Instrument: c.in, Contract: datasets.Contract{Multiplier: 1}, First: c.day, End: c.day + 1,
		Spec:  bars.Spec{Every: time.Hour, TickWindows: []int{10}},
		Feeds: []datasets.DataType{datasets.Quotes, datasets.DerivativeTicker},
	}, bars.Options{Workers: 1})
	if err != nil {
		return "", err
	}
	defer s.Record.Release()
	return cellsOf(s.Record) + fmt.Sprint(s.Settlements), nil
}
