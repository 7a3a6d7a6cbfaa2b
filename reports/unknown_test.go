package reports

import (
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/datasets/parquet"
)

// unknownSample is the invented run of which, from the second day at 08:00 on, a payment of the second instrument is not
// known.
func unknownSample(t testing.TB) (*sampled, int64) {
	r := sample(t, small)
	at := r.Span.From + 32*3600e6
	u := &portfolio.Unknown{From: at, Instrument: 1, Reason: "no ticker for 9 h", Count: 3}
	r.Runs[0].Account.Unknown, r.Runs[0].Account.UnknownOf = u, []*portfolio.Unknown{nil, u}
	p := &r.Figures.PnL[0]
	p.Reasons = map[string]string{"total_return": "the data does not show every funding settlement"}
	for _, key := range []string{"total_return", "final_equity", "funding", "max_drawdown", "max_drawdown_days", "sharpe", "psr", "break_even_bps"} {
		p.Figures[key] = nan
	}
	return r, at
}

// One instant decides what is net and not known: figures, months, curves, instruments and files stop there, and every
// document says of which instrument and when.
func TestUnknownFundingIsNowhereZero(t *testing.T) {
	r, at := unknownSample(t)
	run := finishedResult(t, r)
	d := run.Report
	if want := (Unknown{Window: evaluate.All, Instrument: eth.String(), From: stamp(at), Reason: "no ticker for 9 h"}); len(d.Unknown) != 1 || d.Unknown[0] != want {
		t.Fatalf("net_unknown %+v, want %+v", d.Unknown, want)
	}
	e := d.Curves.Equity
	for k, ts := range e.TS {
		known := parseStamp(ts) <= at
		for name, v := range map[string]evaluate.Figure{"equity": e.Equity[k], "drawdown": e.Drawdown[k], "zero_cost": e.ZeroCost[k]} {
			if finite(float64(v)) != known {
				t.Fatalf("%s at %s is %v, and the net is known until %s", name, ts, v, stamp(at))
			}
		}
		if finite(float64(e.Unfunded[k])) == known || !finite(float64(e.BuyAndHold[k])) {
			t.Fatalf("at %s: without funding %v, buy and hold %v", ts, e.Unfunded[k], e.BuyAndHold[k])
		}
	}
	if finite(float64(d.Monthly[0].Return)) {
		t.Errorf("the month returned %v", d.Monthly[0].Return)
	}
	for i, p := range d.ByInstrument {
		known := i == 0
		if finite(float64(p.Net)) != known || finite(float64(p.Funding)) != known || !finite(float64(p.Unfunded)) || strings.Contains(p.Reasons["net"], eth.String()) == known {
			t.Errorf("by instrument: %+v", p)
		}
	}
	if d.Verdict.Pays != "unknown" {
		t.Errorf("pays %q", d.Verdict.Pays)
	}
	for _, f := range []Format{HTML, Text} {
		out := render(t, f, run)
		for _, want := range []string{eth.String(), "2024-01-03 08:00"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %s", f, want)
			}
		}
		if f == Text && strings.Count(out, "\n") > screenLines {
			t.Errorf("the summary does not fit:\n%s", out)
		}
	}
	dir := t.TempDir()
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	for k, row := range readTable(t, dir+"/"+Folder(r.Result)+"/equity.parquet").rows {
		known := row[0].(int64) <= at
		for j, name := range []string{"equity", "drawdown", "buy_and_hold", "price_pnl", "fees", "slippage", "impact", "funding"} {
			v := row[2+j]
			if net := name == "equity" || name == "drawdown" || name == "funding"; (v == nil) != (net && !known) {
				t.Fatalf("row %d: %s is %v", k, name, v)
			}
		}
	}
}

// A table of a Parquet file: times as int64, texts, numbers, nil for null.
type readTableResult struct {
	names []string
	rows  [][]any
}

func readTable(t testing.TB, path string) readTableResult {
	t.Helper()
	f, err := parquet.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := f.Read(t.Context(), parquet.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer records.Release()
	var out readTableResult
	for _, field := range records.Schema().Fields() {
		out.names = append(out.names, field.Name)
	}
	for records.Next() {
		rec := records.Record()
		for k := range int(rec.NumRows()) {
			row := make([]any, rec.NumCols())
			for j, c := range rec.Columns() {
				row[j] = value(c, k)
			}
			out.rows = append(out.rows, row)
		}
	}
	if err := records.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
