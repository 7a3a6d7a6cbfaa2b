package study

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/factors/expr"
)

// checkSeries reports what is wrong with the study's series, and fills in the names of their columns.
func (s *Study) checkSeries(p *yamlconf.Positions) {
	scope := s.scope()
	scope.Series = nil
	for i := range s.Data.Series {
		f := &s.Data.Series[i]
		path := fmt.Sprintf("data.series[%d]", i)
		f.Time, f.Value = cmp.Or(f.Time, "time"), cmp.Or(f.Value, "value")
		switch what := scope.Taken(f.Name); {
		case f.Name == "":
			p.Errorf(path, "name is missing: want {name: fear, path: fear.csv, time: published, value: score, hold: 2d}")
		case !expr.IsName(f.Name):
			p.Errorf(path+".name", "%q: want letters, digits and _, and no digit first", f.Name)
		case slices.Contains(scope.Series, f.Name):
			p.Errorf(path+".name", "series %q stands here twice", f.Name)
		case what != "":
			p.Errorf(path+".name", "%s is the name of %s: call the series otherwise", f.Name, what)
		}
		scope.Series = append(scope.Series, f.Name)
		if f.Path == "" {
			p.Errorf(path, "path is missing: want a CSV or Parquet file")
		}
		switch {
		case !p.Has(path + ".hold"):
			p.Errorf(path, "hold is missing: want how old a value may be, such as 2d")
		case f.Hold.Time <= 0:
			p.Errorf(path+".hold", "%v, want a length of time such as 2d", f.Hold)
		}
	}
}

// SeriesFile is the path of a series' file.
func (s *Study) SeriesFile(f SeriesConfig) string {
	if s.origin == nil || filepath.IsAbs(f.Path) {
		return f.Path
	}
	return filepath.Join(filepath.Dir(s.origin.file), f.Path)
}
