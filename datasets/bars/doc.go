// Package bars folds ticks into bars: day by day, each day-file in one pass and in memory that does
// not grow with its rows, then stitched in day order. Built days are cached in the lake.
//
// # Rows
//
// A row's time is that of the spec's clock. Time bars labelled ts cover [ts − Δ, ts): a row exactly
// at a label belongs to the next bar, and a row that comes late (its time is before the bar in
// progress) joins the bar in progress. The days [First, End) give the labels (First.Start, End.Start].
// Nothing is carried across a missing day: its bars are null, and so are those after it until the
// next row. A known-empty day carries what was known, like an empty bar.
//
// # Columns of trades
//
// open, high, low, close; an empty bar after the first trade carries the last close in all four.
//
// volume is in base coins and turnover in quote currency: for spot and linear contracts
// amount·Multiplier and price·amount·Multiplier, for inverse contracts amount·Multiplier/price and
// amount·Multiplier. vwap is turnover/volume, the mean price of a base coin, and null where nothing
// was traded. buy_turnover and sell_turnover are by the taker's side; a trade of unknown side counts
// in neither. trades and buy_trades are counts. All are 0 in an empty bar.
//
// ofi_{N}t is (B − S)/(B + S) by notional over the last N trades at the bar's close, running across
// bars and days but not across a missing day. A trade of unknown side takes a place and adds to
// neither side. Null until there were N trades, and where B + S = 0. For the order of summation see
// tickWindow.
//
// # Columns of derivative_ticker
//
// mark_price, index_price, funding_rate, predicted_funding_rate, funding_timestamp (Unix µs, exact in
// a float64), open_interest: the last value of each that was not empty, at the close.
package bars
