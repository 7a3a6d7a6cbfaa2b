package tardistest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// Metadata is what the vendor says of a market's exchanges: which symbols there are and were, of which days, on which terms.
type Metadata struct {
	Market    *Market
	Until     datasets.Day // exported: files of days from then on are not out
	Incidents []datasets.Incident
	Contracts map[datasets.Instrument]datasets.Contract // other terms than those of the built-in table
	Changes   map[datasets.Instrument][]datasets.MultiplierChange
	Aliases   map[datasets.Instrument]string // instruments that are another symbol's second name
}

// describe answers a request for metadata, and reports false for one of something else.
func (s *Server) describe(w http.ResponseWriter, r *http.Request) bool {
	kind, exchange, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	if kind != "exchanges" && kind != "instruments" || strings.Contains(exchange, "/") {
		return false
	}
	if known, given := s.key(r); kind == "instruments" && !known {
		message := "Instruments metadata is available for pro and business subscriptions only."
		if given {
			message = "The API key is invalid."
		}
		refuse(w, http.StatusUnauthorized, 10, message)
		return true
	}
	list := s.Metadata.instruments(exchange)
	if len(list) == 0 {
		refuse(w, http.StatusNotFound, 30, "Exchange '"+exchange+"' not found.")
		return true
	}
	var answer any
	if kind == "exchanges" {
		answer = s.Metadata.details(exchange, list)
	} else {
		answer = s.Metadata.terms(list)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		refuse(w, http.StatusInternalServerError, 0, err.Error())
		return true
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // the client's business
	return true
}

func (m *Metadata) instruments(exchange string) (list []datasets.Instrument) {
	for _, in := range m.Market.Instruments {
		if in.Exchange == exchange {
			list = append(list, in)
		}
	}
	return list
}

// object is a JSON object of the vendor's.
type object map[string]any

func iso(d datasets.Day) string { return d.Time().Format("2006-01-02T15:04:05.000Z") }

// nativeID is how the venue itself spells a symbol.
func nativeID(in datasets.Instrument) string {
	switch {
	case strings.HasPrefix(in.Exchange, "binance"):
		return strings.ToLower(in.Symbol)
	case strings.HasPrefix(in.Exchange, "bitfinex"):
		return strings.ReplaceAll(in.Symbol, "-", ":")
	}
	return in.Symbol
}

// lives are those of an instrument.
func (m *Metadata) lives(in datasets.Instrument) (list []Life) {
	for _, l := range m.Market.Lives {
		if l.Instrument == in {
			list = append(list, l)
		}
	}
	if list == nil {
		list = []Life{{in, m.Market.Start, m.Market.End}}
	}
	return list
}

func (l Life) object(id string) object {
	o := object{"id": id, "type": typeNames[listingOf(l.Instrument).kind], "availableSince": iso(l.From)}
	if l.To != 0 {
		o["availableTo"] = iso(l.To)
	}
	return o
}

var typeNames = map[kind]string{perpetual: "perpetual", future: "future", spot: "spot"}

// details is the answer about an exchange.
func (m *Metadata) details(exchange string, list []datasets.Instrument) object {
	symbols, files := []object{}, []object{}
	for _, in := range list {
		var types []string
		for _, t := range datasets.DataTypes() {
			if t != datasets.OptionsChain && feeds[t].fits(listingOf(in).kind) {
				types = append(types, string(t))
			}
		}
		for _, l := range m.lives(in) {
			symbols = append(symbols, l.object(nativeID(in)))
			o := l.object(in.Symbol)
			o["dataTypes"] = types
			files = append(files, o)
		}
	}
	incidents := []object{}
	for _, i := range m.Incidents {
		incidents = append(incidents, object{"from": i.From.UTC().Format(time.RFC3339), "to": i.To.UTC().Format(time.RFC3339), "status": i.Status, "details": i.Details})
	}
	sets := object{"formats": []string{"csv"}, "exportedFrom": iso(m.Market.Start), "symbols": files}
	if m.Until != 0 {
		sets["exportedUntil"] = iso(m.Until)
	}
	return object{
		"id": exchange, "name": exchange, "enabled": true, "availableSince": iso(m.Market.Start),
		"availableSymbols": symbols, "incidentReports": incidents, "datasets": sets,
	}
}

// terms is the answer about an exchange's instruments.
func (m *Metadata) terms(list []datasets.Instrument) []object {
	out := []object{}
	for _, in := range list {
		c, ok := m.Contracts[in]
		if !ok {
			c = listingOf(in).Contract
		}
		for _, l := range m.lives(in) {
			o := l.object(nativeID(in))
			o["exchange"], o["datasetId"], o["active"] = in.Exchange, in.Symbol, l.To == 0
			o["baseCurrency"], o["quoteCurrency"] = c.Base, c.Quote
			o["priceIncrement"], o["amountIncrement"], o["minTradeAmount"] = 0.1, 0.001, 0.001
			o["makerFee"], o["takerFee"], o["listing"] = 0.0002, 0.0004, iso(l.From)
			if !c.Spot {
				o["inverse"], o["contractMultiplier"], o["quanto"], o["settlementCurrency"] = c.Inverse, c.Multiplier, false, c.Settle
				o["contractType"] = map[bool]string{false: "linear_", true: "inverse_"}[c.Inverse] + typeNames[listingOf(in).kind]
			}
			if alias, ok := m.Aliases[in]; ok {
				o["aliasFor"] = alias
			}
			changes := []object{}
			for _, x := range m.Changes[in] {
				changes = append(changes, object{"until": iso(x.Day), "contractMultiplier": x.Before})
			}
			if len(changes) > 0 {
				o["changes"] = changes
			}
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b object) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
	return out
}
