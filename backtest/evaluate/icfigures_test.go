package evaluate

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// The table has every figure of a row once, under its key in report.json, after what it follows from.
func TestICFiguresAreThoseOfARow(t *testing.T) {
	var row ICRow
	var want []string
	numbered := map[string]Figure{}
	var walk func(v reflect.Value, prefix string)
	walk = func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			switch f := v.Field(i); f.Interface().(type) {
			case DailySummary:
				walk(f, key+".")
			case Figure:
				want = append(want, prefix+key)
				f.SetFloat(float64(len(want)))
				numbered[prefix+key] = Figure(len(want))
			}
		}
	}
	walk(reflect.ValueOf(&row).Elem(), "")
	seen := map[string]bool{"": true, "daily": true}
	for _, f := range ICFigures() {
		if f.Of(&row) != numbered[f.Key] || seen[f.Key] {
			t.Errorf("%s is %v, want %v", f.Key, f.Of(&row), numbered[f.Key])
		}
		if !seen[f.from] || f.Unit == "" || f.About == "" || f.Show.As == "" {
			t.Errorf("%s says too little, or stands before %q: %+v", f.Key, f.from, f)
		}
		seen[f.Key] = true
	}
	if len(seen) != len(want)+2 {
		t.Errorf("a table of %d figures, a row has %d: %v", len(seen)-2, len(want), want)
	}
	row.blank()
	row.reason("pearson", "why")
	row.reason("daily", "no days")
	row.explain()
	for _, f := range ICFigures() {
		wantWhy := "why"
		if f.from == "daily" {
			wantWhy = "no days"
		}
		if v := f.Of(&row); !math.IsNaN(float64(v)) || f.Why(&row) != wantWhy {
			t.Errorf("%s of a row without figures is %v, since %q", f.Key, v, f.Why(&row))
		}
	}
}
