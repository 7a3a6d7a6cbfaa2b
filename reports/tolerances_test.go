package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadOverrides(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tolerances.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("curves.**: 1e-6\npnl[signal=composite].sharpe: {relative: 0, absolute: 1e-4}\n\"*.t\": {absolute: 0.5}\n")
	got, err := ReadOverrides(path)
	if err != nil {
		t.Fatal(err)
	}
	millionth, zero := 1e-6, 0.0
	want := []Override{
		{"curves.**", Tolerance{Relative: &millionth}},
		{"pnl[signal=composite].sharpe", Tolerance{Relative: &zero, Absolute: 1e-4}},
		{"*.t", Tolerance{Absolute: 0.5}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("overrides (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"a: -1":               "at least 0",
		"a: x":                "not a tolerance",
		"a: {relatve: 1}":     "unknown key",
		"a: [1]":              "want a number",
		"- a":                 "want a mapping",
		"\"a[b\": 1":          "not closed",
		"a: {absolute: .inf}": "at least 0",
	} {
		write(text + "\n")
		if _, err := ReadOverrides(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q and the file", text, err, want)
		}
	}
	if _, err := ReadOverrides(path + ".none"); err == nil {
		t.Error("a file that is not there: no error")
	}
}
