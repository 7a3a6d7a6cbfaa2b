// Package metrics holds the loops over []float64 with which scores and returns are judged: information
// coefficients and their significance under overlap, return and drawdown figures, and the inference
// on Sharpe ratios.
//
// Every function returns NaN where its figure cannot be computed; the caller knows why and says so.
// Inputs hold defined values only unless a comment says otherwise: the caller closes up gaps.
package metrics
