package datasets

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Listing is one life of an instrument as the vendor describes it: what it is, and when there are files of it. A symbol that was
// delisted and listed again has several. Fields that the vendor does not give are zero.
type Listing struct {
	Symbol       string `json:"symbol"`       // in the spelling of the datasets, as everywhere in qf
	ID           string `json:"id,omitempty"` // the venue's own spelling
	Type         string `json:"type"`         // spot, perpetual, future, option, combo
	ContractType string `json:"contract_type,omitempty"`
	Base         string `json:"base,omitempty"`
	Quote        string `json:"quote,omitempty"`
	Settle       string `json:"settle,omitempty"` // "": base of an inverse contract, else quote
	AliasFor     string `json:"alias_for,omitempty"`

	From   time.Time `json:"available_since"`
	To     time.Time `json:"available_to,omitzero"` // exclusive; zero: it goes on
	Listed time.Time `json:"listed,omitzero"`
	Expiry time.Time `json:"expiry,omitzero"`

	Terms          bool     `json:"terms"` // the vendor told what follows
	Inverse        bool     `json:"inverse,omitempty"`
	Quanto         bool     `json:"quanto,omitempty"`
	Multiplier     float64  `json:"contract_multiplier,omitempty"` // now
	PriceIncrement float64  `json:"price_increment,omitempty"`
	MakerFee       *float64 `json:"maker_fee,omitempty"` // shares of notional; the vendor calls them illustrative
	TakerFee       *float64 `json:"taker_fee,omitempty"`
	Changes        []Change `json:"changes,omitempty"` // ascending

	Feeds []DataType `json:"feeds,omitempty"` // of which there are daily files; empty: not told
}

// Change is what some terms were before an instant; 0: as after it.
type Change struct {
	Until          time.Time `json:"until"`
	Multiplier     float64   `json:"contract_multiplier,omitempty"`
	PriceIncrement float64   `json:"price_increment,omitempty"`
}

// FirstDay and EndDay are the days [FirstDay, EndDay) that the life touches; EndDay is after every day where it goes on.
func (l Listing) FirstDay() Day { return DayOf(l.From.UnixMicro()) }

// EndDay is the day after the last that the life touches.
func (l Listing) EndDay() Day {
	if l.To.IsZero() {
		return lastDay + 1
	}
	return DayOf(l.To.UnixMicro()-1) + 1
}

// ActiveOn reports whether the life touches the day.
func (l Listing) ActiveOn(d Day) bool { return l.FirstDay() <= d && d < l.EndDay() }

// Has reports whether there may be files of the feed.
func (l Listing) Has(t DataType) bool { return len(l.Feeds) == 0 || slices.Contains(l.Feeds, t) }

// Of reports whether the base is a coin, or so many of it.
func (l Listing) Of(coin string) bool {
	return unscaled(strings.ToUpper(l.Base)) == unscaled(strings.ToUpper(coin))
}

// Settlement is the currency of the PnL.
func (l Listing) Settlement() string {
	if l.Inverse {
		return cmp.Or(l.Settle, l.Base)
	}
	return cmp.Or(l.Settle, l.Quote)
}

// compare orders listings by symbol, then life.
func (l Listing) compare(o Listing) int {
	return cmp.Or(strings.Compare(l.Symbol, o.Symbol), l.From.Compare(o.From))
}

// Incident is a stretch over which the vendor says that its recording was hurt.
type Incident struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Status  string    `json:"status"` // resolved, wontfix, unresolved
	Details string    `json:"details"`
}

// Touches reports whether the incident was going on within the day.
func (i Incident) Touches(d Day) bool {
	return i.From.UnixMicro() < (d+1).Start() && i.To.UnixMicro() > d.Start()
}

// On is the incident's time within a day, as in "14:10–18:00".
func (i Incident) On(d Day) string {
	from, to := "00:00", "24:00"
	if i.From.UnixMicro() > d.Start() {
		from = i.From.UTC().Format("15:04")
	}
	if i.To.UnixMicro() < (d + 1).Start() {
		to = i.To.UTC().Format("15:04")
	}
	return from + "–" + to
}

// Venue is what the vendor says of one exchange.
type Venue struct {
	Exchange      string     `json:"exchange"`
	Asked         Day        `json:"asked"` // the day on which it said so
	Terms         bool       `json:"terms"` // instruments' terms were told: they need a key that may ask for them
	ExportedFrom  time.Time  `json:"exported_from,omitzero"`
	ExportedUntil time.Time  `json:"exported_until,omitzero"` // exclusive: days from then on are not out yet
	Incidents     []Incident `json:"incidents"`
	Listings      []Listing  `json:"listings"` // by symbol, then life
}

// Sort puts listings and incidents in their order.
func (v *Venue) Sort() {
	slices.SortStableFunc(v.Listings, Listing.compare)
	slices.SortStableFunc(v.Incidents, func(a, b Incident) int { return a.From.Compare(b.From) })
}

// Lives lists those of a symbol, in order; none where the vendor has no such symbol.
func (v *Venue) Lives(symbol string) []Listing {
	at, ok := slices.BinarySearchFunc(v.Listings, symbol, func(l Listing, s string) int { return strings.Compare(l.Symbol, s) })
	if !ok {
		return nil
	}
	end := at
	for end < len(v.Listings) && v.Listings[end].Symbol == symbol {
		end++
	}
	return v.Listings[at:end]
}

// Pick lists the instruments of a type and a quote currency ("": any) of which there are files of some day of [first, end), by symbol:
// no groups, no second names.
func (v *Venue) Pick(kind, quote string, first, end Day) (list []Instrument) {
	for _, l := range v.Listings {
		in := Instrument{v.Exchange, l.Symbol}
		if l.Type != kind || quote != "" && !strings.EqualFold(l.Quote, quote) || l.FirstDay() >= end || l.EndDay() <= first || in.Grouped() || l.AliasFor != "" {
			continue
		}
		if n := len(list); n == 0 || list[n-1] != in {
			list = append(list, in)
		}
	}
	return list
}

// Symbol is the symbol that a name means, in the spelling of the datasets or in the venue's own. The error names the nearest.
func (v *Venue) Symbol(name string) (string, error) {
	symbol := NormalizeSymbol(name)
	if v.Lives(symbol) != nil {
		return symbol, nil
	}
	for _, l := range v.Listings {
		if strings.EqualFold(l.ID, name) {
			return l.Symbol, nil
		}
	}
	return "", &UnknownSymbolError{Instrument{v.Exchange, symbol}, v.nearest(symbol)}
}

// nearest are up to three symbols that are spelled most like one.
func (v *Venue) nearest(symbol string) []string {
	const shown = 3
	var names []string
	for _, l := range v.Listings {
		if len(names) == 0 || names[len(names)-1] != l.Symbol {
			names = append(names, l.Symbol)
		}
	}
	near := map[string]int{}
	for _, n := range names {
		near[n] = distance(symbol, n)
	}
	slices.SortStableFunc(names, func(a, b string) int { return near[a] - near[b] })
	names = names[:min(len(names), shown)]
	return slices.DeleteFunc(names, func(n string) bool { return near[n] > len(symbol)/2+1 })
}

// UnknownSymbolError says that the vendor's list of an exchange lacks a symbol.
type UnknownSymbolError struct {
	Instrument
	Nearest []string
}

func (e *UnknownSymbolError) Error() string {
	if len(e.Nearest) == 0 {
		return e.Exchange + " has no " + e.Instrument.Symbol + ": qf instruments --exchange " + e.Exchange + " lists what it has"
	}
	return e.Exchange + " has no " + e.Instrument.Symbol + ", did you mean " + strings.Join(e.Nearest, ", ") + "?"
}
