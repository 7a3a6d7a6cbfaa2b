// Package sweep tries many settings of one study and keeps what each came to.
//
//  1. A study's section sweep names settings by path, with their values (package study). Design makes the list of trials of it: a
//     grid, seeded draws or a Sobol sequence, thinned and completed by constraints.
//  2. Load reads the study once for each trial, with the trial's settings in place: a trial is a study, and qf backtest
//     --trial runs it whole.
//  3. Run plays all of them side by side (backtest.SideBySide): figures are those of the backtests to the bit. What is finished
//     is counted on the lake's ledger (package ledger) and kept pass by pass, so that an interrupted sweep goes on where it stopped.
//  4. A Result lists the trials with settings, figures and daily returns; Best says which is best at the objective.
//  5. Result.Judge says what the best is worth after all trials, Result.WalkForward what choosing by the past would have
//     earned on the days after it.
//
// The list of trials and each outcome depend on the study and the data alone, not on workers, shares or interruptions.
package sweep
