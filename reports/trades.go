package reports

import (
	"io"

	"github.com/qf-dev/qf/backtest"
)

// fillNumbers are the numbers of a fill in trades.csv and trades.parquet; quantities are in units of amount, money in
// quote currency.
var fillNumbers = []string{"quantity", "held", "reference", "price", "notional", "fee", "slippage", "impact"}

// numbersOf are a fill's, as fillNumbers.
func numbersOf(f *backtest.FillRow) [8]float64 {
	return [8]float64{f.Quantity, f.Held, f.Reference, f.Price, f.Notional, f.Fee, f.Slippage, f.Impact}
}

func side(f *backtest.FillRow) string {
	if f.Quantity < 0 {
		return "sell"
	}
	return "buy"
}

// tradesCSV writes trades.csv: one line a fill of the run over the whole span and, where there are
// several windows, of each of their runs. ts is the label of the bar that filled and decided that of
// the bar whose close decided, both ISO 8601 in UTC with six decimals.
type tradesCSV struct {
	lines *lineWriter
	names []string // of instruments, as a spreadsheet shows them
}

func newTradesCSV(w io.Writer, r *backtest.Result) (fillWriter, error) {
	t := &tradesCSV{lines: &lineWriter{w: w}}
	for _, in := range r.Grid.Instruments {
		t.names = append(t.names, quoted(inert(in.String())))
	}
	for _, name := range append([]string{"window", "ts", "decided", "instrument", "side"}, fillNumbers...) {
		t.lines.cell(name)
	}
	return t, t.lines.end()
}

func (t *tradesCSV) add(f *backtest.FillRow) error {
	l := t.lines
	l.cell(f.Window)
	l.time(f.TS)
	l.time(f.Decided)
	l.cell(t.names[f.Instrument])
	l.cell(side(f))
	for _, v := range numbersOf(f) {
		l.number(v)
	}
	return l.end()
}

func (t *tradesCSV) close() error { return t.lines.flush() }
