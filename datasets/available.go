package datasets

import "slices"

// Absence is why the vendor has no file of a day.
type Absence uint8

// Reasons.
const (
	Available   Absence = iota // there may be one
	NotListed                  // the symbol was not listed yet, or not any more, or not again
	NotExported                // the day is not out yet
	NoFeed                     // the symbol has no such feed
)

// String says so in words.
func (a Absence) String() string {
	return [...]string{"available", "not listed", "not exported yet", "no such feed"}[a]
}

// Absence is why the vendor has no file of a day, as far as metadata asked for on the day before today or later tells; days of which it
// cannot know, and symbols that it does not have, are available.
func (c *Catalog) Absence(p Partition, today Day) Absence {
	v := c.Venue(p.Exchange)
	if v == nil {
		return Available
	}
	if !v.ExportedUntil.IsZero() && today <= v.Asked && p.Day >= DayOf(v.ExportedUntil.UnixMicro()) {
		return NotExported
	}
	lives := v.Lives(p.Symbol)
	if len(lives) == 0 || p.Day >= v.Asked {
		return Available
	}
	listed := slices.ContainsFunc(lives, func(l Listing) bool { return l.ActiveOn(p.Day) })
	switch {
	case !listed:
		return NotListed
	case !slices.ContainsFunc(lives, func(l Listing) bool { return l.ActiveOn(p.Day) && l.Has(p.Type) }):
		return NoFeed
	}
	return Available
}

// Split separates the files that there may be from those that the vendor is known not to have, whose entries say why.
func (c *Catalog) Split(want []Partition, today Day) (ask []Partition, absent []FetchEntry) {
	for _, p := range want {
		switch c.Absence(p, today) {
		case Available:
			ask = append(ask, p)
		case NotListed:
			absent = append(absent, FetchEntry{Partition: p, Status: Unlisted})
		case NotExported:
			absent = append(absent, FetchEntry{Partition: p, Status: Unexported})
		case NoFeed:
			absent = append(absent, FetchEntry{Partition: p, Status: Unfed})
		}
	}
	return ask, absent
}

// Incidents lists those that touched a day of an exchange.
func (c *Catalog) Incidents(exchange string, d Day) (list []Incident) {
	if v := c.Venue(exchange); v != nil {
		for _, i := range v.Incidents {
			if i.Touches(d) {
				list = append(list, i)
			}
		}
	}
	return list
}
