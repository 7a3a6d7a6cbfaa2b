package datasets

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// metadataDir holds what the vendor says of exchanges: metadata/exchange={E}/date={YYYY-MM-DD}/venue.json. The files of earlier days
// stay: they say what was known then.
const (
	metadataDir = "metadata"
	venueFile   = "venue.json"
)

func (l *Lake) venuePath(exchange string, d Day) string {
	return filepath.Join(l.root, metadataDir, exchangePart+escape(exchange), datePart+d.String(), venueFile)
}

// KeepVenue writes what the vendor said of an exchange, under the day on which it was asked.
func (l *Lake) KeepVenue(ctx context.Context, v *Venue) error {
	if err := validName("exchange", v.Exchange); err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	c, err := claimFile(ctx, l.root, l.venuePath(v.Exchange, v.Asked))
	if err != nil {
		return err
	}
	defer c.drop()
	out := l.buffer(c)
	out.Write(append(text, '\n'))
	if err := out.Flush(); err != nil {
		return err
	}
	return c.publish()
}

// Venues lists the exchanges of which the lake has metadata, sorted.
func (l *Lake) Venues() ([]string, error) {
	folders, err := l.folders(metadataDir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range folders {
		if e, ok := hiveValue(f, exchangePart); ok && validName("exchange", e) == nil {
			out = append(out, e)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Venue is the latest that the lake has of an exchange; nil where it has nothing.
func (l *Lake) Venue(exchange string) (*Venue, error) {
	if validName("exchange", exchange) != nil {
		return nil, nil
	}
	dir := filepath.Join(metadataDir, exchangePart+escape(exchange))
	dates, err := l.folders(dir)
	if err != nil {
		return nil, err
	}
	slices.Sort(dates)
	for _, date := range slices.Backward(dates) {
		text, ok := hiveValue(date, datePart)
		d, err := ParseDay(text)
		if !ok || err != nil {
			continue
		}
		path := l.venuePath(exchange, d)
		text2, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		v := &Venue{}
		if err == nil {
			err = json.Unmarshal(text2, v)
		}
		if err == nil && v.Exchange != exchange {
			err = fmt.Errorf("it is of %q", v.Exchange)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; qf instruments --exchange %s --refresh asks again", path, err, exchange)
		}
		v.Sort()
		return v, nil
	}
	return nil, nil
}

// Catalog answers what is known of instruments: by the vendor's metadata, where the lake has some, else by the built-in tables. It
// reads the file of an exchange when it is first asked about it. The nil Catalog knows the built-in tables alone. It is not safe for concurrent use.
type Catalog struct {
	lake   *Lake
	venues map[string]*Venue
	err    error // the first failed reading
}

// Catalog is what the lake knows of instruments.
func (l *Lake) Catalog() *Catalog { return &Catalog{lake: l, venues: map[string]*Venue{}} }

// Err is the first error of reading metadata; what could not be read counts as not there.
func (c *Catalog) Err() error {
	if c == nil {
		return nil
	}
	return c.err
}

// Venue is what is known of an exchange; nil where the lake has nothing of it.
func (c *Catalog) Venue(exchange string) *Venue {
	if c == nil {
		return nil
	}
	v, ok := c.venues[exchange]
	if !ok {
		var err error
		if v, err = c.lake.Venue(exchange); err != nil && c.err == nil {
			c.err = err
		}
		c.venues[exchange] = v
	}
	return v
}

// Held lists the instruments of an exchange of which the lake has days of a feed, by symbol.
func (c *Catalog) Held(t DataType, exchange string) ([]Instrument, error) {
	if c == nil {
		return nil, nil
	}
	return c.lake.Instruments(t, exchange)
}

// Contract is what an amount of the instrument means: by the vendor's terms, else by the built-in table. differs says what the
// two say of it where that is not the same. ok is false where neither speaks.
func (c *Catalog) Contract(in Instrument) (contract Contract, changes []MultiplierChange, differs error, ok bool) {
	table, known := ContractOf(in)
	v := c.Venue(in.Exchange)
	if v == nil || Untradable(in) != nil {
		return table, nil, nil, known
	}
	told, changes, ok := v.Contract(in.Symbol)
	if !ok {
		return table, nil, nil, known
	}
	told.SetCurrencies(in)
	if known && told != table {
		differs = fmt.Errorf("%v: the vendor's metadata of %s says %s, the built-in table %s: the metadata counts", in, v.Asked, told.describe(table), table.describe(told))
	}
	return told, changes, differs, true
}

// describe names the terms in which a contract differs from another.
func (c Contract) describe(o Contract) string {
	var out []string
	say := func(name string, a, b any) {
		if a != b {
			out = append(out, fmt.Sprintf("%s %v", name, a))
		}
	}
	say("spot", c.Spot, o.Spot)
	say("inverse", c.Inverse, o.Inverse)
	say("multiplier", c.Multiplier, o.Multiplier)
	say("continuous_funding", c.ContinuousFunding, o.ContinuousFunding)
	say("base", c.Base, o.Base)
	say("quote", c.Quote, o.Quote)
	say("settle", c.Settle, o.Settle)
	return strings.Join(out, ", ")
}

// Instrument is the instrument that a name means, in the spelling of the datasets or in the venue's own. Where there is no metadata, every
// symbol is taken as it is.
func (c *Catalog) Instrument(name string) (Instrument, error) {
	in, err := ParseInstrument(name)
	if err != nil {
		return in, err
	}
	v := c.Venue(in.Exchange)
	if v == nil || in.Grouped() {
		return in, nil
	}
	_, symbol, _ := strings.Cut(name, ":")
	in.Symbol, err = v.Symbol(symbol)
	return in, err
}
