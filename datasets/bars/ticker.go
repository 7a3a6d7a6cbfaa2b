package bars

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// tickerNames are the columns of derivative_ticker, the same in the lake and in bars. A
// funding_timestamp in µs is a whole number below 2^53, which a float64 holds exactly.
var tickerNames = []string{"mark_price", "index_price", "funding_rate", "predicted_funding_rate", "funding_timestamp", "open_interest"}

// tickerPrices is the last of them that is a price: one that is not above 0 is none.
const tickerPrices = 1

// tickerBars folds the derivative_ticker rows of one day-file into bars: the last value of each
// column that was not empty, from the file's beginning to the bar's close.
type tickerBars struct{ states }

// tickerFold makes bars of derivative_ticker.
func tickerFold(key string) feedFold {
	return feedFold{
		name: "derivative_ticker", feed: datasets.DerivativeTicker, columns: tickerNames, fields: tickerNames,
		definition: key,
		start: func(c cutter) fold {
			return &tickerBars{newStates(c, len(tickerNames))}
		},
	}
}

func (f *tickerBars) add(rec arrow.Record) error {
	t, err := batchTimes(rec, 0)
	if err != nil {
		return err
	}
	cells := make([]func(row int) float64, len(tickerNames))
	for c := range cells {
		if cells[c], err = batchCells(rec, c+1); err != nil {
			return err
		}
	}
	f.fold(t, func(i, j int) {
		for c, cell := range cells {
			for k := j - 1; k >= i; k-- {
				if v := cell(k); !math.IsNaN(v) && (v > 0 || c > tickerPrices) {
					f.last[c] = v
					break
				}
			}
		}
	})
	return nil
}

// batchCells reads column i of a batch, times or numbers, as numbers; NaN where a cell is empty.
func batchCells(rec arrow.Record, i int) (func(row int) float64, error) {
	switch col := rec.Column(i).(type) {
	case *array.Float64:
		values := col.Float64Values()
		return func(row int) float64 {
			if col.IsNull(row) {
				return math.NaN()
			}
			return values[row]
		}, nil
	case *array.Timestamp:
		values := col.TimestampValues()
		return func(row int) float64 {
			if col.IsNull(row) {
				return math.NaN()
			}
			return float64(values[row])
		}, nil
	}
	return nil, wrongType(rec, i, "float64 or timestamp[us]")
}
