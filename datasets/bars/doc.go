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
// Tick, volume and dollar bars are closed by the trade that fills them, which is not split, and at
// the end of the day-file: at 00:00 UTC by the recorder's clock. They are labelled with the time of
// their last trade, or by the exchange's clock the latest so far. Of the other feeds a bar has the rows
// before its label, from its predecessor's label on.
//
// # Sources
//
// OpenSource looks up what the lake has, folds the days that the bar cache lacks, several side by side, and keeps them.
// Blocks then plays rows in order: a goroutine fills buffer after buffer, ahead of who reads them. For each instrument
//
//  1. the labels come first: arithmetic for time bars, else the tables of trades, or the trades themselves where each
//     is a bar;
//  2. each feed of which a field is wanted is joined to the labels of a stretch of one day: rows of its tables, which
//     come day by day from month files that stay open, or from ticks. Where trades are bars a day's table would be too
//     long, so the ticks of the feed are folded a few bars at a time;
//  3. what settled in each bar is added up.
//
// A bar that is not a time bar has rows of its own day's files and of those before.
//
// # Columns of trades
//
// A trade at a price that is not above 0 is none: it is left out, or where each trade is a bar it has the price of the
// one before and no amount. A side of a quote at such a price is absent.
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
//
// # Columns of quotes, book_ticker and book snapshots
//
// bid, ask, bid_amount, ask_amount of the last row, the amounts in the venue's unit; a side that the
// row does not have is null. microprice is (bid·ask_amount + ask·bid_amount)/(bid_amount + ask_amount).
//
// spread is the mean of (ask − bid)/mid over the bar, weighted by the time that each quote stood
// in it, that of the bar before included. Time during which a side was absent or the quote crossed does
// not count; where there is no other, it is null. A bar of no duration has its last quote's.
//
// book_ofi is the sum over the bar's rows of the order-flow imbalance of Cont, Kukanov and Stoikov
// (2014), each row against the one before it; an absent side is an infinitely bad price. A row without
// either side, and a missing day, are gaps from which it begins anew. book_depth is the mean of
// (bid_amount + ask_amount)/2 over the bar's rows with both sides, in a bar without one that of the last
// quote.
//
// bid_depth_5, ask_depth_5, bid_depth_25, ask_depth_25 are the notional of the best levels of the last
// snapshot, and bid_depth_10bps, ask_depth_10bps that of the levels not farther than 10 bps from mid,
// as deep as the snapshot reaches.
//
// # Columns of liquidations
//
// liquidated_long and liquidated_short are notional; the taker who sells is a long being closed. 0
// in a bar without any, null on a missing day.
package bars
