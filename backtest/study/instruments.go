package study

import (
	"fmt"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
)

// Instruments is the list of a study, shorthand resolved.
type Instruments []InstrumentConfig

// References are written as instruments are.
type References []InstrumentConfig

// InstrumentConfig is one instrument and what its amounts mean: from the vendor's metadata, from the built-in table, or as the
// study says.
type InstrumentConfig struct {
	datasets.Instrument
	Contract datasets.Contract
	Changes  []datasets.MultiplierChange // days from which on its multiplier was another, up to the one it has
	Group    string                      // for operators of formulas that work within groups; empty where it has none

	written *written // until it is resolved
	path    string   // in the study
}

// written is an instrument as it stands in the study.
type written struct {
	name string          // exchange:SYMBOL or a shorthand
	form *instrumentForm // of a mapping; nil for a name alone
	keys []string        // that the mapping gives
}

// instrumentForm is the long form of an instrument.
type instrumentForm struct {
	Exchange   string             `yaml:"exchange"`
	Symbol     string             `yaml:"symbol"`
	Spot       bool               `yaml:"spot"`
	Inverse    bool               `yaml:"inverse"`
	Multiplier float64            `yaml:"multiplier" range:"[1e-12,1e12]"`
	Before     []multiplierBefore `yaml:"multiplier_before" doc:"what the multiplier was before a day, ascending"`
	Continuous bool               `yaml:"continuous_funding"`
	Base       string             `yaml:"base" doc:"currency of the amount, where the symbol does not tell"`
	Quote      string             `yaml:"quote" doc:"currency of the price"`
	Settle     string             `yaml:"settle" doc:"currency of the PnL: base of an inverse contract, else quote"`
	Group      string             `yaml:"group" doc:"label for formulas that work within groups, such as group_rank"`
}

// multiplierBefore is a change of a multiplier.
type multiplierBefore struct {
	Day        datasets.Day `yaml:"day"`
	Multiplier float64      `yaml:"multiplier" range:"[1e-12,1e12]"`
}

// Path is the instrument's place in the study.
func (in InstrumentConfig) Path() string { return in.path }

// DecodeNode reads a list of exchange:SYMBOL, BASE-QUOTE-PERPETUAL@exchange,… or mappings with
// exchange, symbol and what an amount means. What they name is looked up later: see resolve.
func (list *Instruments) DecodeNode(c *yamlconf.Cursor) {
	if list.decode(c) && len(c.Items) == 0 {
		c.Errorf("empty: want a list such as [binance-futures:BTCUSDT]")
	}
}

// DecodeNode reads what Instruments does; there need be none.
func (list *References) DecodeNode(c *yamlconf.Cursor) { (*Instruments)(list).decode(c) }

func (list *Instruments) decode(c *yamlconf.Cursor) bool {
	if !c.Want(yamlconf.List) {
		return false
	}
	*list = nil
	for i, item := range c.Items {
		at := c.Item(i)
		switch {
		case item.Kind == yamlconf.Map:
			*list = append(*list, InstrumentConfig{written: decodeInstrument(at)})
		case at.Want(yamlconf.Scalar):
			*list = append(*list, InstrumentConfig{written: &written{name: item.Text}})
		}
	}
	return true
}

// names are the instruments alone.
func (list Instruments) names() []datasets.Instrument {
	names := make([]datasets.Instrument, len(list))
	for i, in := range list {
		names[i] = in.Instrument
	}
	return names
}

func decodeInstrument(c *yamlconf.Cursor) *written {
	w := &written{form: &instrumentForm{}}
	for _, k := range c.Keys {
		w.keys = append(w.keys, k.Name)
	}
	// "binance: BTCUSDT" with a space, which within braces some YAML parsers see without one too
	if len(w.keys) == 1 && w.keys[0] != "exchange" && w.keys[0] != "symbol" {
		return &written{name: w.keys[0] + ":" + c.Items[0].Text}
	}
	c.Decode(w.form)
	w.name = w.form.Exchange + ":" + w.form.Symbol
	return w
}

// resolve looks up what the study names, and keeps what there is to say of it.
func (s *Study) resolve(p *yamlconf.Positions, known *datasets.Catalog) {
	s.Data.Instruments = s.resolved(p, "data.instruments", s.Data.Instruments, known)
	s.Data.References = References(s.resolved(p, "data.references", Instruments(s.Data.References), known))
	if err := known.Err(); err != nil {
		p.Errorf("data", "%v", err)
	}
}

func (s *Study) resolved(p *yamlconf.Positions, where string, of Instruments, known *datasets.Catalog) (list Instruments) {
	for i, in := range of {
		path := fmt.Sprintf("%s[%d]", where, i)
		if in.written == nil {
			list = append(list, in)
			continue
		}
		var names []datasets.Instrument
		var err error
		if in.written.form != nil {
			names = make([]datasets.Instrument, 1)
			names[0], err = known.Instrument(in.written.name)
		} else {
			names, err = known.Resolve(in.written.name)
		}
		if err != nil {
			p.Errorf(path, "%v", err)
			continue
		}
		for _, name := range names {
			list = append(list, s.described(p, path, name, in.written, known))
		}
	}
	return list
}

// described gives an instrument its contract: what the study says of it, and of the rest what is known.
func (s *Study) described(p *yamlconf.Positions, path string, in datasets.Instrument, w *written, known *datasets.Catalog) InstrumentConfig {
	c, changes, differs, _ := known.Contract(in)
	out := InstrumentConfig{Instrument: in, Contract: c, Changes: changes, path: path}
	if f := w.form; f != nil {
		out.Group = f.Group
		told := func(key string) bool { return slices.Contains(w.keys, key) }
		if told("spot") || told("inverse") || told("multiplier") { // then the currencies are what these make of them
			out.Contract.Base, out.Contract.Quote, out.Contract.Settle = "", "", ""
		}
		if told("spot") {
			out.Contract.Spot = f.Spot
		}
		if told("inverse") {
			out.Contract.Inverse = f.Inverse
		}
		if told("multiplier") {
			out.Contract.Multiplier, out.Changes, differs = f.Multiplier, nil, nil
		}
		if told("multiplier_before") {
			out.Changes = nil
			for k, b := range f.Before {
				if k > 0 && b.Day <= f.Before[k-1].Day {
					p.Errorf(path+".multiplier_before", "%s does not come after %s", b.Day, f.Before[k-1].Day)
				}
				out.Changes = append(out.Changes, datasets.MultiplierChange{Day: b.Day, Before: b.Multiplier})
			}
		}
		if told("continuous_funding") {
			out.Contract.ContinuousFunding = f.Continuous
		}
		for _, currency := range []struct {
			said string
			into *string
		}{{f.Base, &out.Contract.Base}, {f.Quote, &out.Contract.Quote}, {f.Settle, &out.Contract.Settle}} {
			if currency.said != "" {
				*currency.into = strings.ToUpper(currency.said)
			}
		}
	}
	if differs != nil {
		s.told = append(s.told, differs)
	}
	out.Contract.SetCurrencies(in)
	if err := out.Contract.Validate(); err != nil && out.Contract.Multiplier > 0 {
		p.Errorf(path, "%v: %v", in, err)
	}
	return out
}

// Warnings are what has to be said of the study's instruments: where the vendor's metadata and the built-in table differ.
func (s *Study) Warnings() []error { return s.told }

// EncodeNode writes the long form, without the currencies that the symbol tells, and without a group or changes that are not given.
func (in InstrumentConfig) EncodeNode() *yamlconf.Node {
	c := in.Contract
	f := instrumentForm{in.Exchange, in.Symbol, c.Spot, c.Inverse, c.Multiplier, nil, c.ContinuousFunding, c.Base, c.Quote, c.Settle, in.Group}
	for _, x := range in.Changes {
		f.Before = append(f.Before, multiplierBefore{x.Day, x.Before})
	}
	n := yamlconf.Encode(f)
	told := datasets.Contract{Inverse: c.Inverse}
	told.SetCurrencies(in.Instrument)
	if c.Base == told.Base && c.Quote == told.Quote && c.Settle == told.Settle {
		n = n.Without("base").Without("quote").Without("settle")
	}
	if in.Group == "" {
		n = n.Without("group")
	}
	if len(in.Changes) == 0 {
		n = n.Without("multiplier_before")
	}
	return n
}

// JSONSchema describes both forms of an instrument.
func (list Instruments) JSONSchema() map[string]any {
	schema := References(list).JSONSchema()
	schema["minItems"] = 1
	return schema
}

// JSONSchema describes both forms of an instrument.
func (list References) JSONSchema() map[string]any {
	return map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{
		map[string]any{"type": "string", "description": "exchange:SYMBOL or BASE-QUOTE-PERPETUAL@exchange,…"},
		yamlconf.Object(instrumentForm{}),
	}}}
}
