package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// columns are what sorting meets: plain values, ties, spikes, values near 0 on both sides, one level far from 0, gaps.
var columns = map[string]func(r *rand.Rand) float64{
	"normal":   func(r *rand.Rand) float64 { return r.NormFloat64() },
	"ties":     func(r *rand.Rand) float64 { return math.Round(2 * r.NormFloat64()) },
	"spikes":   func(r *rand.Rand) float64 { return math.Exp(20 * r.NormFloat64()) },
	"tiny":     func(r *rand.Rand) float64 { return math.Exp(-80*r.Float64()) * float64(1-2*r.IntN(2)) },
	"crowded":  func(r *rand.Rand) float64 { return 0.9998 + 1e-12*math.Round(1000*r.Float64()) },
	"zeros":    func(r *rand.Rand) float64 { return math.Copysign(0, r.NormFloat64()) },
	"constant": func(r *rand.Rand) float64 { return 3 },
	"gaps": func(r *rand.Rand) float64 {
		return []float64{r.NormFloat64(), math.NaN(), math.Inf(1), math.Inf(-1), 1}[r.IntN(5)]
	},
	"denormal": func(r *rand.Rand) float64 { return math.Float64frombits(uint64(r.IntN(50))) },
	"mixed": func(r *rand.Rand) float64 {
		return []float64{1e300 * r.NormFloat64(), 1e-300 * r.NormFloat64()}[r.IntN(2)]
	},
}

func column(name string, n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 5))
	x := make([]float64, n)
	for k := range x {
		x[k] = columns[name](r)
	}
	return x
}

// Ranks are counts of smaller and of not larger values.
func TestRankIsItsDefinition(t *testing.T) {
	var s Sorter // serves all
	for name := range columns {
		for _, n := range []int{0, 1, 5, 700, 3000} {
			x := column(name, n, 1)
			start, end := make([]int32, n), make([]int32, n)
			r := s.Rank(start, end, x)
			var defined []float64
			for _, v := range x {
				if Defined(v) {
					defined = append(defined, v)
				}
			}
			distinct := map[float64]bool{}
			sorted := slices.Clone(defined)
			slices.Sort(sorted)
			for k, v := range x {
				if has := r.Defined[k/64]>>(k%64)&1 == 1; has != Defined(v) {
					t.Fatalf("%s: row %d of %v is there: %v", name, k, v, has)
				}
				if !Defined(v) {
					if start[k] != -1 {
						t.Fatalf("%s: a missing row starts at %d", name, start[k])
					}
					continue
				}
				distinct[v+0] = true
				below, _ := slices.BinarySearch(sorted, v)
				upTo, _ := slices.BinarySearchFunc(sorted, v, func(a, b float64) int {
					if a <= b {
						return -1
					}
					return 1
				})
				e := start[k] + 1
				if r.Tied {
					e = end[k]
				}
				if int(start[k]) != below || int(e) != upTo {
					t.Fatalf("%s: row %d, %v, ranks from %d to %d, want %d to %d", name, k, v, start[k], e, below, upTo)
				}
			}
			if r.N != len(defined) || r.Distinct != len(distinct) || r.Defined.Count() != r.N {
				t.Errorf("%s: %+v of %d values, %d of them distinct", name, r, len(defined), len(distinct))
			}
		}
	}
}

// Thinned ranks are those of the rows left, sorted by themselves.
func TestThinnedIsSortingAgain(t *testing.T) {
	var s Sorter
	var thin Thinned
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"normal", "ties", "gaps", "constant", "tiny"}
		n := rapid.IntRange(1, 400).Draw(t, "n")
		x := column(rapid.SampledFrom(names).Draw(t, "column"), n, rapid.Uint64().Draw(t, "seed"))
		start, end := make([]int32, n), make([]int32, n)
		r := s.Rank(start, end, x)
		dropping := rapid.SampledFrom([]float64{0, 0.1, 0.9, 1}).Draw(t, "dropping")
		random := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "drops")))
		left, kept := slices.Clone(x), slices.Clone(r.Defined)
		thin.Begin(r)
		for k, v := range x {
			if Defined(v) && random.Float64() < dropping {
				left[k] = math.NaN()
				kept[k/64] &^= 1 << (k % 64)
				e := start[k] + 1
				if r.Tied {
					e = end[k]
				}
				thin.Drop(start[k], e)
			}
		}
		thin.Close()
		wantStart, wantEnd := make([]int32, n), make([]int32, n)
		var again Sorter
		want := again.Rank(wantStart, wantEnd, left)
		if thin.Distinct != want.Distinct {
			t.Fatalf("%d distinct values, want %d", thin.Distinct, want.Distinct)
		}
		check := func(what string, rank, want []int32) {
			got := thin.Of(nil, rank, kept)
			var w []int32
			for k, v := range left {
				if Defined(v) {
					w = append(w, want[k])
				}
			}
			if !slices.Equal(got, w) {
				t.Fatalf("%s %v, want %v", what, got, w)
			}
		}
		check("starts", start, wantStart)
		if r.Tied && want.Tied {
			check("ends", end, wantEnd)
		}
	})
}

// Pairs whose centres moved are as pairs about the new ones from the beginning.
func TestShiftedPhasesAndBlocks(t *testing.T) {
	x, y := noise(900, 0.8, 3), noise(900, 0.3, 4)
	for _, h := range []int{1, 3, 64, 500} {
		a, b := NewPhases(h), NewPhases(h)
		blocks := NewPairBlocks(h, len(x))
		dx, dy := make([]float64, len(x)), make([]float64, len(x))
		for k := range x {
			dx[k], dy[k] = x[k]-0.3, y[k]+0.2
		}
		a.Add(x[:700], y[:700], 0, 0)
		blocks.Add(x[:700], y[:700])
		a.Shift(0.3, -0.2)
		blocks.Shift(0.3, -0.2)
		a.Add(dx[700:], dy[700:], 0, 0)
		blocks.Add(dx[700:], dy[700:])
		b.Add(dx, dy, 0, 0)
		if p, q := a.T(), b.T(); math.Abs(p-q) > 1e-12*math.Abs(q) {
			t.Errorf("h %d: t of phases %v, want %v", h, p, q)
		}
		u, squares := make([]float64, len(x)), 0.0
		for k := range u {
			u[k] = dx[k] * dy[k]
			squares += u[k] * u[k]
		}
		p, q := blocks.Products(squares).Test(), SmallSampleT(u, h)
		if blocks.Full() {
			continue // h 1 and 3: more than 100 horizons
		}
		if math.IsNaN(p.T) != math.IsNaN(q.T) || math.Abs(p.T-q.T) > 1e-12*math.Abs(q.T) {
			t.Errorf("h %d: t of blocks %v, want %v", h, p.T, q.T)
		}
	}
}
