package metrics

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

func TestCSCVVector(t *testing.T) {
	var v struct {
		Returns   [][]float64 // by period
		Blocks    int
		Logits    []float64
		PBO, Loss float64
		Line      []float64
	}
	text, err := os.ReadFile("testdata/cscv.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	byTrial := make([][]float64, len(v.Returns[0]))
	for _, row := range v.Returns {
		for i, r := range row {
			byTrial[i] = append(byTrial[i], r)
		}
	}
	o := CSCV(byTrial, v.Blocks)
	if len(o.Logits) != len(v.Logits) {
		t.Fatalf("%d halvings, want %d", len(o.Logits), len(v.Logits))
	}
	for i, want := range v.Logits {
		near(t, "logit", o.Logits[i], want, 1e-12)
	}
	near(t, "pbo", o.Probability, v.PBO, 1e-12)
	near(t, "loss", o.Loss, v.Loss, 1e-12)
	near(t, "slope", o.Slope, v.Line[0], 1e-9)
	near(t, "intercept", o.Intercept, v.Line[1], 1e-9)
}

func TestCSCVAtItsEdges(t *testing.T) {
	flat := make([]float64, 40)
	good, bad := noise(40, 0, 1), noise(40, 0, 2)
	for i := range good {
		good[i] = 1 + 0.1*good[i]
		bad[i] = -1 + 0.1*bad[i]
	}
	if o := CSCV([][]float64{bad, flat, good}, 4); o.Probability != 0 || o.Loss != 0 {
		t.Errorf("the best of a good, a bad and an idle trial: %+v, want it to stay the best", o)
	}
	if o := CSCV([][]float64{flat, flat}, 4); o.Probability != 1 || !math.IsNaN(o.Slope) {
		t.Errorf("two idle trials: %+v, want λ = 0 throughout and no line", o)
	}
	for _, o := range []Overfit{CSCV([][]float64{good}, 4), CSCV([][]float64{good[:7], bad[:7]}, 4)} {
		if !math.IsNaN(o.Probability) || o.Logits != nil {
			t.Errorf("too little for CSCV gives %+v", o)
		}
	}
	// Values far from 0 cost no digits: a trial that is the same but for a level ranks by that level.
	a, b := make([]float64, 40), make([]float64, 40)
	for i, v := range noise(40, 0, 3) {
		a[i], b[i] = 1e6+v, 1e6+1+v
	}
	if o := CSCV([][]float64{a, b}, 4); o.Probability != 0 {
		t.Errorf("the higher of two levels is the best in %v of the halves, want all", 1-o.Probability)
	}
}

func TestCorrelationsAgainstPairs(t *testing.T) {
	common := noise(60, 0, 9)
	series := func(n int, seed uint64) (list [][]float64) {
		for i := range n {
			x := noise(60, 0.2, seed+uint64(i))
			for k := range x {
				x[k] += common[k] * float64(i)
			}
			list = append(list, x)
		}
		return append(list, make([]float64, 60)) // constant: not counted
	}
	a, b := series(4, 100), series(3, 200)
	var sum, pairs float64
	all := slices.Concat(a, b)
	for i, x := range all {
		for j, y := range all {
			if r := Pearson(x, y); i != j && Defined(r) {
				sum, pairs = sum+r, pairs+1
			}
		}
	}
	var c Correlations
	c.Within(a)
	c.Within(b)
	c.Between(a, b)
	near(t, "pairs", c.Pairs, pairs, 0)
	near(t, "mean correlation", c.Mean(), sum/pairs, 1e-12)
	if one := (Correlations{}); !math.IsNaN(one.Mean()) {
		t.Errorf("mean correlation without a pair = %v", one.Mean())
	}
}

func TestDeflate(t *testing.T) {
	s := InferSharpe(noise(200, 0, 4))
	one := Deflate([]float64{0.1}, math.NaN())
	if one.Best != 0 || s.Deflated(one) != s.Probabilistic(0) || one.Effective != 1 {
		t.Errorf("one trial: %+v; want to be judged against 0", one)
	}
	ratios := []float64{0.1, -0.05, math.NaN(), 0.02, 0.07}
	d := Deflate(ratios, 0.5)
	std := Std([]float64{0.1, -0.05, 0.02, 0.07})
	near(t, "effective", d.Effective, 0.5+0.5*4, 1e-15)
	near(t, "variance", d.Variance, std*std, 1e-15)
	near(t, "best", d.Best, ExpectedMaxSharpe(std*std, 2.5), 1e-15)
	if same := Deflate(ratios, 1); same.Effective != 1 || same.Best != 0 {
		t.Errorf("trials that are all the same one: %+v, want one", same)
	}
	if apart := Deflate(ratios, -0.2); apart.Effective != 4 {
		t.Errorf("trials that go against each other: %+v, want four", apart)
	}
	for n := 1.0; n < 3; n += 0.01 {
		if v := ExpectedMaxSharpe(1, n); !(v >= 0 && v < 1) {
			t.Fatalf("the best of %v trials is expected to be %v", n, v)
		}
	}
}

// The kurtosis of the inference is the raw one, 3 for the normal distribution: with it the variance of the ratio is
// (1 + SR²/2)/(n − 1) of normal returns, Lo (2002). The excess kurtosis would make it (1 − SR²/4)/(n − 1).
func TestKurtosisIsRaw(t *testing.T) {
	normal := make([]float64, 99_999)
	for i := range normal {
		normal[i] = 2 + NormalQuantile(float64(i+1)/100_000)
	}
	s := InferSharpe(normal)
	if math.Abs(s.Kurtosis-3) > 0.01 {
		t.Errorf("kurtosis of the normal quantiles is %v, want 3", s.Kurtosis)
	}
	near(t, "standard error", s.StdError(), math.Sqrt((1+s.Ratio*s.Ratio/2)/(s.N-1)), 1e-5)
}

// naive is TestSuperiority as its sources write it: one resample after the other, each trial's own series.
func naive(returns [][]float64, block float64, draws int, seed uint64) (lower, value, upper, reality float64, stepDown []float64) {
	n := len(returns[0])
	size := float64(n)
	q := 1 / block
	mean := func(x []float64) float64 {
		s := 0.0
		for _, v := range x {
			s += v
		}
		return s / size
	}
	omega, stat := make([]float64, len(returns)), make([]float64, len(returns))
	seen, white := 0.0, math.Inf(-1)
	for k, x := range returns {
		m := mean(x)
		gamma := func(i int) float64 {
			s := 0.0
			for t := i; t < n; t++ {
				s += (x[t] - m) * (x[t-i] - m)
			}
			return s / size
		}
		v := gamma(0)
		for i := 1; i < n; i++ {
			f := float64(i)
			v += 2 * ((size-f)/size*math.Pow(1-q, f) + f/size*math.Pow(1-q, size-f)) * gamma(i)
		}
		omega[k] = math.Sqrt(v)
		stat[k] = math.Sqrt(size) * m / omega[k]
		seen, white = max(seen, stat[k]), max(white, math.Sqrt(size)*m)
	}
	r := rand.NewPCG(seed, 0)
	index := make([]int32, n)
	var t [][]float64 // by draw, then trial
	var l, c, u, w float64
	for range draws {
		Stationary(index, n, block, r)
		row := make([]float64, len(returns))
		var maxL, maxC, maxU float64
		maxW := math.Inf(-1)
		for k, x := range returns {
			resample := make([]float64, n)
			for i, at := range index {
				resample[i] = x[at]
			}
			m := mean(x)
			z := func(g float64) float64 { return math.Sqrt(size) * (mean(resample) - g) / omega[k] }
			maxL, maxU = max(maxL, z(max(0, m))), max(maxU, z(m))
			g := 0.0
			if stat[k] >= -math.Sqrt(2*math.Log(math.Log(size))) {
				g = m
			}
			maxC, maxW = max(maxC, z(g)), max(maxW, z(m)*omega[k])
			row[k] = z(m)
		}
		t = append(t, row)
		for _, p := range []struct {
			count    *float64
			got, min float64
		}{{&l, maxL, seen}, {&c, maxC, seen}, {&u, maxU, seen}, {&w, maxW, white}} {
			if p.got >= p.min {
				*p.count++
			}
		}
	}
	b := float64(draws + 1)
	order := make([]int, len(returns))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(i, j int) int {
		if stat[i] > stat[j] {
			return -1
		}
		return 1
	})
	stepDown = make([]float64, len(returns))
	last := 0.0
	for j, k := range order {
		count := 1.0
		for _, row := range t {
			largest := math.Inf(-1)
			for _, i := range order[j:] {
				largest = max(largest, row[i])
			}
			if largest >= stat[k] {
				count++
			}
		}
		last = max(last, count/b)
		stepDown[k] = last
	}
	return (1 + l) / b, (1 + c) / b, (1 + u) / b, (1 + w) / b, stepDown
}

func TestSuperiorityAgainstTheDefinition(t *testing.T) {
	for seed := range uint64(6) {
		var returns [][]float64
		for k := range 12 {
			x := noise(80, 0.3, 10*seed+uint64(k))
			for i := range x {
				x[i] = (x[i] - 3 + 0.08*float64(k) - 0.5) * (1 + float64(k%3)) // some clearly worse than nothing, some better; other scales
			}
			returns = append(returns, x)
		}
		const draws = 300
		s := TestSuperiority(returns, draws, seed)
		l, c, u, w, down := naive(returns, s.Block, draws, seed)
		if s.Lower != l || s.Value != c || s.Upper != u || s.Reality != w {
			t.Errorf("seed %d: %v, %v, %v and %v, want %v, %v, %v and %v", seed, s.Lower, s.Value, s.Upper, s.Reality, l, c, u, w)
		}
		if !slices.Equal(s.StepDown, down) {
			t.Errorf("seed %d: stepped down to %v, want %v", seed, s.StepDown, down)
		}
		if !(s.Lower <= s.Value && s.Value <= s.Upper) {
			t.Errorf("seed %d: %v, %v, %v are not in order", seed, s.Lower, s.Value, s.Upper)
		}
	}
}

// Without a signal a p-value of at most 0.1 comes in about a tenth of all cases; with one in most.
func TestSuperiorityRejectsAsOftenAsItSays(t *testing.T) {
	const worlds = 200
	count := func(edge float64) (value, reality, stepped int) {
		for w := range uint64(worlds) {
			var returns [][]float64
			for k := range uint64(10) {
				x := noise(100, 0, 1000*w+k)
				for i := range x {
					x[i] -= 3
					if k == 3 {
						x[i] += edge
					}
				}
				returns = append(returns, x)
			}
			s := TestSuperiority(returns, 199, w)
			for i, hit := range []bool{s.Value <= 0.1, s.Reality <= 0.1, slices.Min(s.StepDown) <= 0.1} {
				if hit {
					*[]*int{&value, &reality, &stepped}[i]++
				}
			}
		}
		return
	}
	for _, n := range list3(count(0)) {
		if n < worlds*4/100 || n > worlds*19/100 {
			t.Errorf("of noise %d of %d worlds are called superior at 10 %%", n, worlds)
		}
	}
	for _, n := range list3(count(0.5)) {
		if n < worlds*9/10 {
			t.Errorf("of a signal only %d of %d worlds are called superior", n, worlds)
		}
	}
}

func list3(a, b, c int) []int { return []int{a, b, c} }

func TestSuperiorityOfLittle(t *testing.T) {
	flat := make([]float64, 30)
	s := TestSuperiority([][]float64{flat, noise(30, 0, 1)}, 50, 1)
	if s.Trials != 1 || s.Best != 1 || !math.IsNaN(s.StepDown[0]) || !Defined(s.StepDown[1]) {
		t.Errorf("one idle trial and one other: %+v", s)
	}
	for _, s := range []Superiority{TestSuperiority([][]float64{flat}, 50, 1), TestSuperiority([][]float64{noise(9, 0, 1)}, 50, 1), TestSuperiority(nil, 50, 1), TestSuperiority([][]float64{noise(30, 0, 1)}, 0, 1)} {
		if s.Best != -1 && s.Trials == 0 || !math.IsNaN(s.Value) || !math.IsNaN(s.Reality) {
			t.Errorf("of too little: %+v", s)
		}
	}
	loser := noise(50, 0, 5)
	for i := range loser {
		loser[i] -= 6
	}
	if s := TestSuperiority([][]float64{loser}, 99, 1); s.Value != 1 {
		t.Errorf("a trial that only loses has p = %v, want 1", s.Value)
	}
}

func TestAdjustedMissing(t *testing.T) {
	p := []float64{0.01, math.NaN(), 0.04}
	for name, f := range map[string]func([]float64) []float64{"holm": Holm, "bh": BenjaminiHochberg, "by": BenjaminiYekutieli} {
		got := f(p)
		two := f([]float64{0.01, 0.04})
		if !math.IsNaN(got[1]) || got[0] != two[0] || got[2] != two[1] {
			t.Errorf("%s(%v) = %v, want %v about the NaN", name, p, got, two)
		}
		if got := f(nil); len(got) != 0 {
			t.Errorf("%s of nothing = %v", name, got)
		}
	}
}
