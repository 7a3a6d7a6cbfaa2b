// Package factors computes factors over bars and weighs them into a score.
//
//  1. Every kind of factor is one entry of Catalogue and one file of this package; Make makes a Factor of it for a Grid.
//  2. NewPlan lays out what factors are made of, each intermediate once. Its Play takes the market in blocks of rows and
//     gives the factors' columns; what it carries from block to block makes the cutting invisible. The loops are those
//     of package kernel.
//  3. Composite.Scorer prepares the score. Its Scoring takes the factors' columns and gives F = Σ weight·z. Where it
//     looks ahead it wants a first pass: Survey, then Fit.
//  4. A Frame is a whole table in memory, the case of one block: Load makes one of bars, Compute one of factors, and
//     Frame.Composite its score.
//
// Two rules hold throughout. Missing is NaN. A value at row t was knowable at Close[t]: it depends on rows up to t alone,
// and on the last Factor.Lookback of them, to the bit.
package factors
