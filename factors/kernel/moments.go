package kernel

import "math"

// Var writes the trailing sample variance of x into dst,
//
//	dst[t] = Σ (x[s]-m)² / (n-1),  s = t-window+1 … t,  m the mean and n the number of those x[s],
//
// and NaN where n < 2. Equal values give exactly 0. It takes O(len(x)) time. Merging follows Chan,
// Golub and LeVeque (1983).
func Var(dst, x []float64, window, minPeriods int) { NewVar(window, minPeriods).Next(dst, x) }

// Std writes the square root of Var into dst.
func Std(dst, x []float64, window, minPeriods int) { NewStd(window, minPeriods).Next(dst, x) }

// ZScore writes how many trailing standard deviations x lies from its trailing mean into dst,
//
//	dst[t] = (x[t]-m) / s,  m and s the mean and Std of the window that ends at t,
//
// and NaN where x[t] is missing, where the window has fewer than two values or where s is 0.
// It takes O(len(x)) time.
func ZScore(dst, x []float64, window, minPeriods int) {
	NewZScore(window, minPeriods).Next(dst, x)
}

// statistic says what spread makes of a window's moments.
type statistic uint8

const (
	variance statistic = iota
	deviation
	score
)

// moments are the number of values, their sum and mean less a reference, and m2 = Σ (x-m)². The
// reference is one of the values, so that an offset common to all of them costs no digits.
type moments struct{ n, sum, mean, m2 float64 }

// push adds one value, less the reference; inv is 1/(n+1).
func (a moments) push(v, inv float64) moments {
	sum := a.sum + v
	mean := float64(sum * inv)
	return moments{a.n + 1, sum, mean, a.m2 + float64((v-a.mean)*(v-mean))}
}

// NewVar is a Rolling of Var.
func NewVar(window, minPeriods int) Rolling { return newSpread(window, minPeriods, variance) }

// NewStd is a Rolling of Std.
func NewStd(window, minPeriods int) Rolling { return newSpread(window, minPeriods, deviation) }

// NewZScore is a Rolling of ZScore.
func NewZScore(window, minPeriods int) Rolling { return newSpread(window, minPeriods, score) }

type spread struct {
	merged[powers]
	minPeriods float64
	what       statistic
}

func newSpread(window, minPeriods int, what statistic) Rolling {
	checkWindow(window, minPeriods)
	return &spread{newPowers(window), float64(max(minPeriods, 2)), what}
}

func (s *spread) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	s.next(x, x, func(t int, head, tail powers) {
		a := head.merge(tail)
		if a.n < s.minPeriods {
			dst[t] = nan
			return
		}
		y := a.m2 / (a.n - 1)
		switch s.what {
		case deviation:
			y = math.Sqrt(y)
		case score:
			y = (x[t] - a.ref - a.mean) / math.Sqrt(y)
			if !finite(y) {
				y = nan
			}
		}
		dst[t] = y
	})
}
