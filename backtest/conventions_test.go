package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"reflect"
	"testing"
)

// Every figure of PnLRow has its conventions, in the same order, and what counts it is a count.
func TestMetricsCoverPnLRow(t *testing.T) {
	var figures []string
	counts := map[string]bool{"": true}
	row := reflect.TypeFor[PnLRow]()
	for i := range row.NumField() {
		switch f := row.Field(i); f.Type {
		case reflect.TypeFor[Figure]():
			figures = append(figures, f.Tag.Get("json"))
		case reflect.TypeFor[int]():
			counts[f.Tag.Get("json")] = true
		}
	}
	list := Metrics(study.Default().Evaluation)
	for i, m := range list {
		if i >= len(figures) || m.Figure != figures[i] {
			t.Fatalf("metric %d is %s, the figures are %v", i, m.Figure, figures)
		}
		if m.Unit == "" || m.Definition == "" || !counts[m.Count] {
			t.Errorf("%+v: want a unit, a definition and a count of PnLRow", m)
		}
	}
	if len(list) != len(figures) {
		t.Errorf("%d metrics for %d figures", len(list), len(figures))
	}
}
