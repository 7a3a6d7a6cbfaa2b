package datasets

import (
	"slices"
	"strings"
	"time"
)

// MultiplierChange is a day from which on a contract had another multiplier, with the one before it.
type MultiplierChange struct {
	Day    Day
	Before float64
}

// MultiplierOn is the multiplier of a contract on a day, where changes, ascending, are those up to the one that c has.
func (c Contract) MultiplierOn(changes []MultiplierChange, d Day) float64 {
	for _, x := range changes {
		if d < x.Day {
			return x.Before
		}
	}
	return c.Multiplier
}

// On is the contract as it was on a day.
func (c Contract) On(changes []MultiplierChange, d Day) Contract {
	c.Multiplier = c.MultiplierOn(changes, d)
	return c
}

// Contract is what an amount of the symbol means by the vendor's terms, as they are now, and the days on which its multiplier
// was another. It reports false where there are no terms, and for what is neither spot, perpetual nor future. A change within a
// day counts from the next day on, since bars of one day have one multiplier.
func (v *Venue) Contract(symbol string) (c Contract, changes []MultiplierChange, ok bool) {
	lives := v.Lives(symbol)
	if len(lives) == 0 {
		return c, nil, false
	}
	l := lives[len(lives)-1]
	c = Contract{
		Spot: l.Type == "spot", Inverse: l.Inverse, Multiplier: l.Multiplier, ContinuousFunding: v.Exchange == "deribit" && l.Type == "perpetual",
		Base: strings.ToUpper(l.Base), Quote: strings.ToUpper(l.Quote), Settle: strings.ToUpper(l.Settlement()),
	}
	switch l.Type {
	case "spot":
		c.Multiplier = 1
	case "perpetual", "future":
	default:
		return Contract{}, nil, false
	}
	if !l.Terms || !(c.Multiplier > 0) {
		return Contract{}, nil, false
	}
	// From the latest life back: a relisting may have come with other terms.
	after := c.Multiplier
	add := func(d Day, before float64) {
		if before > 0 && before != after {
			changes = append(changes, MultiplierChange{d, before})
			after = before
		}
	}
	for i, l := range slices.Backward(lives) {
		if i+1 < len(lives) {
			add(lives[i+1].FirstDay(), l.Multiplier)
		}
		for _, x := range slices.Backward(l.Changes) {
			add(dayFrom(x.Until), x.Multiplier)
		}
	}
	slices.Reverse(changes)
	return c, changes, true
}

// dayFrom is the first day that begins at or after an instant.
func dayFrom(at time.Time) Day { return DayOf(at.UnixMicro()-1) + 1 }

// perpetualOf is the symbol of the venue's perpetual of coin against quote: one of coins rather than of thousands of them where it has
// both, one that goes on rather than one that ended, the latest.
func (v *Venue) perpetualOf(base, quote string) (string, bool) {
	best, symbol := -1, ""
	for _, l := range v.Listings {
		if l.Type != "perpetual" || l.AliasFor != "" || !strings.EqualFold(l.Quote, quote) || !l.Of(base) {
			continue
		}
		score := 0
		if l.To.IsZero() {
			score += 2
		}
		if strings.EqualFold(l.Base, base) {
			score++
		}
		if score >= best {
			best, symbol = score, l.Symbol
		}
	}
	return symbol, best >= 0
}
