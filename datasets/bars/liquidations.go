package bars

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// liquidationNames: the taker who sold in a liquidation is a long being closed.
var liquidationNames = []string{"liquidated_long", "liquidated_short"}

// liquidationBars folds the liquidations of one day-file into bars: the notional of each side.
type liquidationBars struct {
	cut         cutter
	contract    datasets.Contract
	out         *table
	long, short float64
	label       int64
	open        bool
	batch       tradeBatch
}

func liquidationFold(key string, x terms) feedFold {
	return feedFold{
		name: "liquidations", feed: datasets.Liquidations, columns: tradeColumns, fields: liquidationNames,
		definition: key + " " + x.key(),
		start: func(cut cutter) fold {
			return &liquidationBars{cut: cut, contract: x.on(cut.day), out: newTable(len(liquidationNames))}
		},
	}
}

func (f *liquidationBars) add(rec arrow.Record) error {
	b := &f.batch
	if err := b.read(rec); err != nil {
		return err
	}
	b.drop()
	for i := 0; i < len(b.t); {
		j, opened := f.cut.run(b.t, i)
		if opened {
			f.close()
			f.label, f.open = f.cut.label, true
		}
		for ; i < j; i++ {
			_, notional := baseAndNotional(f.contract, b.price[i], b.amount[i])
			side := uint8(b.side[i])
			f.long += float64(notional * b.sides.sell[side])
			f.short += float64(notional * b.sides.buy[side])
		}
	}
	return nil
}

func (f *liquidationBars) close() {
	if f.open {
		f.out.add(f.label, f.long, f.short)
	}
	f.long, f.short, f.open = 0, 0, false
}

func (f *liquidationBars) cutting() *cutter { return &f.cut }

func (f *liquidationBars) done() *table { return f.out }

func (f *liquidationBars) table() *table {
	f.close()
	return f.out
}

// liquidationJoin joins bars of liquidations. A bar in which nothing was liquidated has 0.
type liquidationJoin struct{ sum [2]float64 }

func (j *liquidationJoin) add(t *table, k int) {
	for c := range j.sum {
		j.sum[c] += t.cols[c][k]
	}
}

func (j *liquidationJoin) close(_, _ int64, row []float64) {
	copy(row, j.sum[:])
	j.forget()
}

func (j *liquidationJoin) forget() { j.sum = [2]float64{} }
