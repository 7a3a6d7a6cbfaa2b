// Package expr compiles a study's own factors, one-line formulas such as
//
//	-delta(close, 1h) / ts_std(close, 1d)
//
// into nodes of a factors.Plan, which computes equal parts once.
//
// # Language
//
// Numbers, names, calls with positional and named arguments, + - * / ^, comparisons (< <= > >= == !=), and, or, not,
// brackets; # begins a comment, and a formula may have several lines. From loose to tight the operators bind as or,
// and, not, comparison, + -, * /, unary -, ^; ^ groups from the right, so that -x^2 is -(x^2).
//
// A name is a bar column (close, funding_rate), returns (the log return of close), another factor of the study or one of
// its definitions. A kind of the catalogue is called: volatility(window = 20d). x["exchange:SYMBOL"] is x of one
// instrument, for all of them.
//
// A window is a number of bars (20) or a length of time (4h, 1d12h); it must be a constant. Everything is causal: there
// is no negative delay.
//
// # Values
//
// A value is a number or true or false; the two do not mix. Missing is NaN. What is not finite, as a quotient by
// 0 or the logarithm of a negative number, is missing, never Inf; what is made of something missing is missing, unless
// an operator says otherwise. Windows skip missing rows, and want min_periods values: a share of the window (0.9 where it is not given), bars or time.
//
// The lookback of an expression follows from its operators and is exact: a value depends on so many bars, to the bit.
package expr
