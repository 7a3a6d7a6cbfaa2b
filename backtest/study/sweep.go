package study

import (
	"fmt"
	"strings"
	"time"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/factors"
)

// SweepConfig says what qf sweep tries: settings of the study with their values, and which of all combinations.
type SweepConfig struct {
	Method      string             `yaml:"method" enum:"grid|random|sobol" doc:"grid: every combination; random: seeded draws; sobol: a sequence that fills the space evenly"`
	Trials      int                `yaml:"trials" range:"[0,100000]" doc:"number of draws of random and sobol"`
	Seed        uint64             `yaml:"seed" doc:"of random"`
	Objective   string             `yaml:"objective" enum:"sharpe|total_return|ic_t" doc:"what the best is best at"`
	Settings    SweepSettings      `yaml:"settings" doc:"by path in the study: a list of values, or {from, to, steps, scale: linear|log}"`
	WalkForward *WalkForwardConfig `yaml:"walk_forward" doc:"choose on the past, judge on the days after it: {train: 60d, test: 30d, step: 30d, embargo: auto}"`
	Constraints []string           `yaml:"constraints" doc:"such as short = -long, which sets one, or long < strong_long, which leaves combinations out"`
}

// WalkForwardConfig is how choosing by the past is judged: in whole days.
type WalkForwardConfig struct {
	Train   factors.Window `yaml:"train" doc:"days on which the best is chosen"`
	Test    factors.Window `yaml:"test" doc:"days after them on which it is judged"`
	Step    factors.Window `yaml:"step" doc:"from one test to the next; without it the length of a test"`
	Embargo string         `yaml:"embargo" doc:"days between training and test; auto: the primary horizon and what the factors look back"`
}

// EmbargoAuto is the embargo that follows from the study.
const EmbargoAuto = "auto"

// checkWalkForward wants whole days.
func (s *Study) checkWalkForward(p *yamlconf.Positions) {
	w := s.Sweep.WalkForward
	if w == nil {
		return
	}
	if w.Step == (factors.Window{}) {
		w.Step = w.Test
	}
	if w.Embargo == "" {
		w.Embargo = EmbargoAuto
	}
	whole := func(key string, d factors.Window, least time.Duration) {
		if d.Time < least || d.Time%(24*time.Hour) != 0 || d.Bars > 0 || d.Trades > 0 {
			p.Errorf("sweep.walk_forward", "%s: want whole days, such as 30d", key)
		}
	}
	whole("train", w.Train, 48*time.Hour)
	whole("test", w.Test, 24*time.Hour)
	whole("step", w.Step, 24*time.Hour)
	if w.Embargo != EmbargoAuto {
		if e, err := factors.ParseWindow(w.Embargo); err != nil || e.Time == 0 {
			p.Errorf("sweep.walk_forward", "embargo %q: want auto, or a time such as 1d", w.Embargo)
		}
	}
	if s.Sweep.Objective == "ic_t" {
		p.Errorf("sweep.walk_forward", "objective ic_t: training chooses by sharpe or total_return, since days have no t of their own")
	}
	if s.Bars.Kind != "time" && w.Embargo == EmbargoAuto {
		p.Errorf("sweep.walk_forward", "embargo auto: how long bars that are not time bars look back is not known, want a time such as 1d")
	}
}

// SweepSettings are what a sweep varies, in the order of the file.
type SweepSettings []SweepSetting

// SweepSetting is one setting with its values: a list, or a range of which a grid takes steps and draws any number.
type SweepSetting struct {
	Path   string   // signals.thresholds.long, composite.components[ofi].weight
	Values []string // as YAML; nil for a range

	From, To float64
	Steps    int // of a grid; 0: draws alone
	Log      bool
}

// sweepRange is how a range is written.
type sweepRange struct {
	From  float64 `yaml:"from" doc:"the least value"`
	To    float64 `yaml:"to" doc:"the largest value"`
	Steps int     `yaml:"steps" range:"[0,10000]" doc:"values of a grid, both ends among them"`
	Scale string  `yaml:"scale" enum:"linear|log" doc:"how values are spread"`
}

// DecodeNode reads the mapping.
func (list *SweepSettings) DecodeNode(c *yamlconf.Cursor) {
	if !c.Want(yamlconf.Map) {
		return
	}
	var out SweepSettings
	for i, key := range c.Keys {
		at := c.Field(i)
		s := SweepSetting{Path: key.Name}
		switch at.Kind {
		case yamlconf.List:
			for _, item := range at.Items {
				text, err := item.MarshalJSON()
				if err != nil {
					at.Errorf("%v", err)
					return
				}
				s.Values = append(s.Values, string(text))
			}
			if len(s.Values) == 0 {
				at.Errorf("no values: want a list such as [0.5, 1], or {from: 0, to: 1, steps: 5}")
			}
		case yamlconf.Map:
			r := sweepRange{Scale: "linear"}
			at.Decode(&r)
			s.From, s.To, s.Steps, s.Log = r.From, r.To, r.Steps, r.Scale == "log"
			switch {
			case !(r.From < r.To):
				at.Errorf("from %v to %v: want from below to", r.From, r.To)
			case s.Log && !(r.From > 0):
				at.Errorf("from %v on a log scale: want more than 0", r.From)
			case r.Steps == 1:
				at.Errorf("steps 1: want 2 or more, both ends among them")
			}
		default:
			at.Errorf("want a list of values, or {from, to, steps}")
		}
		if strings.HasPrefix(s.Path, "sweep") || strings.HasPrefix(s.Path, "report") || s.Path == "name" || strings.HasPrefix(s.Path, "data.lake") {
			at.Errorf("%s is no part of what is traded", s.Path)
		}
		out = append(out, s)
	}
	*list = out
}

// EncodeNode writes the mapping.
func (list SweepSettings) EncodeNode() *yamlconf.Node {
	n := &yamlconf.Node{Kind: yamlconf.Map}
	for _, s := range list {
		item := &yamlconf.Node{Kind: yamlconf.List}
		for _, v := range s.Values {
			if parsed, err := yamlconf.Parse(s.Path, []byte(v)); err == nil {
				item.Items = append(item.Items, parsed)
			}
		}
		if s.Values == nil {
			r := sweepRange{s.From, s.To, s.Steps, "linear"}
			if s.Log {
				r.Scale = "log"
			}
			item = yamlconf.Encode(&r)
		}
		n.Add(s.Path, item)
	}
	return n
}

// JSONSchema is that of the mapping.
func (list SweepSettings) JSONSchema() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": map[string]any{"anyOf": []any{
		map[string]any{"type": "array", "minItems": 1}, yamlconf.Object(&sweepRange{Scale: "linear"}),
	}}}
}

// checkSweep reports what no single value of the sweep shows.
func (s *Study) checkSweep(p *yamlconf.Positions) {
	w := s.Sweep
	if w == nil {
		return
	}
	if w.Method == "" {
		w.Method = "grid"
	}
	if w.Objective == "" {
		w.Objective = "sharpe"
	}
	if len(w.Settings) == 0 {
		p.Errorf("sweep.settings", "missing: want what to try, such as {signals.thresholds.long: [0.5, 1]}")
	}
	switch {
	case w.Method == "grid" && w.Trials != 0:
		p.Errorf("sweep.trials", "a grid has as many as there are combinations: leave it out, or take method random or sobol")
	case w.Method != "grid" && w.Trials == 0:
		p.Errorf("sweep.trials", "missing: want how many to draw")
	}
	for _, v := range w.Settings {
		if w.Method == "grid" && v.Values == nil && v.Steps == 0 {
			p.Errorf("sweep.settings", "%s: a grid wants {from: %v, to: %v, steps: …}", v.Path, v.From, v.To)
		}
	}
	for i, text := range w.Constraints {
		if _, err := ParseConstraint(text, w.Settings); err != nil {
			p.Errorf(fmt.Sprintf("sweep.constraints[%d]", i), "%v", err)
		}
	}
	s.checkWalkForward(p)
}
