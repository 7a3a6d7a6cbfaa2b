package bars

import (
	"math"
	"strconv"
)

// The output columns of trades; those of the tick windows follow.
const (
	oOpen = iota
	oHigh
	oLow
	oClose
	oVWAP
	oVolume
	oTurnover
	oBuyTurnover
	oSellTurnover
	oTrades
	oBuyTrades
	oWindows
)

var tradeNames = []string{"open", "high", "low", "close", "vwap", "volume", "turnover",
	"buy_turnover", "sell_turnover", "trades", "buy_trades"}

// tradeOutput names the output columns.
func tradeOutput(windows []int) []string {
	names := append([]string(nil), tradeNames...)
	for _, n := range windows {
		names = append(names, "ofi_"+strconv.Itoa(n)+"t")
	}
	return names
}

// joinTrades puts the days' bars behind each other and completes what crosses midnight. A time bar
// that two day-files share (by the exchange's clock the day does not turn when the recorder's does)
// is the earlier file's part followed by the later's. After a missing day tick windows start anew.
func joinTrades(days []part, kind Kind, windows []int) *table {
	out := newTable(oWindows + len(windows))
	row := make([]float64, len(out.cols))
	var before tail
	for _, d := range days {
		if d.presence == Missing {
			before = tail{}
		}
		if d.table == nil {
			continue
		}
		seen := 0.0
		for k, label := range d.table.ts {
			last := len(out.ts) - 1
			shared := kind == TimeBars && last >= 0 && label <= out.ts[last]
			tradeRow(row, d.table, k)
			if shared {
				mergeTrades(row, out, last)
			}
			row[oVWAP] = vwap(row)
			seen += d.table.cols[cTrades][k]
			for w, n := range windows {
				row[oWindows+w] = before.ofi(n, seen, d.table.cols[cWindows+2*w][k], d.table.cols[cWindows+2*w+1][k])
			}
			if shared {
				out.set(last, row...)
			} else {
				out.add(label, row...)
			}
		}
		before.push(d.table.tail, windows[len(windows)-1])
	}
	return out
}

// tradeRow writes row k of a trades table in output order, but for vwap and the windows.
func tradeRow(row []float64, t *table, k int) {
	for c, o := range [cWindows]int{
		cOpen: oOpen, cHigh: oHigh, cLow: oLow, cClose: oClose, cVolume: oVolume, cTurnover: oTurnover,
		cBuyTurnover: oBuyTurnover, cSellTurnover: oSellTurnover, cTrades: oTrades, cBuyTrades: oBuyTrades,
	} {
		row[o] = t.cols[c][k]
	}
}

// mergeTrades puts the bar at last before row's, in row.
func mergeTrades(row []float64, out *table, last int) {
	row[oOpen] = out.cols[oOpen][last]
	row[oHigh] = max(row[oHigh], out.cols[oHigh][last])
	row[oLow] = min(row[oLow], out.cols[oLow][last])
	for _, c := range []int{oVolume, oTurnover, oBuyTurnover, oSellTurnover, oTrades, oBuyTrades} {
		row[c] += out.cols[c][last]
	}
}

// vwap is turnover/volume, the mean price of a base coin, NaN where nothing was traded; rounding
// does not take it out of [low, high].
func vwap(row []float64) float64 {
	if row[oVolume] == 0 {
		return math.NaN()
	}
	return min(max(row[oTurnover]/row[oVolume], row[oLow]), row[oHigh])
}

// idleTrades makes a bar the empty one that follows it: it carries the close, and its tick windows
// are still the last N trades.
func idleTrades(row []float64) {
	for _, c := range []int{oOpen, oHigh, oLow} {
		row[c] = row[oClose]
	}
	row[oVWAP] = math.NaN()
	for c := oVolume; c < oWindows; c++ {
		row[c] = 0
	}
}
