package tardis

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// answers of the vendor's shape: a venue that spells symbols with a colon, a symbol with two lives, one that only the terms have, an
// alias, a multiplier that changed twice.
const detailsText = `{"id":"bitfinex-derivatives","name":"Bitfinex Derivatives","enabled":true,"availableSince":"2019-09-14T00:00:00.000Z",
 "availableSymbols":[{"id":"BTCF0:USTF0","type":"perpetual","availableSince":"2019-09-14T00:00:00.000Z"}],
 "incidentReports":[{"from":"2024-01-02T14:10:00.000Z","to":"2024-01-02T18:00:00.000Z","status":"wontfix","details":"no data"}],
 "channelDetails":[],
 "datasets":{"formats":["csv"],"exportedFrom":"2019-09-14T00:00:00.000Z","exportedUntil":"2024-03-02T00:00:00.000Z","stats":{"trades":1,"bookChanges":2},
 "symbols":[{"id":"PERPETUALS","type":"perpetual","availableSince":"2019-09-14T00:00:00.000Z","dataTypes":["trades"]},
  {"id":"BTCF0-USTF0","type":"perpetual","availableSince":"2019-09-14T00:00:00.000Z","dataTypes":["trades","derivative_ticker","something_new"]},
  {"id":"LUNAF0-USTF0","type":"perpetual","availableSince":"2022-06-01T00:00:00.000Z","availableTo":null,"dataTypes":["trades"]},
  {"id":"LUNAF0-USTF0","type":"perpetual","availableSince":"2021-01-01T00:00:00.000Z","availableTo":"2022-05-13T00:00:00.000Z","dataTypes":["trades"]}]}}`

const termsText = `[{"id":"BTCF0:USTF0","datasetId":"BTCF0-USTF0","exchange":"bitfinex-derivatives","baseCurrency":"BTC","quoteCurrency":"USDT","type":"perpetual",
 "contractType":"linear_perpetual","active":true,"availableSince":"2019-09-14T00:00:00.000Z","priceIncrement":0.1,"amountIncrement":1e-8,"minTradeAmount":0.0001,
 "makerFee":-0.0002,"takerFee":0.00065,"inverse":false,"contractMultiplier":0.001,"quanto":false,"settlementCurrency":"USDT",
 "changes":[{"until":"2020-01-01T00:00:00.000Z","contractMultiplier":1},{"until":"2021-01-01T12:00:00.000Z","priceIncrement":0.5,"contractMultiplier":0.1}]},
 {"id":"LUNAF0:USTF0","exchange":"bitfinex-derivatives","baseCurrency":"LUNA","quoteCurrency":"USDT","type":"perpetual","active":false,
 "availableSince":"2021-01-01T00:00:00.000Z","availableTo":"2022-05-13T00:00:00.000Z","contractMultiplier":10,"inverse":false},
 {"id":"LUNAF0:USTF0","exchange":"bitfinex-derivatives","baseCurrency":"LUNA","quoteCurrency":"USDT","type":"perpetual","active":true,
 "availableSince":"2022-06-01T00:00:00.000Z","contractMultiplier":1,"inverse":false},
 {"id":"XBTF0:USTF0","exchange":"bitfinex-derivatives","baseCurrency":"BTC","quoteCurrency":"USDT","type":"perpetual","aliasFor":"BTCF0:USTF0",
 "availableSince":"2019-09-14T00:00:00.000Z","contractMultiplier":1}]`

func serveMetadata(t *testing.T, answers map[string]string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case text == "401":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = w.Write([]byte(text))
		}
	}))
	t.Cleanup(server.Close)
	c := &Client{BaseURL: server.URL, Key: "TD.secret-secret-secret", Attempts: 1}
	t.Cleanup(c.Close)
	return c
}

func dayOf(t *testing.T, s string) datasets.Day {
	t.Helper()
	d, err := datasets.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestVenue(t *testing.T) {
	c := serveMetadata(t, map[string]string{"/exchanges/bitfinex-derivatives": detailsText, "/instruments/bitfinex-derivatives": termsText})
	v, refused, err := c.Venue(context.Background(), "bitfinex-derivatives", dayOf(t, "2024-03-02"))
	if err != nil || refused != nil {
		t.Fatal(err, refused)
	}
	var names []string
	for _, l := range v.Listings {
		names = append(names, l.Symbol)
	}
	if want := []string{"BTCF0-USTF0", "LUNAF0-USTF0", "LUNAF0-USTF0", "PERPETUALS", "XBTF0-USTF0"}; !slices.Equal(names, want) {
		t.Fatalf("listings %v, want %v", names, want)
	}
	btc := v.Listings[0]
	if btc.ID != "BTCF0:USTF0" || btc.ContractType != "linear_perpetual" || *btc.MakerFee != -0.0002 || len(btc.Feeds) != 2 || !btc.To.IsZero() {
		t.Errorf("BTC is %+v", btc)
	}
	if l := v.Listings[4]; l.AliasFor != "BTCF0-USTF0" {
		t.Errorf("alias for %q", l.AliasFor)
	}
	for _, name := range []string{"BTCF0:USTF0", "btcf0-ustf0", "btcf0/ustf0"} {
		if s, err := v.Symbol(name); s != "BTCF0-USTF0" || err != nil {
			t.Errorf("%s is %q, %v", name, s, err)
		}
	}
	if _, err := v.Symbol("BTCFO-USTFO"); err == nil || !strings.Contains(err.Error(), "did you mean BTCF0-USTF0") {
		t.Errorf("error %v names no nearest", err)
	}
	if v.Listings[1].EndDay() != dayOf(t, "2022-05-13") || v.Listings[2].FirstDay() != dayOf(t, "2022-06-01") {
		t.Errorf("lives of LUNA: %+v", v.Listings[1:3])
	}
	i := v.Incidents[0]
	if d := dayOf(t, "2024-01-02"); !i.Touches(d) || i.Touches(d+1) || i.On(d) != "14:10–18:00" {
		t.Errorf("incident %+v: %s", i, i.On(d))
	}
}

// TestContractsOverTime holds multipliers against the answers above, by hand: 1 before 2020-01-01, 0.1 up to and with 2021-01-01, at
// whose noon it changed, 0.001 since; LUNA's second life has other terms than its first.
func TestContractsOverTime(t *testing.T) {
	c := serveMetadata(t, map[string]string{"/exchanges/bitfinex-derivatives": detailsText, "/instruments/bitfinex-derivatives": termsText})
	v, _, err := c.Venue(context.Background(), "bitfinex-derivatives", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		symbol, day string
		multiplier  float64
	}{
		{"BTCF0-USTF0", "2019-12-31", 1}, {"BTCF0-USTF0", "2020-01-01", 0.1}, {"BTCF0-USTF0", "2021-01-01", 0.1}, {"BTCF0-USTF0", "2021-01-02", 0.001},
		{"LUNAF0-USTF0", "2022-05-12", 10}, {"LUNAF0-USTF0", "2022-06-01", 1},
	} {
		contract, changes, ok := v.Contract(want.symbol)
		if got := contract.MultiplierOn(changes, dayOf(t, want.day)); !ok || got != want.multiplier {
			t.Errorf("multiplier of %s on %s is %v (%v), want %v", want.symbol, want.day, got, ok, want.multiplier)
		}
	}
	if _, _, ok := v.Contract("PERPETUALS"); ok {
		t.Error("a group has a contract")
	}
}

// TestVenueRefused: terms that a key may not have leave the rest; what is no JSON, or of another exchange, is refused as a whole.
func TestVenueRefused(t *testing.T) {
	c := serveMetadata(t, map[string]string{"/exchanges/bitfinex-derivatives": detailsText, "/instruments/bitfinex-derivatives": "401"})
	v, refused, err := c.Venue(context.Background(), "bitfinex-derivatives", 0)
	if err != nil || !errors.Is(refused, datasets.ErrKeyRefused) || v.Terms || len(v.Listings) != 4 {
		t.Fatalf("%+v, %v, %v", v, refused, err)
	}
	if _, _, ok := v.Contract("BTCF0-USTF0"); ok {
		t.Error("a contract without terms")
	}
	for text, want := range map[string]string{
		"<html>":                "not the JSON",
		`{"id":"binance"}`:      `is about "binance"`,
		detailsText + "trailer": "not the JSON",
	} {
		c := serveMetadata(t, map[string]string{"/exchanges/bitfinex-derivatives": text, "/instruments/bitfinex-derivatives": termsText})
		if _, _, err := c.Venue(context.Background(), "bitfinex-derivatives", 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v of %.20q, want %q", err, text, want)
		}
	}
	if _, _, err := c.Venue(context.Background(), "nowhere", 0); !errors.Is(err, datasets.ErrNotFound) {
		t.Errorf("error %v, want not found", err)
	}
}
