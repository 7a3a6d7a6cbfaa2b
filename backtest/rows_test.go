package backtest

import (
	"errors"
	"testing"
)

// CSV files have fills alone, so that nothing else is kept for them, and JSON neither.
func TestWhatFormatsKeep(t *testing.T) {
	for format, want := range map[string][2]error{"parquet": {nil, nil}, "csv": {ErrNoRows, nil}, "json": {ErrNoRows, ErrNoRows}} {
		lake, s := simulatedLake(t, small, nil, "report.formats=["+format+"]")
		r, err := Backtest(t.Context(), lake, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rows, fills := 0, 0
		for k, err := range []error{
			r.Rows(func(x *RunRows) error { rows += len(x.TS); return nil }),
			r.Fills(func(*FillRow) error { fills++; return nil }),
		} {
			if !errors.Is(err, want[k]) {
				t.Errorf("%s: %v, want %v", format, err, want[k])
			}
		}
		if (rows > 0) != (want[0] == nil) || (fills > 0) != (want[1] == nil) {
			t.Errorf("%s: %d rows and %d fills", format, rows, fills)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
