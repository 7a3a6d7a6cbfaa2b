package tardis

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// DefaultAPIURL is the vendor's server of metadata.
const DefaultAPIURL = "https://api.tardis.dev/v1"

// Venue asks for what the vendor says of an exchange, now being the day on which it was asked: the exchange's details, which are
// free, and its instruments' terms, which want a key of certain plans. Without them Venue.Terms is false and refused says why. The
// error wraps datasets.ErrNotFound where the vendor has no such exchange. Client.BaseURL is that of the metadata, as DefaultAPIURL.
func (c *Client) Venue(ctx context.Context, exchange string, now datasets.Day) (v *datasets.Venue, refused error, err error) {
	c.once.Do(c.init)
	var details exchangeDetails
	if err := c.document(ctx, "exchanges/"+url.PathEscape(exchange), &details); err != nil {
		return nil, nil, err
	}
	var terms []instrumentInfo
	err = c.document(ctx, "instruments/"+url.PathEscape(exchange), &terms)
	if errors.Is(err, datasets.ErrKeyNeeded) || errors.Is(err, datasets.ErrKeyRefused) || errors.Is(err, datasets.ErrNotFound) {
		refused, err = err, nil
	}
	if err != nil {
		return nil, nil, err
	}
	v, err = venueOf(exchange, details, terms, refused == nil)
	if err != nil {
		return nil, nil, fmt.Errorf("metadata of %s: %w", exchange, err)
	}
	v.Asked = now
	return v, refused, nil
}

// document reads one JSON document below BaseURL.
func (c *Client) document(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, shown, err := c.get(ctx, strings.TrimRight(cmp.Or(c.BaseURL, DefaultAPIURL), "/")+"/"+path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fail := func(err error) error { return fmt.Errorf("GET %s: %w", shown, err) }
	if resp.StatusCode != http.StatusOK {
		return fail(c.refusal(resp, "the terms of instruments are part of some plans only"))
	}
	var body io.Reader = newIdleBody(ctx, cancel, resp.Body, c.idleTimeout(), cmp.Or(c.MinRate, 1000))
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		if body, err = gzip.NewReader(body); err != nil {
			return fail(err)
		}
	}
	d := json.NewDecoder(body)
	if err := d.Decode(into); err != nil {
		return fail(fmt.Errorf("not the JSON that was asked for: %w", err))
	}
	if _, err := d.Token(); err != io.EOF {
		return fail(errors.New("not the JSON that was asked for: something stands behind it"))
	}
	return nil
}

// exchangeDetails is the vendor's answer about an exchange: https://docs.tardis.dev/api/http#exchanges-exchange
type exchangeDetails struct {
	ID               string `json:"id"`
	AvailableSymbols []struct {
		ID             string `json:"id"`
		Type           string `json:"type"`
		AvailableSince isoTime
		AvailableTo    isoTime
	} `json:"availableSymbols"`
	IncidentReports []struct {
		From, To        isoTime
		Status, Details string
	} `json:"incidentReports"`
	Datasets struct {
		ExportedFrom, ExportedUntil isoTime
		Symbols                     []struct {
			ID                          string `json:"id"`
			Type                        string
			AvailableSince, AvailableTo isoTime
			DataTypes                   []string
		}
	}
}

// instrumentInfo is its answer about an instrument: https://docs.tardis.dev/api/instruments-metadata-api
type instrumentInfo struct {
	ID, DatasetID, Exchange     string
	BaseCurrency, QuoteCurrency string
	Type, ContractType          string
	AvailableSince, AvailableTo isoTime
	Listing, Expiry             isoTime
	PriceIncrement              float64
	MakerFee, TakerFee          *float64
	Inverse, Quanto             bool
	ContractMultiplier          float64
	SettlementCurrency          string
	AliasFor                    string
	Changes                     []struct {
		Until                              isoTime
		ContractMultiplier, PriceIncrement float64
	}
}

// isoTime is an instant as the vendor writes it; zero where it is missing, null or empty.
type isoTime struct{ time.Time }

// UnmarshalJSON reads RFC 3339, or a day alone.
func (t *isoTime) UnmarshalJSON(b []byte) (err error) {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if text == nil || *text == "" {
		return nil
	}
	if t.Time, err = time.Parse(time.RFC3339, *text); err != nil {
		t.Time, err = time.Parse(time.DateOnly, *text)
	}
	t.Time = t.Time.UTC()
	return err
}

// venueOf puts both answers together. A symbol's lives are those of the datasets, which say of which days there are files; each gets
// the terms of the instrument that was there in it.
func venueOf(exchange string, d exchangeDetails, terms []instrumentInfo, told bool) (*datasets.Venue, error) {
	if d.ID != "" && d.ID != exchange {
		return nil, fmt.Errorf("the answer is about %q", d.ID)
	}
	v := &datasets.Venue{Exchange: exchange, Terms: told, ExportedFrom: d.Datasets.ExportedFrom.Time, ExportedUntil: d.Datasets.ExportedUntil.Time,
		Incidents: []datasets.Incident{}, Listings: []datasets.Listing{}}
	for _, i := range d.IncidentReports {
		v.Incidents = append(v.Incidents, datasets.Incident{From: i.From.Time, To: i.To.Time, Status: i.Status, Details: i.Details})
	}
	byName := map[string][]instrumentInfo{}
	for _, i := range terms {
		name := i.DatasetID
		if name == "" {
			name = i.ID
		}
		name = datasets.NormalizeSymbol(name)
		byName[name] = append(byName[name], i)
	}
	add := func(id, kind string, from, to time.Time, feeds []string) {
		l := datasets.Listing{Symbol: datasets.NormalizeSymbol(id), Type: kind, From: from, To: to}
		if (datasets.Instrument{Exchange: exchange, Symbol: l.Symbol}).Validate() != nil {
			return // no folder could be named after it
		}
		for _, f := range feeds {
			if t, err := datasets.ParseDataType(f); err == nil {
				l.Feeds = append(l.Feeds, t)
			}
		}
		for _, i := range byName[l.Symbol] {
			if meets(i, from, to) {
				describe(&l, i)
			}
		}
		if l.ID == l.Symbol {
			l.ID = ""
		}
		if !l.Terms { // what the symbol tells
			var c datasets.Contract
			c.SetCurrencies(datasets.Instrument{Exchange: exchange, Symbol: l.Symbol})
			l.Base, l.Quote = c.Base, c.Quote
		}
		v.Listings = append(v.Listings, l)
	}
	have := map[string]bool{}
	for _, s := range d.Datasets.Symbols {
		have[datasets.NormalizeSymbol(s.ID)] = true
		add(s.ID, s.Type, s.AvailableSince.Time, s.AvailableTo.Time, s.DataTypes)
	}
	for name, list := range byName { // the order does not matter: they are sorted
		for _, i := range list {
			if !have[name] {
				add(name, i.Type, i.AvailableSince.Time, i.AvailableTo.Time, nil)
			}
		}
	}
	ids := map[string]string{}
	for _, s := range d.AvailableSymbols {
		ids[datasets.NormalizeSymbol(s.ID)] = s.ID
	}
	for k := range v.Listings {
		l := &v.Listings[k]
		if id, ok := ids[l.Symbol]; ok && l.ID == "" && id != l.Symbol {
			l.ID = id
		}
	}
	v.Sort()
	return v, nil
}

// meets reports whether an instrument was there during the life [from, to).
func meets(i instrumentInfo, from, to time.Time) bool {
	return (to.IsZero() || i.AvailableSince.Before(to)) && (i.AvailableTo.IsZero() || from.Before(i.AvailableTo.Time))
}

// describe gives a life the terms of an instrument.
func describe(l *datasets.Listing, i instrumentInfo) {
	l.ID, l.ContractType, l.Terms = i.ID, i.ContractType, true
	l.Type = cmp.Or(i.Type, l.Type)
	l.Base, l.Quote, l.Settle = strings.ToUpper(i.BaseCurrency), strings.ToUpper(i.QuoteCurrency), strings.ToUpper(i.SettlementCurrency)
	l.Listed, l.Expiry = i.Listing.Time, i.Expiry.Time
	l.Inverse, l.Quanto, l.Multiplier, l.PriceIncrement = i.Inverse, i.Quanto, i.ContractMultiplier, i.PriceIncrement
	l.MakerFee, l.TakerFee = i.MakerFee, i.TakerFee
	if i.AliasFor != "" {
		l.AliasFor = datasets.NormalizeSymbol(i.AliasFor)
	}
	l.Changes = nil
	for _, c := range i.Changes {
		l.Changes = append(l.Changes, datasets.Change{Until: c.Until.Time, Multiplier: c.ContractMultiplier, PriceIncrement: c.PriceIncrement})
	}
}
