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

// tradeNames names the output columns of trades.
func tradeNames(windows []int) []string {
	names := []string{"open", "high", "low", "close", "vwap", "volume", "turnover",
		"buy_turnover", "sell_turnover", "trades", "buy_trades"}
	for _, n := range windows {
		names = append(names, "ofi_"+strconv.Itoa(n)+"t")
	}
	return names
}

// tradeJoin joins bars of trades. After a missing day the tick windows start anew.
type tradeJoin struct {
	days    []part // what the lake has, without tables
	windows []int
	row     []float64 // the bar in progress, or the last one
	state   barState
	next    int          // the day after that whose rows are being added, counted from the first
	tail    [2][]float64 // of that day
	seen    float64
	before  tail // of the days before
}

// ofTrades lists the columns of a trades table that an output column is made of: an empty bar has the last close.
func ofTrades(column int) []int {
	if column >= oWindows {
		w := cWindows + 2*(column-oWindows)
		return []int{cTrades, w, w + 1}
	}
	return [oWindows][]int{
		oOpen: {cOpen, cClose}, oHigh: {cHigh, cClose}, oLow: {cLow, cClose}, oClose: {cClose},
		oVWAP: {cTurnover, cVolume, cLow, cHigh}, oVolume: {cVolume}, oTurnover: {cTurnover},
		oBuyTurnover: {cBuyTurnover}, oSellTurnover: {cSellTurnover}, oTrades: {cTrades}, oBuyTrades: {cBuyTrades},
	}[column]
}

type barState uint8

const (
	unknown barState = iota // nothing to carry
	closed                  // the last bar's close is carried
	open                    // a bar is in progress
)

func newTradeJoin(days []part, windows []int) *tradeJoin {
	return &tradeJoin{days: days, windows: windows, row: make([]float64, oWindows+len(windows))}
}

func (j *tradeJoin) add(t *table, k int) {
	if t.day != j.next-1 {
		j.turn(t)
	}
	in := func(c int) float64 { return t.cols[c][k] }
	r := j.row
	if j.state != open {
		r[oOpen], r[oHigh], r[oLow] = in(cOpen), in(cHigh), in(cLow)
		for c := oVolume; c < oWindows; c++ {
			r[c] = 0
		}
		j.state = open
	}
	r[oHigh], r[oLow], r[oClose] = max(r[oHigh], in(cHigh)), min(r[oLow], in(cLow)), in(cClose)
	r[oVolume] += in(cVolume)
	r[oTurnover] += in(cTurnover)
	r[oBuyTurnover] += in(cBuyTurnover)
	r[oSellTurnover] += in(cSellTurnover)
	r[oTrades] += in(cTrades)
	r[oBuyTrades] += in(cBuyTrades)
	j.seen += in(cTrades)
	for w, n := range j.windows {
		r[oWindows+w] = j.before.ofi(n, j.seen, in(cWindows+2*w), in(cWindows+2*w+1))
	}
}

// turn goes on to the rows of another day.
func (j *tradeJoin) turn(t *table) {
	if j.next > 0 {
		j.before.push(j.tail, j.windows[len(j.windows)-1])
	}
	for ; j.next < t.day; j.next++ {
		if j.days[j.next].presence == Missing {
			j.before = tail{}
		}
	}
	j.tail, j.next, j.seen = t.tail, t.day+1, 0
}

func (j *tradeJoin) close(_, _ int64, row []float64) {
	r := j.row
	switch j.state {
	case unknown:
		for c := range row {
			row[c] = math.NaN()
		}
		return
	case open:
		r[oVWAP] = vwap(r[oTurnover], r[oVolume], r[oLow], r[oHigh])
		j.state = closed
	case closed: // an empty bar
		r[oOpen], r[oHigh], r[oLow], r[oVWAP] = r[oClose], r[oClose], r[oClose], math.NaN()
		for c := oVolume; c < oWindows; c++ {
			r[c] = 0
		}
	}
	copy(row, r)
}

func (j *tradeJoin) forget() { j.state = unknown }
