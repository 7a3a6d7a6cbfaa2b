package datasets

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Look is what is odd in the prices of a day-file. It is found while the file is written and recorded in its footer, so
// that whoever uses the day learns of it for nothing.
type Look struct {
	BadPrice Sighting `json:"bad_price,omitzero"`    // zero or negative
	Crossed  Sighting `json:"crossed_book,omitzero"` // the best bid above the best ask
	Locked   Sighting `json:"locked_book,omitzero"`  // at it
	Lone     Sighting `json:"lone_print,omitzero"`   // trades far from those around them; see priceLook
	Jump     Sighting `json:"price_jump,omitzero"`   // trades from which on the price is another one

	// Of the positive prices of trades, in the file's order: the first, the last, the lowest and the highest. 0 where
	// there are none.
	Open  float64 `json:"open,omitempty"`
	Close float64 `json:"close,omitempty"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`

	Known bool `json:"-"` // false: nobody has looked
}

// Sighting counts the rows that something was seen in. First is the first of them, from 1.
type Sighting struct {
	Count int64 `json:"count"`
	First int64 `json:"first"`
}

// see counts row, from 0.
func (s *Sighting) see(row, rows int64) {
	if s.Count += rows; s.Count == rows {
		s.First = row + 1
	}
}

// flat reports whether all trades had one price.
func (l Look) flat() bool { return l.Low > 0 && l.Low == l.High }

// looker makes a Look of a day-file's records, in memory that does not grow with them.
type looker struct {
	Look
	prices   []int // columns
	bid, ask int   // columns, −1 where the feed has none
	trades   bool
	rows     int64
	price    priceLook
}

func newLooker(t DataType) *looker {
	l := &looker{bid: -1, ask: -1, trades: t == Trades}
	for i, c := range t.Columns() {
		if c.Name == "price" || strings.HasSuffix(c.Name, "_price") && c.Name != "strike_price" || strings.HasSuffix(c.Name, ".price") {
			l.prices = append(l.prices, i)
		}
		switch c.Name {
		case "bid_price", "bids[0].price":
			l.bid = i
		case "ask_price", "asks[0].price":
			l.ask = i
		}
	}
	return l
}

func (l *looker) reset() {
	l.Look, l.rows, l.price = Look{}, 0, priceLook{}
}

// columns are the places of the columns that it looks at, in the feed's order.
func (l *looker) columns() []int { return l.prices }

// add takes a record with the feed's full schema.
func (l *looker) add(rec arrow.Record) {
	for _, c := range l.prices {
		a := rec.Column(c).(*array.Float64)
		for i, v := range a.Float64Values() {
			if v <= 0 && a.IsValid(i) {
				l.BadPrice.see(l.rows+int64(i), 1)
			}
		}
	}
	if l.bid >= 0 {
		l.spread(rec.Column(l.bid).(*array.Float64), rec.Column(l.ask).(*array.Float64))
	}
	if l.trades {
		l.price.add(&l.Look, rec.Column(l.prices[0]).(*array.Float64).Float64Values(), l.rows)
	}
	l.rows += rec.NumRows()
}

func (l *looker) spread(bid, ask *array.Float64) {
	asks := ask.Float64Values()
	for i, b := range bid.Float64Values() {
		if b < asks[i] || bid.IsNull(i) || ask.IsNull(i) {
			continue
		}
		if b > asks[i] {
			l.Crossed.see(l.rows+int64(i), 1)
		} else {
			l.Locked.see(l.rows+int64(i), 1)
		}
	}
}

// What counts as far, near and elsewhere, as ratios of prices, and how many trades may be far before the price is
// taken to have moved.
const (
	far       = 1.2
	near      = 1.05
	elsewhere = 2
	fewTrades = 5
)

// priceLook follows the prices of trades. Up to five of them that are 20 % or more from the one before them are
// lone prints where the price then is within 5 % of what it was, and else a jump where it is at twice or half of it. A
// market that falls by less between two trades, or by more over six, is no oddity.
type priceLook struct {
	last, low, high float64 // the price, and from where on another one is far from it
	away, first     int64   // trades that are far from it, and the row of the first
}

func (p *priceLook) add(l *Look, prices []float64, row int64) {
	for i, v := range prices {
		if !(v > 0) {
			continue
		}
		if p.last == 0 {
			l.Open, l.Low, l.High = v, v, v
			p.move(v)
		}
		l.Low, l.High = min(l.Low, v), max(l.High, v)
		l.Close = v
		if p.away == 0 && v > p.low && v < p.high {
			p.move(v)
			continue
		}
		p.step(l, v, row+int64(i))
	}
}

func (p *priceLook) move(v float64) { p.last, p.low, p.high, p.away = v, v/far, v*far, 0 }

// step takes a price that is far, or one after it.
func (p *priceLook) step(l *Look, v float64, row int64) {
	ratio := math.Max(v/p.last, p.last/v)
	switch {
	case p.away > 0 && ratio < near:
		l.Lone.see(p.first, p.away)
		p.move(v)
	case p.away < fewTrades:
		if p.away++; p.away == 1 {
			p.first = row
		}
	default:
		if ratio >= elsewhere {
			l.Jump.see(p.first, 1)
		}
		p.move(v)
	}
}

// end gives what was seen in all: a price that was elsewhere up to the end has jumped.
func (l *looker) end() Look {
	l.Known = l.rows > 0
	if p := &l.price; p.away > 0 && math.Max(l.Close/p.last, p.last/l.Close) >= elsewhere {
		l.Jump.see(p.first, 1)
		p.away = 0
	}
	return l.Look
}

// footerLook is the key of a Look in a footer's metadata, as JSON.
const footerLook = "qf.look"

func (l Look) encode() string {
	b, err := json.Marshal(l)
	if err != nil || !l.Known { // a price that is not finite, or no rows
		return ""
	}
	return string(b)
}

// decodeLook reads what encode writes.
func decodeLook(s string) (l Look) {
	if s == "" || json.Unmarshal([]byte(s), &l) != nil {
		return Look{}
	}
	l.Known = true
	return l
}
