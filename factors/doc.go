// Package factors computes factors over bars and weighs them into a score.
//
// A Frame is a table on a Grid of T bar closes by N instruments: Load makes one of bars, Compute
// makes one of factors from it, and Frame.Composite makes the score. Every kind of factor is one
// entry of Catalogue and one file of this package; the loops are those of package kernel.
//
// Two rules hold throughout. Missing is NaN. A value at row t was knowable at Close[t]: it depends
// on rows up to t alone, and on the last Factor.Lookback of them, to the bit.
package factors
