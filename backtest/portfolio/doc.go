// Package portfolio trades targets: it replays them over blocks of bars, from a flat start, with the costs and the
// funding that a study says, and accounts for every change of equity.
//
//  1. New begins a replay of some rows of a market (Market, study.Span) under an execution (study.ExecutionConfig).
//     Several may be played side by side over the same blocks: other delays, no costs, buying and holding, trials.
//  2. Step takes the next block with the targets of its rows. Within a bar the order is: settlements due before the
//     fills, fills, settlements after them, the mark at the close, the decision. A bar without a price freezes the
//     position: nothing is marked or decided.
//  3. Rows over which nothing happens but that prices move are one stretch (stretch.go): equity is cash and the sum of
//     quantity times price. Where the next event lies (events.go, orders.go), the columns of the block are asked once.
//  4. A decision sends orders (orders.go); an order is filled after its delay, at the first bar that trades (fills.go),
//     and pays half the spread, impact and the fee (costs.go). What impact and allocation look back on is worked out
//     once for all portfolios of a market, before they step (history.go). Funding is paid as the data shows it, and
//     where it does not, net PnL is unknown from that instant on (funding.go).
//  5. Close checks that equity is the capital and the sum of its causes (Attribution), and gives the Account: days,
//     drawdown, turnover, exposure, round trips. Every figure of PnL is made of it.
//
// How blocks are cut changes no bit of what comes out. Simulate plays a frame in memory: the case of one block.
package portfolio
