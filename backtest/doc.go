// Package backtest runs a study: from the lake to every number that a report shows.
//
// A study is a plan of columns; the engine plays blocks of rows through it; every figure is a fold over blocks. A study
// that fits into one block and one of a hundred million trades take the same way:
//
//  1. newPlan opens the study's bars as a source of blocks (package bars) and makes the columns' plan: factors,
//     normalization and weights (package factors), the rule of the targets (package signals).
//  2. learn plays the span once where something knows the full sample, and only then.
//  3. pass plays it from the first row, warm-up included. Block by block it computes factors, composite, what models
//     said (package opinions) and targets; trades them in every replay that the study asks for, side by side (package
//     portfolio); and adds the rows to the figures (package evaluate) of every window that they lie in. Blocks are cut
//     at the edges of windows.
//  4. Backtest collects the figures into a Result. Rows of the replays are kept in scratch space where the study's
//     formats want them (Result.Rows); charts are drawn from thinned rows (Curves). Where the options have a ledger
//     (package ledger), the run is entered there and judged beside all trials (trials.go).
//
// Audit plays the study beside itself over lakes whose future is another (audit.go), and compares every block up to
// where the futures part. The result depends on the study, on the cells of the lake files that it reads and on that ledger:
// not on the length of blocks, the number of workers, the clock or the machine's memory.
package backtest
