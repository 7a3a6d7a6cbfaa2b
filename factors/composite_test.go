package factors

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// table makes a frame of factors with one column per instrument each.
func table(g *Grid, names []string, cols ...[][]float64) *Frame {
	f := &Frame{Grid: g}
	for k, n := range names {
		f.Panels = append(f.Panels, NewPanel(n, g, cols[k]...))
	}
	return f
}

func one(factor string, n Normalization) Composite {
	return Composite{Components: []Component{{Factor: factor, Weight: 1}}, Normalize: n}
}

func TestNormalizations(t *testing.T) {
	g := hourly(6, "A", "B", "C")
	x := [][]float64{{1, 2, 4, nan, 4, 10}, {3, 3, 3, 3, 3, 3}, {5, 1, nan, 3, 8, -2}}
	f := table(g, []string{"x"}, x)
	s2 := math.Sqrt2
	for _, c := range []struct {
		name string
		n    Normalization
		want [][]float64 // by instrument; nil where not looked at
	}{
		{"rolling", Normalization{Method: Rolling, Window: Window{Bars: 2}, MinPeriods: 2},
			[][]float64{{nan, 1 / s2, 1 / s2, nan, nan, 1 / s2}, {nan, nan, nan, nan, nan, nan}}},
		{"expanding", Normalization{Method: Expanding},
			[][]float64{{nan, 1 / s2, (4 - 7./3) / math.Sqrt(7./3), nan, (4 - 11./4) / math.Sqrt(9./4), (10 - 21./5) / math.Sqrt(12.2)}}},
		{"expanding of 4", Normalization{Method: Expanding, MinPeriods: 4},
			[][]float64{{nan, nan, nan, nan, (4 - 11./4) / math.Sqrt(9./4), (10 - 21./5) / math.Sqrt(12.2)}}},
		{"fixed", Normalization{Method: Fixed, Mean: 2, Std: 0.5},
			[][]float64{{-2, 0, 4, nan, 4, 16}}},
		{"fixed and clipped", Normalization{Method: Fixed, Mean: 2, Std: 0.5, Clip: 3},
			[][]float64{{-2, 0, 3, nan, 3, 3}}},
		{"cross section", Normalization{Method: CrossSection},
			[][]float64{{-1, 0, nan, nan, -1 / math.Sqrt(7), (10 - 11./3) / math.Sqrt(109./3)}, {0, 1, nan, nan, -2 / math.Sqrt(7), (3 - 11./3) / math.Sqrt(109./3)}}},
		{"rank", Normalization{Method: Rank, Window: Window{Bars: 3}, MinPeriods: 1},
			[][]float64{{1, 1, 1, nan, 0.5, 1}, {1, 0.5, 1. / 3, 1. / 3, 1. / 3, 1. / 3}}},
		{"none", Normalization{Method: None}, x},
		{"none, clipped", Normalization{Method: None, Clip: 2},
			[][]float64{{1, 2, 2, nan, 2, 2}, nil, {2, 1, nan, 2, 2, -2}}},
		{"full sample", Normalization{Method: FullSample}, // of rows 1 … 4: 2, 4, 4 and 1, 3, 8
			[][]float64{{(1 - 10./3) / math.Sqrt(4./3), (2 - 10./3) / math.Sqrt(4./3), (4 - 10./3) / math.Sqrt(4./3), nan, (4 - 10./3) / math.Sqrt(4./3), (10 - 10./3) / math.Sqrt(4./3)},
				{nan, nan, nan, nan, nan, nan}, {(5 - 4) / math.Sqrt(13), -3 / math.Sqrt(13), nan, -1 / math.Sqrt(13), 4 / math.Sqrt(13), -6 / math.Sqrt(13)}}},
	} {
		s, err := f.Composite(one("x", c.n), 1, 5)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, want := range c.want {
			for row := range want {
				if got := s.Col(i)[row]; !near(got, want[row], 1e-14) {
					t.Errorf("%s of %d at %d = %v, want %v", c.name, i, row, got, want[row])
				}
			}
		}
	}
}

func TestNormalizationDefaults(t *testing.T) {
	g := hourly(1, "A")
	w, m, err := Normalization{}.window(g)
	if w != 720 || m != 180 || err != nil {
		t.Errorf("the default is %d bars, at least %d (%v), want 720 and 180", w, m, err)
	}
	if _, m, _ = (Normalization{Window: Window{Bars: 5}}).window(g); m != 2 {
		t.Errorf("a quarter of 5 bars is %d, want 2", m)
	}
}

func TestCompositeSum(t *testing.T) {
	g := hourly(4, "A")
	f := table(g, []string{"x", "y", "z"}, [][]float64{{1, 2, nan, nan}}, [][]float64{{10, nan, 30, nan}}, [][]float64{{-1, -2, -3, nan}})
	c := Composite{
		Components: []Component{{Factor: "x", Weight: 0.5}, {Factor: "y", Weight: -0.25}, {Factor: "z", Weight: 1, Normalize: &Normalization{Method: Fixed, Std: 0.5}}},
		Normalize:  Normalization{Method: None},
	}
	for missing, want := range map[MissingPolicy][]float64{
		"":     {0.5 - 2.5 - 2, nan, nan, nan},
		Strict: {0.5 - 2.5 - 2, nan, nan, nan},
		// Σ|w| is 1.75; 1.5 of it is present at row 1 and 1.25 at row 2.
		Renormalize: {0.5 - 2.5 - 2, (1 - 4) * 1.75 / 1.5, (-7.5 - 6) * 1.75 / 1.25, nan},
	} {
		c.Missing = missing
		s, err := f.Composite(c, 0, 4)
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != "composite" || len(s.Z) != 3 || s.Z[2].Name != "z" || s.Z[2].Col(0)[1] != -4 {
			t.Errorf("score is %+v", s)
		}
		for row, w := range want {
			if got := s.Col(0)[row]; !near(got, w, 1e-14) {
				t.Errorf("missing %q: F at %d = %v, want %v", missing, row, got, w)
			}
		}
	}
}

// Every normalization but the one that is meant to look ahead gives the same bits without the future.
func TestCompositeIsCausal(t *testing.T) {
	market := testMarket(t, 300, "A", "B", "C")
	full := mustCompute(t, market, mustMake(t, "momentum", Params{"window": "20"}, market.Grid))
	for _, n := range []Normalization{
		{Window: Window{Bars: 30}}, {Method: Expanding}, {Method: Fixed, Std: 2, Clip: 1}, {Method: CrossSection},
		{Method: Rank, Window: Window{Bars: 30}}, {Method: None},
	} {
		s, err := full.Composite(one("my_momentum", n), 0, 300)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(s.Col(0), func(v float64) bool { return !math.IsNaN(v) }) {
			t.Errorf("%s has no value", n.method())
		}
		for _, cut := range []int{1, 30, 121, 299} {
			part, err := full.head(cut).Composite(one("my_momentum", n), 0, cut)
			if err != nil {
				t.Fatal(err)
			}
			for i := range market.Instruments {
				if row, ok := sameBits(part.Col(i), s.Col(i)[:cut]); !ok {
					t.Errorf("%s: row %d is %v, and %v with the future present", n.method(), row, part.Col(i)[row], s.Col(i)[row])
				}
			}
		}
	}
}

func TestCompositeWarnings(t *testing.T) {
	g := hourly(4, "A")
	f := table(g, []string{"liquidity", "x"}, [][]float64{{0.9998, 0.9999, 0.9997, 0.9998}}, [][]float64{{1, 2, 4, 3}})
	warnings := func(c Composite) string {
		s, err := f.Composite(c, 0, 4)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, w := range s.Warnings {
			text = append(text, w.Error())
		}
		return strings.Join(text, "\n")
	}
	trap := one("liquidity", Normalization{Method: Fixed, Mean: 0.5, Std: 0.25})
	trap.Components[0].Weight = 0.25
	if got, want := warnings(trap), "liquidity of binance-futures:A varies by 0.033 % of the std that it is normalized by (fixed): it adds a near constant +0.5 to the composite"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := warnings(one("x", Normalization{Method: FullSample})), "x is normalized by the mean and std of the full sample, which looks ahead"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, n := range []Normalization{{Method: Fixed, Std: 1}, {Method: Expanding}, {Method: None}} {
		if got := warnings(one("x", n)); got != "" {
			t.Errorf("%s: %q", n.Method, got)
		}
	}
}

func TestCompositeErrors(t *testing.T) {
	f := table(hourly(2, "A"), []string{"momentum_14d"}, [][]float64{{1, 2}})
	for _, c := range []struct {
		c    Composite
		want string
	}{
		{Composite{}, "composite: there are no components"},
		{one("momentum14d", Normalization{}), `composite: there is no factor "momentum14d", did you mean momentum_14d?`},
		{one("momentum_14d", Normalization{Method: "roling"}), `composite: momentum_14d: method "roling" is unknown: want one of rolling, expanding, fixed, cross_section, rank, none, full_sample`},
		{one("momentum_14d", Normalization{Method: Fixed}), `composite: momentum_14d: fixed mean 0 and std 0: want numbers, and std above 0`},
		{one("momentum_14d", Normalization{Clip: -1}), `composite: momentum_14d: clip is -1, want 0 or more`},
		{one("momentum_14d", Normalization{Window: Window{Bars: 5}, MinPeriods: 6}), `composite: momentum_14d: normalize: min_periods is 6 bars, want 1 to the window's 5`},
		{Composite{Components: []Component{{Factor: "momentum_14d", Weight: nan}}}, `composite: momentum_14d: weight is NaN, want a number`},
		{Composite{Components: []Component{{Factor: "momentum_14d"}}, Missing: "skip"}, `composite: missing is "skip", want strict or renormalize`},
	} {
		if _, err := f.Composite(c.c, 0, 2); errText(err) != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
