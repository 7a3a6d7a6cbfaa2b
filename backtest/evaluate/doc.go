// Package evaluate says what signals and runs are worth: every figure is a fold over blocks of rows, and a frame in memory is
// the case of one block.
//
//  1. New begins a Window: the signals of a study over the rows of one replay. Windows may overlap; each has its own.
//  2. Window.Step takes the next rows: labels, execution price and close by instrument, signals by signal and instrument.
//     It holds them until their forward returns are known, R_{t,h} = ln(X_{t+d+h}/X_{t+d}), and cuts them into chunks of its
//     own (chunk.go), so that how blocks are cut changes no bit of what comes out.
//  3. A chunk goes into folds, side by side: the pairs of each signal, instrument and horizon (pairs.go), levels (levels.go),
//     the distribution of scores, realized volatility by day. Pairs are gathered in one pass, without knowing the means that
//     their sums are about: those follow at the end.
//  4. What needs columns as a whole is kept in scratch space, and made by Close: ranks (ranks.go), which are columns that are
//     fed to the test that Pearson's pairs go through, with quantile buckets (buckets.go); persistence; of several
//     instruments the pooled series and the correlation across them (pooled.go, cross.go). With evaluation.rank_ic and
//     persistence off, one instrument keeps nothing: memory is flat.
//  5. Close turns sums into rows (ic.go, figures.go): the tested series u_t = z(f_t)·z(R_{t,h}), Hansen and Hodrick's t or
//     where horizons are few that of equally weighted cosines, by day, resampled, sliced by hour and volatility.
//  6. PnL and Variant make the figures of a run from its portfolio.Account. Stability sums windows up.
//
// What is said of a figure comes from a table, that of the IC (icfigures.go) or that of PnL (pnl.go): key, unit, label, formula,
// what it follows from or needs, function. The reasons, the pages and, of PnL, report.json and its metrics are made by them.
//
// A figure that cannot be computed is null, with the reason in the row's Reasons under the figure's key. Rows of report.json
// are the types of rows.go.
package evaluate
