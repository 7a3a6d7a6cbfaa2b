// Package kernel holds the loops over []float64 that factors are made of.
//
//  1. Each windowed statistic is a Rolling, started by a New function and fed blocks of rows; Sum, Std and the others are
//     the case of one block. What a Rolling carries makes the cutting into blocks invisible.
//  2. Sums are exact, so that the row that leaves is taken away without a trace, and rounded once. Statistics of
//     distances from the mean keep an axis: the window's rows and the frame, which says in which units they are
//     counted. Their sums are of whole numbers.
//  3. Order statistics keep the window's rows in order.
//
// Conventions, for every function: dst comes first, has the length of the input and does not overlap it. Windows trail
// and end at t, so that dst[t] depends on x[t-window+1 … t] alone: equal windows have equal values, to the bit, whatever
// comes before or after and wherever they stand. NaN and ±Inf are missing, and for sums so are sizes of 10¹⁵⁰ and more:
// they are skipped, and a window with fewer than minPeriods values gives NaN, as in pandas; minPeriods 0 asks for nothing
// beyond what the statistic itself needs. Statistics are those of a sample (ddof 1). A function panics if the lengths
// differ, if window < 1 or if minPeriods is outside [0, window].
//
// A Rolling of a window holds 8 to 24 bytes a row of it, those of weights more. It allocates as the window fills, and
// no more then.
package kernel

import "math"

// Rolling is a kernel of one column that is fed blocks of rows in order. What it carries from one to the next makes
// the cutting invisible: any blocks give the bits that the whole column gives in one.
type Rolling interface {
	// Next writes the values of the next rows into dst, which has the length of x and does not overlap it. It keeps
	// neither.
	Next(dst, x []float64)
}

// RollingPair is a kernel of two columns.
type RollingPair interface {
	Next(dst, x, y []float64)
}

var nan = math.NaN()

// finite reports whether v is neither NaN nor ±Inf. It is rounded first: of a product that the compiler has in its
// hands the fused difference would be what rounding took away.
func finite(v float64) bool { w := float64(v); return w-w == 0 }

func checkLengths(dst, x int) {
	if dst != x {
		panic("kernel: dst and input differ in length")
	}
}

func checkWindow(window, minPeriods int) {
	if window < 1 {
		panic("kernel: window < 1")
	}
	if minPeriods < 0 || minPeriods > window {
		panic("kernel: minPeriods outside [0, window]")
	}
}
