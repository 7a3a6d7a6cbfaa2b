package reports

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// TestEveryKeyIsDocumented looks up each key of report.json in the package comment, where a line that
// is indented starts with the keys that it explains.
func TestEveryKeyIsDocumented(t *testing.T) {
	src, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(src)) {
		keys := regexp.MustCompile(`^//\t((?:[a-z_0-9]+, )*[a-z_0-9]+)(?:\s{2,}.*)?\n$`).FindStringSubmatch(line)
		if keys == nil {
			continue
		}
		for key := range strings.SplitSeq(keys[1], ", ") {
			documented[key] = true
		}
	}
	emitted := map[string]bool{}
	collectKeys(reflect.TypeFor[Report](), emitted)
	for key := range emitted {
		if !documented[key] {
			t.Errorf("doc.go does not explain the key %q of report.json", key)
		}
	}
	for key := range documented {
		if !emitted[key] {
			t.Errorf("doc.go explains a key %q that report.json does not have", key)
		}
	}
}

// The figures of pnl are described in the report itself, under metrics.
func collectKeys(t reflect.Type, into map[string]bool) {
	if t == reflect.TypeFor[evaluate.PnLRow]() {
		into["signal"], into["window"], into["reasons"] = true, true, true
		return
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		collectKeys(t.Elem(), into)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if !f.Anonymous {
				into[name] = true
			}
			collectKeys(f.Type, into)
		}
	}
}
