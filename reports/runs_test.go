package reports

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRuns(t *testing.T) {
	dir := t.TempDir()
	for k, digest := range []string{"aaaa", "bbbb"} {
		r := sample(t, small)
		r.Digest = digest
		r.Study.Execution.TakerBps = float64(5 + k)
		r.Study.Composite.Components[0].Weight = 0.4 + 0.1*float64(k)
		if err := Write(dir, r, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(dir, "not-a-run"), 0o777)
	os.Mkdir(filepath.Join(dir, "zz-damaged"), 0o777)
	os.WriteFile(filepath.Join(dir, "zz-damaged", "report.json"), []byte("{"), 0o666)
	runs, err := Runs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 3 {
		t.Fatalf("%d runs, want 3: %+v", len(runs), runs)
	}
	if runs[0].Latest || !runs[1].Latest {
		t.Errorf("the latest run is not marked: %+v", runs)
	}
	want := []Setting{{"composite.components[momentum_14d].weight", "0.5"}, {"execution.taker_bps", "6"}}
	if diff := cmp.Diff(want, runs[1].Differs); diff != "" {
		t.Errorf("settings that differ (-want +got):\n%s", diff)
	}
	if !strings.Contains(runs[2].Error, "report.json") || !math.IsNaN(float64(runs[2].IC)) {
		t.Errorf("a damaged run: %+v", runs[2])
	}
	var text strings.Builder
	if err := WriteRuns(&text, runs); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"small-aaaa ", "small-bbbb * ", "cannot be read", "execution.taker_bps"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the list lacks %q:\n%s", want, text.String())
		}
	}
}

func TestNoRuns(t *testing.T) {
	runs, err := Runs(filepath.Join(t.TempDir(), "none"))
	if err != nil || len(runs) != 0 {
		t.Errorf("Runs of a folder that is not there: %v, %v", runs, err)
	}
}
