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
		if err := r.write(dir, Options{}); err != nil {
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
	list := `   run           from        to               IC     t  return  Sharpe  drawdown  warnings
1  small-aaaa    2024-01-02  2024-01-05  +0.1547  +1.1   -0.3%   +1.70     -1.4%         2
2  small-bbbb *  2024-01-02  2024-01-05  +0.1547  +1.1   -0.3%   +1.70     -1.4%         2
3  zz-damaged
3 cannot be read: ` + runs[2].Error + `

setting                                      1    2
composite.components[momentum_14d].weight  0.4  0.5
execution.taker_bps                          5    6
`
	if diff := cmp.Diff(list, text.String()); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
}

func TestNoRuns(t *testing.T) {
	runs, err := Runs(filepath.Join(t.TempDir(), "none"))
	if err != nil || len(runs) != 0 {
		t.Errorf("Runs of a folder that is not there: %v, %v", runs, err)
	}
}
