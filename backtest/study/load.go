package study

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// LoadStudy reads a configuration file, applies overrides of the form path=value, fills in the
// defaults and checks everything. The error joins every problem, each with file, line and column.
func Load(path string, overrides []string) (*Study, error) { return LoadIn(path, overrides, nil) }

// LoadIn is Load with what a lake knows of instruments: open opens that of the study, given its data.lake. A nil open leaves what the
// built-in tables know.
func LoadIn(path string, overrides []string, open func(lake string) (*datasets.Lake, error)) (*Study, error) {
	src, err := yamlconf.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, src, overrides, open)
}

// ParseStudy is LoadStudy of a text; name stands in its errors.
func Parse(name string, src []byte, overrides []string) (*Study, error) {
	return parse(name, src, overrides, nil)
}

// ParseKnown is Parse with what a lake knows of instruments. Many studies of one text may share the catalog.
func ParseKnown(name string, src []byte, overrides []string, known *datasets.Catalog) (*Study, error) {
	return parseIn(name, src, overrides, func(string) (*datasets.Catalog, error) { return known, nil })
}

func parse(name string, src []byte, overrides []string, open func(lake string) (*datasets.Lake, error)) (*Study, error) {
	return parseIn(name, src, overrides, func(lake string) (*datasets.Catalog, error) {
		if open == nil {
			return nil, nil
		}
		l, err := open(lake)
		if err != nil {
			return nil, err
		}
		return l.Catalog(), nil
	})
}

func parseIn(name string, src []byte, overrides []string, catalog func(lake string) (*datasets.Catalog, error)) (*Study, error) {
	doc, err := yamlconf.Parse(name, src)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, o := range overrides {
		if err := errors.Join(spellOut(doc, o), doc.Set(o)); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s := Default()
	p, _ := yamlconf.Decode(name, doc, s) // its errors are p's too
	s.origin = &origin{name, src, p}
	known, err := catalog(s.Data.Lake)
	if err != nil {
		return nil, err
	}
	s.resolve(p, known)
	s.fillUniverse(p, known)
	s.check(p, name)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// spellOut writes a list of the defaults into a document that leaves it out, where an override is of one of its items.
func spellOut(doc *yamlconf.Node, override string) error {
	path, _, _ := strings.Cut(override, "=")
	path, _, ok := strings.Cut(path, "[")
	if !ok {
		return nil
	}
	list, there := yamlconf.Encode(Default()), doc
	for _, step := range strings.Split(path, ".") {
		if list = list.Get(step); list == nil {
			return nil
		}
		if there != nil {
			there = there.Get(step)
		}
	}
	if there != nil {
		return nil
	}
	text, err := list.MarshalJSON()
	if err != nil {
		return err
	}
	return doc.Set(path + "=" + string(text))
}

// Document is the resolved study as a tree, as manifest.json and the report show it.
func (s *Study) Document() *yamlconf.Node {
	doc := yamlconf.Encode(s).Without("sweep") // how it was found is no part of a study
	if len(s.Define) == 0 {                    // a study without any is what it was before there were some
		doc = doc.Without("define")
	}
	for i, k := range doc.Keys {
		if k.Name == "data" && len(s.Data.References) == 0 {
			doc.Items[i] = doc.Items[i].Without("references")
		}
		if k.Name == "data" && len(s.Data.Series) == 0 {
			doc.Items[i] = doc.Items[i].Without("series")
		}
		if k.Name == "data" && s.Data.Universe == nil {
			doc.Items[i] = doc.Items[i].Without("universe")
		}
	}
	return doc
}

// check reports what no single value shows; file is where the study stands.
func (s *Study) check(p *yamlconf.Positions, file string) {
	s.checkData(p)
	s.checkBars(p)
	if g := s.Grid(); g != nil {
		s.checkFactors(p, g)
		s.checkSignals(p, g)
		s.checkLLM(p, g, file)
		s.checkEvaluation(p, g)
		s.checkWindows(p, g)
	}
	s.checkSweep(p)
	if s.Execution.Impact.Model == "none" && s.Execution.Impact.K != 0 {
		p.Errorf("execution.impact", "k without a model: want {model: square_root, k: 1}")
	}
	if s.Execution.SpotShort != nil && !p.Has("execution.spot_short.borrow_bps") {
		p.Errorf("execution.spot_short", "borrow_bps is missing: want what borrowing costs a year, such as {borrow_bps: 500}")
	}
	if strings.TrimSpace(s.Name) == "" {
		p.Errorf("name", "empty: it names the run's folder")
	}
}

func (s *Study) checkData(p *yamlconf.Positions) {
	s.checkUniverse(p)
	if len(s.Data.Instruments) == 0 && !p.Has("data.instruments") && s.Data.Universe == nil {
		p.Errorf("data.instruments", "missing: want a list such as [binance-futures:BTCUSDT]")
	}
	seen, known := map[datasets.Instrument]bool{}, true
	for i, in := range s.Data.Instruments {
		path := fmt.Sprintf("data.instruments[%d]", i)
		if seen[in.Instrument] {
			p.Errorf(path, "%v stands here twice", in.Instrument)
		}
		seen[in.Instrument] = true
		known = known && in.Contract.Multiplier > 0
		if err := datasets.Untradable(in.Instrument); err != nil {
			p.Errorf(path, "%v", err)
		} else if in.Contract.Multiplier <= 0 {
			p.Errorf(path, "%s", meaning(in.Instrument))
		}
	}
	for _, in := range s.Data.References {
		path := in.path
		if slices.ContainsFunc(s.Data.Instruments, func(traded InstrumentConfig) bool { return traded.Instrument == in.Instrument }) {
			p.Errorf(path, "%v is traded, and formulas may look at that without a reference", in.Instrument)
		} else if seen[in.Instrument] {
			p.Errorf(path, "%v stands here twice", in.Instrument)
		}
		seen[in.Instrument] = true
		if in.Contract.Multiplier <= 0 {
			p.Errorf(path, "%s", meaning(in.Instrument))
		}
		if in.Group != "" {
			p.Errorf(path, "%v has a group, and figures within groups are those of the traded instruments", in.Instrument)
		}
	}
	if _, _, err := s.Quotes(); err != nil && known {
		p.Errorf("data.instruments", "%v", err)
	}
	for _, d := range []struct {
		path string
		day  datasets.Day
	}{{"data.from", s.Data.From}, {"data.to", s.Data.To}} {
		if !p.Has(d.path) {
			p.Errorf(d.path, "missing: want a day such as 2024-01-01")
		}
	}
	if s.Data.To <= s.Data.From && p.Has("data.from") && p.Has("data.to") {
		p.Errorf("data.to", "%s, want a day after data.from %s (to is exclusive)", s.Data.To, s.Data.From)
	}
	if s.Data.To-s.Data.From > 366*30 {
		p.Errorf("data.to", "the span has %d days, want at most 30 years", s.Data.To-s.Data.From)
	}
}

// meaning asks for what the built-in table does not have.
func meaning(in datasets.Instrument) string {
	return fmt.Sprintf("what an amount of %v means is not known: want {exchange: %s, symbol: %s, multiplier: …, inverse: true or false}", in, in.Exchange, in.Symbol)
}

// Quotes is the currency of the study's capital, with what has to be said of it; see datasets.CheckQuotes.
func (s *Study) Quotes() (currency string, warnings []error, err error) {
	ins, contracts := make([]datasets.Instrument, len(s.Data.Instruments)), make([]datasets.Contract, len(s.Data.Instruments))
	for i, in := range s.Data.Instruments {
		ins[i], contracts[i] = in.Instrument, in.Contract
	}
	return datasets.CheckQuotes(ins, contracts)
}

func (s *Study) checkBars(p *yamlconf.Positions) {
	timeBars := s.Bars.Kind == "time"
	switch {
	case timeBars && s.Bars.Every.Time == 0:
		p.Errorf("bars.every", "%v, want a length of time such as 1m", s.Bars.Every)
		return
	case timeBars && s.Bars.Size != 0:
		p.Errorf("bars.size", "time bars have no size: want every")
	case !timeBars && p.Has("bars.every") && s.Bars.Every != (factors.Window{}):
		p.Errorf("bars.every", "%s bars have no length in time: want size", s.Bars.Kind)
	case !timeBars && s.Bars.BarsPerYear == 0:
		p.Errorf("bars.bars_per_year", "missing: %s bars need it for annualization", s.Bars.Kind)
	case !timeBars && len(s.Data.Instruments) > 1:
		p.Errorf("data.instruments", "%s bars have a grid of their own: want one instrument", s.Bars.Kind)
	case !timeBars && len(s.Data.References) > 0:
		p.Errorf("data.references", "%s bars have a grid of their own, on which other instruments have no bars: want time bars, or no references", s.Bars.Kind)
	}
	if !timeBars {
		s.Bars.Every = factors.Window{} // the default is for time bars
	}
	if n := s.TimeBars(); n > maxBars {
		p.Errorf("bars.every", "%v makes %d bars of the span, want at most %d: take longer bars or a shorter span", s.Bars.Every, n, maxBars)
	}
	if err := s.BarSpec().Validate(); err != nil {
		path := "bars.size"
		if timeBars {
			path = "bars.every"
		}
		p.Errorf(path, "%s", strings.TrimPrefix(err.Error(), "bars: "))
	}
}

// TimeBars is the number of time bars of the span, of all instruments and references; 0 where the bars are others.
func (s *Study) TimeBars() int64 {
	if s.Bars.Kind != "time" || s.Bars.Every.Time < time.Second {
		return 0
	}
	return max(0, int64(s.Data.To-s.Data.From)) * int64(24*time.Hour/s.Bars.Every.Time) * int64(len(s.Data.Instruments)+len(s.Data.References))
}

// Grid is the study's grid without labels, on which windows and factors can be tried; nil where the bars make none.
func (s *Study) Grid() *factors.Grid {
	spec := s.BarSpec()
	if spec.Validate() != nil {
		return nil
	}
	g := &factors.Grid{Kind: spec.Kind, BarsPerYear: s.Bars.BarsPerYear, Instruments: s.Data.Instruments.names(), References: Instruments(s.Data.References).names()}
	if s.Bars.Kind == "time" {
		g.Every = s.Bars.Every.Time
		g.BarsPerYear = float64(365*24*time.Hour) / float64(g.Every)
	}
	return g
}

func (s *Study) checkFactors(p *yamlconf.Positions, g *factors.Grid) {
	if n := len(s.Factors); n > maxFactors {
		p.Errorf("factors", "%d of them, want at most %d", n, maxFactors)
		return
	}
	var names []string
	for i, f := range s.Factors {
		path := fmt.Sprintf("factors[%d]", i)
		switch {
		case slices.Contains(names, f.Name):
			p.Errorf(path+".name", "factor %q stands here twice", f.Name)
		case f.Name == Composite || f.Name == Combined || strings.HasPrefix(f.Name, Ensemble):
			p.Errorf(path+".name", "%q is taken: reports use it for something else", f.Name)
		}
		names = append(names, f.Name)
		if f.Expr != "" {
			continue
		}
		if _, err := factors.Make(f.Name, f.Kind, f.Params, g); err != nil {
			text := err.Error()
			param, why, _ := strings.Cut(strings.TrimPrefix(text, f.Kind+": "), ": ")
			if _, given := f.Params[param]; given { // the problem is there, not in the factor as a whole
				path, text = path+"."+param, why
			}
			p.Errorf(path, "%s", text)
		}
	}
	s.checkSeries(p)
	s.checkFormulas(p, g)
	if len(s.Composite.Components) == 0 {
		p.Errorf("composite.components", "empty: want at least one {factor, weight}")
	}
	var seen []string
	for i, c := range s.Composite.Components {
		path := fmt.Sprintf("composite.components[%d]", i)
		if slices.Contains(seen, c.Factor) {
			p.Errorf(path+".factor", "%q is weighed twice", c.Factor)
		}
		seen = append(seen, c.Factor)
		if !slices.Contains(names, c.Factor) && !p.Failed("factors") {
			p.Errorf(path+".factor", "no factor is named %q%s", c.Factor, datasets.DidYouMean(c.Factor, names))
		}
		if c.Normalize != nil {
			s.checkNormalization(p, path+".normalize", *c.Normalize, g)
		}
	}
	s.checkNormalization(p, "composite.normalize", s.Composite.Normalize, g)
}

func (s *Study) checkNormalization(p *yamlconf.Positions, path string, n factors.Normalization, g *factors.Grid) {
	if err := n.Validate(g); err != nil {
		p.Errorf(path, "%v", err)
	}
}

func (s *Study) checkEvaluation(p *yamlconf.Positions, g *factors.Grid) {
	e := &s.Evaluation
	if len(e.Horizons) == 0 {
		p.Errorf("evaluation.horizons", "empty: want at least one, such as 1h")
	}
	if !p.Has("evaluation.horizons") { // the defaults, as far as these bars have them
		e.Horizons = slices.DeleteFunc(e.Horizons, func(h factors.Window) bool {
			_, err := h.In(g)
			return err != nil
		})
		if len(e.Horizons) == 0 {
			e.Horizons = []factors.Window{{Bars: 1}, {Bars: 10}, {Bars: 100}}
		}
	}
	for i, h := range e.Horizons {
		if _, err := h.In(g); err != nil {
			p.Errorf(fmt.Sprintf("evaluation.horizons[%d]", i), "%v", err)
		}
		if slices.Index(e.Horizons, h) < i {
			p.Errorf(fmt.Sprintf("evaluation.horizons[%d]", i), "%v stands here twice", h)
		}
	}
	for i, d := range e.Delays {
		if slices.Index(e.Delays, d) < i {
			p.Errorf(fmt.Sprintf("evaluation.delays[%d]", i), "%d stands here twice", d)
		}
	}
	if !slices.Contains(e.Horizons, e.PrimaryHorizon) {
		if p.Has("evaluation.primary_horizon") {
			p.Errorf("evaluation.primary_horizon", "%v is not one of evaluation.horizons", e.PrimaryHorizon)
		} else if len(e.Horizons) > 0 {
			e.PrimaryHorizon = e.Horizons[0]
		}
	}
}

// Bounds of a study's work and of its report.
const (
	maxWindows = 2000        // replays of a run; daily ones reach five years
	maxRows    = 200_000     // figures of each kind: windows × signals × horizons
	maxFactors = 1000        // a study's
	maxBars    = 100_000_000 // of all instruments; 1 s bars reach three years
)

// tooMany says why a study cannot have n windows, or nothing.
func (s *Study) tooMany(n int64) string {
	if n > maxWindows {
		return fmt.Sprintf("%v makes %d windows of the span, want at most %d", s.Windows.Step, n, maxWindows)
	}
	signals, horizons := int64(len(s.Factors)+1), int64(len(s.Evaluation.Horizons))
	if rows := n * signals * horizons; rows > maxRows {
		return fmt.Sprintf("%v makes %d windows, with %d signals and %d horizons %d rows of the report, want at most %d: take a longer step or fewer evaluation.horizons",
			s.Windows.Step, n, signals, horizons, rows, maxRows)
	}
	return ""
}

func (s *Study) checkWindows(p *yamlconf.Positions, g *factors.Grid) {
	if s.Windows == nil {
		return
	}
	if s.Windows.Step == (factors.Window{}) {
		s.Windows.Step = s.Windows.Length
	}
	for _, w := range []struct {
		path   string
		window factors.Window
	}{{"windows.length", s.Windows.Length}, {"windows.step", s.Windows.Step}} {
		if _, err := w.window.In(g); err != nil {
			p.Errorf(w.path, "%v", err)
		}
	}
	if step, err := s.Windows.Step.In(g); err == nil && g.Every > 0 {
		days := time.Duration(s.Data.To-s.Data.From) * 24 * time.Hour
		if why := s.tooMany(int64(days/g.Every) / int64(step)); why != "" {
			p.Errorf("windows.step", "%s", why)
		}
	}
}

// BarSpec is the study's bars with the tick windows that its factors ask for.
func (s *Study) BarSpec() bars.Spec {
	spec := bars.Spec{Every: s.Bars.Every.Time, Size: s.Bars.Size, TickWindows: s.tickWindows()}
	switch s.Bars.Kind {
	case "tick":
		spec.Kind = bars.TickBars
	case "volume":
		spec.Kind = bars.VolumeBars
	case "dollar":
		spec.Kind = bars.DollarBars
	}
	if spec.Kind != bars.TimeBars {
		spec.Every = 0
	}
	if s.Data.Clock == "timestamp" {
		spec.Clock = bars.Exchange
	}
	return spec
}

// tickWindows lists the N of the ofi_{N}t columns that the factors ask for, ascending.
func (s *Study) tickWindows() []int {
	fields, err := s.Fields()
	if err != nil {
		return nil // what checkFactors reports
	}
	if s.Signals.LLM != nil {
		for _, v := range SummaryValues {
			fields = append(fields, v.Fields()...)
		}
	}
	var windows []int
	for _, field := range fields {
		if n, ok := factors.TickWindow(field); ok {
			windows = append(windows, n)
		}
	}
	slices.Sort(windows)
	return slices.Compact(windows)
}

// DecodeNode reads {name, kind} and the kind's own parameters, or {name, expr}.
func (f *FactorConfig) DecodeNode(c *yamlconf.Cursor) {
	if !c.Want(yamlconf.Map) {
		return
	}
	kind := c.Get("kind")
	if c.Get("expr") != nil && kind == nil {
		f.decodeFormula(c)
		return
	}
	f.Params = factors.Params{}
	if kind == nil || kind.Text == "" {
		c.Errorf("kind is missing: qf factors lists them; or expr, a formula of your own")
		return
	}
	f.Kind = kind.Text
	known, err := factors.Find(f.Kind)
	if err != nil {
		c.Field(slices.Index(c.Items, kind)).Errorf("%v", err)
		return
	}
	valid := []string{"name", "kind"}
	for _, p := range known.Params {
		valid = append(valid, p.Name)
	}
	for i, k := range c.Keys {
		switch at := c.Field(i); {
		case !slices.Contains(valid, k.Name):
			c.Unknown(i, valid)
		case !at.Want(yamlconf.Scalar):
		case k.Name == "name":
			f.Name = at.Text
		case k.Name != "kind":
			f.Params[k.Name] = at.Text
		}
	}
	if f.Name == "" {
		f.Name = f.Kind
	}
}

// EncodeNode writes the flat form, parameters in the catalogue's order.
func (f FactorConfig) EncodeNode() *yamlconf.Node {
	if f.Expr != "" {
		return (&yamlconf.Node{}).Add("name", yamlconf.ScalarOf(f.Name, true)).Add("expr", yamlconf.ScalarOf(f.Expr, true))
	}
	n := (&yamlconf.Node{}).
		Add("name", yamlconf.ScalarOf(f.Name, true)).
		Add("kind", yamlconf.ScalarOf(f.Kind, true))
	if known, err := factors.Find(f.Kind); err == nil {
		for _, p := range known.Params {
			if v, ok := f.Params[p.Name]; ok {
				n.Add(p.Name, yamlconf.ScalarOf(v, true))
			}
		}
	}
	return n
}

// DecodeNode reads none, square_root or {model, k}.
func (m *ImpactConfig) DecodeNode(c *yamlconf.Cursor) {
	type form ImpactConfig
	f := form{Model: "square_root", K: 1}
	if c.Kind == yamlconf.Map {
		c.Decode(&f)
		*m = ImpactConfig(f)
		return
	}
	switch {
	case !c.Want(yamlconf.Scalar):
	case c.Text == "none":
		*m = ImpactConfig{Model: "none"}
	case c.Text == "square_root":
		*m = ImpactConfig(f)
	default:
		c.Errorf("%q, want none or {model: square_root, k: 1}", c.Text)
	}
}

// JSONSchema describes one factor: the parameters depend on the kind.
func (f FactorConfig) JSONSchema() map[string]any {
	var kinds []any
	for _, k := range factors.Catalogue {
		properties := map[string]any{
			"name": map[string]any{"type": "string"},
			"kind": map[string]any{"const": k.Name, "description": k.Formula},
		}
		for _, p := range k.Params {
			properties[p.Name] = map[string]any{"type": []string{"string", "number"}, "description": p.Doc, "default": p.Default}
		}
		kinds = append(kinds, map[string]any{"type": "object", "properties": properties, "required": []string{"kind"}, "additionalProperties": false})
	}
	text := map[string]any{"type": "string"}
	kinds = append(kinds, map[string]any{
		"type": "object", "properties": map[string]any{"name": text, "expr": map[string]any{"type": "string", "description": "a formula of bar columns, operators and other factors"}},
		"required": []string{"name", "expr"}, "additionalProperties": false,
	})
	return map[string]any{"anyOf": kinds}
}

// JSONSchema describes the two forms of the impact model.
func (m ImpactConfig) JSONSchema() map[string]any {
	type form ImpactConfig
	return map[string]any{"anyOf": []any{map[string]any{"enum": []string{"none", "square_root"}}, yamlconf.Object(form{})}}
}
