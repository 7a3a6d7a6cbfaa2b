package study

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// UniverseConfig says which instruments are traded when. Candidates are those of data.instruments, or without these all of an
// exchange's of one type and quote currency; members are chosen of them from what is known at the time.
type UniverseConfig struct {
	Exchange string         `yaml:"exchange" doc:"whose instruments are candidates, where data.instruments names none"`
	Type     string         `yaml:"type" enum:"perpetual|spot|future" doc:"of the candidates; perpetual without it"`
	Quote    string         `yaml:"quote" doc:"currency that the candidates are priced in; any without it"`
	RankBy   string         `yaml:"rank_by" enum:"turnover" doc:"what the largest are the largest by"`
	Window   factors.Window `yaml:"window" doc:"whole days before a choice over which that is summed up; 30d without it"`
	Top      int            `yaml:"top" range:"[1,100000]" doc:"how many are members"`
	Every    string         `yaml:"every" doc:"from one choice to the next: 1mo, the first of each month, or whole days such as 7d; 1mo without it"`
	MinAge   factors.Window `yaml:"min_age" doc:"whole days that a member has been listed for, by the vendor's metadata, else in the lake"`
}

const (
	monthly = "1mo"
	oneDay  = 24 * time.Hour
)

// WindowDays, AgeDays and EveryDays are the window, the least age and the period in days; the period is 0 where it is a calendar month.
func (u UniverseConfig) WindowDays() datasets.Day { return datasets.Day(u.Window.Time / oneDay) }

// AgeDays is the least age of a member.
func (u UniverseConfig) AgeDays() datasets.Day { return datasets.Day(u.MinAge.Time / oneDay) }

// EveryDays is the number of days from one choice to the next; 0: a calendar month.
func (u UniverseConfig) EveryDays() datasets.Day {
	if u.Every == monthly {
		return 0
	}
	d, err := factors.ParseDuration(u.Every)
	if err != nil {
		return 0
	}
	return datasets.Day(d / oneDay)
}

// fillUniverse gives what the study leaves out its default, and lists the candidates.
func (s *Study) fillUniverse(p *yamlconf.Positions, known *datasets.Catalog) {
	u := s.Data.Universe
	if u == nil {
		return
	}
	set := func(to *string, text string) {
		if *to == "" {
			*to = text
		}
	}
	set(&u.Type, "perpetual")
	set(&u.RankBy, "turnover")
	set(&u.Every, monthly)
	if u.Window == (factors.Window{}) {
		u.Window.Time = 30 * oneDay
	}
	u.Exchange, u.Quote = strings.ToLower(u.Exchange), strings.ToUpper(u.Quote)
	if p.Has("data.instruments") || u.Exchange == "" || s.Data.To <= s.Data.From {
		return
	}
	found := map[datasets.Instrument]bool{}
	if v := known.Venue(u.Exchange); v != nil {
		for _, in := range v.Pick(u.Type, u.Quote, s.Data.From, s.Data.To) {
			found[in] = true
		}
	}
	if known.Venue(u.Exchange) == nil {
		held, err := known.Held(datasets.Trades, u.Exchange)
		if err != nil {
			p.Errorf("data.universe", "%v", err)
		}
		for _, in := range held {
			if c, _, _, ok := known.Contract(in); ok && !in.Grouped() && (u.Quote == "" || c.Quote == u.Quote) && typeOf(in, c) == u.Type {
				found[in] = true
			}
		}
	}
	names := make([]datasets.Instrument, 0, len(found))
	for in := range found {
		names = append(names, in)
	}
	slices.SortFunc(names, datasets.Instrument.Compare)
	var untold []string
	for _, in := range names {
		c, changes, differs, ok := known.Contract(in)
		if !ok || c.Validate() != nil {
			untold = append(untold, in.Symbol)
			continue
		}
		if differs != nil {
			s.told = append(s.told, differs)
		}
		s.Data.Instruments = append(s.Data.Instruments, InstrumentConfig{Instrument: in, Contract: c, Changes: changes})
	}
	if n := len(untold); n > 0 {
		s.told = append(s.told, fmt.Errorf("universe: %d of %d instruments of %s are no candidates, since what an amount of them means is not known, or no capital in quote currency can hold them: %s, …",
			n, len(names), u.Exchange, strings.Join(untold[:min(n, 3)], ", ")))
	}
}

// typeOf is the type of an instrument by its contract and its name.
func typeOf(in datasets.Instrument, c datasets.Contract) string {
	switch {
	case c.Spot:
		return "spot"
	case in.Dated():
		return "future"
	}
	return "perpetual"
}

func (s *Study) checkUniverse(p *yamlconf.Positions) {
	u := s.Data.Universe
	if u == nil {
		return
	}
	days := func(path string, w factors.Window, least time.Duration) {
		if w.Bars != 0 || w.Trades != 0 || w.Time%oneDay != 0 || w.Time < least || w.Time > maxWarmup {
			p.Errorf(path, "%v, want whole days such as 30d", w)
		}
	}
	days("data.universe.window", u.Window, oneDay)
	if u.MinAge != (factors.Window{}) {
		days("data.universe.min_age", u.MinAge, 0)
	}
	if d, err := factors.ParseDuration(u.Every); u.Every != monthly && (err != nil || d < oneDay || d%oneDay != 0) {
		p.Errorf("data.universe.every", "%q, want 1mo or whole days such as 7d", u.Every)
	}
	switch {
	case u.Top == 0:
		p.Errorf("data.universe", "top is missing: want how many are members, such as 20")
	case s.Bars.Kind != "time":
		p.Errorf("data.universe", "a universe wants time bars")
	case s.Signals.LLM != nil:
		p.Errorf("data.universe", "models are asked about fixed instruments: leave signals.llm or the universe out")
	case s.Execution.Allocation == InverseVolatility:
		p.Errorf("execution.allocation", "members of a universe share the capital equally: want equal")
	case len(s.Data.Instruments) > 0:
	case u.Exchange == "":
		p.Errorf("data.universe", "which candidates? want an exchange here, or data.instruments")
	default:
		p.Errorf("data.universe", "neither the lake nor its metadata has a %s against %s on %s: qf instruments --exchange %s asks what there is%s",
			u.Type, u.Quote, u.Exchange, u.Exchange, exchangeHint(u.Exchange))
	}
}

func exchangeHint(id string) string {
	if datasets.KnownExchange(id) {
		return ""
	}
	return datasets.DidYouMean(id, datasets.Exchanges())
}

// Held is the study with those candidates of its universe of which the lake has trades within the span, and how many are left out; a study
// without a universe is as it is.
func (s *Study) Held(lake *datasets.Lake) (*Study, int, error) {
	if s.Data.Universe == nil {
		return s, 0, nil
	}
	own := *s
	own.Data.Instruments = nil
	for _, in := range s.Data.Instruments {
		held, err := lake.Holds(datasets.Trades, in.Instrument, s.Data.From, s.Data.To)
		if err != nil {
			return nil, 0, err
		}
		if held {
			own.Data.Instruments = append(own.Data.Instruments, in)
		}
	}
	return &own, len(s.Data.Instruments) - len(own.Data.Instruments), nil
}
