package sweep

import (
	"errors"
	"fmt"
	"strings"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
)

// Sweep is a study with what is tried of it.
type Sweep struct {
	Base   *study.Study
	Paths  []string // of the settings that differ between trials
	Trials []*Trial // numbered from 1
}

// Trial is one combination of settings.
type Trial struct {
	Number   int
	Settings Point // by Sweep.Paths
	Study    *study.Study
}

// Load reads the study in a file, with a section sweep, and makes its trials: overrides, as study.Load takes them, hold for all. open opens the
// study's lake, for what is known of instruments; nil leaves the built-in tables. Settings that make no study are an error that names the trial.
func Load(path string, overrides []string, open func(lake string) (*datasets.Lake, error)) (*Sweep, error) {
	src, err := yamlconf.ReadFile(path)
	if err != nil {
		return nil, err
	}
	base, err := study.LoadIn(path, overrides, open)
	if err != nil {
		return nil, err
	}
	if base.Sweep == nil {
		return nil, fmt.Errorf("%s: there is no section sweep: want what to try, such as sweep: {settings: {signals.thresholds.long: [0.5, 1]}}", path)
	}
	var known *datasets.Catalog
	if open != nil {
		lake, err := open(base.Data.Lake)
		if err != nil {
			return nil, err
		}
		known = lake.Catalog()
	}
	w := &Sweep{Base: base}
	paths, points, err := Design(base.Sweep)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w.Paths = paths
	var errs []error
	for k, p := range points {
		t := &Trial{Number: k + 1, Settings: p}
		if t.Study, err = study.ParseKnown(path, src, append(overrides[:len(overrides):len(overrides)], w.Overrides(t)...), known); err != nil {
			errs = append(errs, fmt.Errorf("trial %d (%s): %w", t.Number, strings.Join(w.Overrides(t), ", "), err))
			if len(errs) == 3 {
				break
			}
			continue
		}
		w.Trials = append(w.Trials, t)
	}
	if len(errs) > 0 {
		errs = append(errs, errors.New("combinations that make no study are left out by sweep.constraints, such as long < strong_long"))
	}
	return w, errors.Join(errs...)
}

// Overrides are a trial's settings in the form path=value.
func (w *Sweep) Overrides(t *Trial) (list []string) {
	for k, v := range t.Settings {
		list = append(list, w.Paths[k]+"="+v)
	}
	return list
}

// Trial finds a trial by its number.
func (w *Sweep) Trial(number int) (*Trial, error) {
	if number < 1 || number > len(w.Trials) {
		return nil, fmt.Errorf("there is no trial %d: the sweep has 1 to %d", number, len(w.Trials))
	}
	return w.Trials[number-1], nil
}
