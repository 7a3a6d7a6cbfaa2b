package opinions

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

// fake is a market and a model that is asked once a day about its instruments.
type fake struct {
	instruments int
	days        int
	cutoff      int // days before the knowledge cut-off
	knows       float64
	follows     float64 // how much of a day's return the day before announces; the model follows that
	always      bool    // the model says long whatever happens
	drift       float64 // of the market before the cut-off; its negative after
	silent      float64 // share of neutral answers
}

func (f fake) answers(seed uint64) (early, late []outcome) {
	r := rand.New(rand.NewPCG(seed, 4))
	last := make([]float64, f.instruments)
	volatility := 1.0
	for d := range f.days {
		volatility = math.Exp(0.9*math.Log(volatility) + 0.3*r.NormFloat64()) // clusters
		common := r.NormFloat64()
		for i := range f.instruments {
			x := f.follows*last[i] + 0.8*common + 0.6*r.NormFloat64()
			a := outcome{time: int64(d), instrument: i, confidence: 0.6}
			a.forward = 0.02 * volatility * x
			if d < f.cutoff {
				a.forward += f.drift
			} else {
				a.forward -= f.drift
			}
			a.side = math.Copysign(1, last[i])
			if f.follows == 0 {
				a.side = math.Copysign(1, r.NormFloat64())
			}
			if f.always {
				a.side = 1
			}
			if d < f.cutoff && r.Float64() < f.knows {
				a.side = math.Copysign(1, a.forward)
			}
			if r.Float64() < f.silent {
				a.side = 0
			}
			last[i] = x
			if d < f.cutoff {
				early = append(early, a)
			} else {
				late = append(late, a)
			}
		}
	}
	return early, late
}

// A model that knows the future up to its cut-off is found out; honest ones are accused in at most one of a
// hundred cases, though they follow what goes in runs, always say long in a market that turns at the
// cut-off, or hardly say anything.
func TestContamination(t *testing.T) {
	seeds := 100
	if testing.Short() {
		seeds = 15
	}
	for name, c := range map[string]struct {
		fake
		least, most float64 // share of seeds that are called contaminated
	}{
		"knows":                   {fake{instruments: 2, days: 90, cutoff: 45, knows: 1}, 0.99, 1},
		"knows, one instrument":   {fake{instruments: 1, days: 90, cutoff: 45, knows: 1}, 0.97, 1},
		"knows most":              {fake{instruments: 2, days: 90, cutoff: 45, knows: 0.8}, 0.9, 1},
		"knows for two weeks":     {fake{instruments: 2, days: 90, cutoff: 14, knows: 1}, 0.8, 1},
		"honest":                  {fake{instruments: 2, days: 90, cutoff: 45}, 0, 0.01},
		"honest, five":            {fake{instruments: 5, days: 90, cutoff: 30}, 0, 0.01},
		"honest, few days after":  {fake{instruments: 1, days: 60, cutoff: 55}, 0, 0.01},
		"honest follower":         {fake{instruments: 2, days: 90, cutoff: 45, follows: 0.3}, 0, 0.01},
		"honest, always long":     {fake{instruments: 2, days: 90, cutoff: 45, always: true, drift: 0.02}, 0, 0.01},
		"honest, mostly neutral":  {fake{instruments: 2, days: 90, cutoff: 45, silent: 0.8}, 0, 0.01},
		"honest, too few to tell": {fake{instruments: 1, days: 8, cutoff: 4}, 0, 0},
	} {
		if testing.Short() && c.least == 0 {
			continue
		}
		accused := make([]int, seeds)
		datasets.ForAll(seeds, func(seed int) {
			if contamination(c.answers(uint64(seed))) <= contaminationLevel {
				accused[seed] = 1
			}
		})
		n := 0
		for _, one := range accused {
			n += one
		}
		share := float64(n) / float64(seeds)
		t.Logf("%s: %.2f %% are called contaminated", name, 100*share)
		if share < c.least || share > c.most {
			t.Errorf("%s: %.2f %% are called contaminated, want %v to %v", name, 100*share, 100*c.least, 100*c.most)
		}
	}
}

// The p-value is the share of rearrangements that are as large, worked out in full for 3 times before and 4 after.
func TestContaminationIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 20 {
		var early, late []outcome
		for d := range 7 {
			a := outcome{time: int64(d), side: math.Copysign(1, r.NormFloat64()), forward: r.NormFloat64()}
			if d < 3 {
				early = append(early, a)
			} else {
				late = append(late, a)
			}
		}
		x := append(medianScores(early), medianScores(late)...)
		as, all := 0, 0
		for set := range 1 << 7 {
			s, n := 0.0, 0
			for k := range 7 {
				if set>>k&1 == 1 {
					s, n = s+x[k], n+1
				}
			}
			if n == 3 {
				all++
				if s >= x[0]+x[1]+x[2] {
					as++
				}
			}
		}
		want := float64(as) / float64(all)
		if got := contamination(early, late); math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/permutations)+2.0/permutations {
			t.Errorf("p is %v, in full %v of %v", got, want, x)
		}
	}
}

func TestVerdicts(t *testing.T) {
	cutoff, err := datasets.ParseDay("2024-02-01")
	if err != nil {
		t.Fatal(err)
	}
	in := &Input{}
	answers := func(f fake) []outcome {
		early, late := f.answers(1)
		for k := range early {
			early[k].time = cutoff.Start() - (45-early[k].time)*datasets.MicrosPerDay
		}
		for k := range late {
			late[k].time = cutoff.Start() + (late[k].time-44)*datasets.MicrosPerDay
		}
		return append(early, late...)
	}
	knows, honest := fake{instruments: 2, days: 90, cutoff: 45, knows: 1}, fake{instruments: 2, days: 90, cutoff: 45}
	for _, c := range []struct {
		name   string
		cutoff datasets.Day
		from   int64
		list   []outcome
		want   string
	}{
		{"no cut-off", 0, cutoff.Start() - 1, answers(knows), UnknownCutoff},
		{"all after it", cutoff, cutoff.Start(), answers(knows)[90:], Clean},
		{"knows", cutoff, cutoff.Start() - 1, answers(knows), Contaminated},
		{"honest", cutoff, cutoff.Start() - 1, answers(honest), Overlaps},
		{"all before it", cutoff, cutoff.Start() - 1, answers(knows)[:90], Overlaps},
	} {
		in.Span.From = c.from
		in.Windows = []study.Span{{Index: 0, From: c.from}, {Index: 1, From: cutoff.Start()}}
		model := llm.Model{Name: "m", KnowledgeCutoff: c.cutoff}
		v := in.verdict(model, c.list)
		if v.Verdict != c.want || v.Text == "" || math.IsNaN(float64(v.P)) != (v.Reasons["p"] != "") {
			t.Errorf("%s: %+v, want %s", c.name, v, c.want)
		}
		if overlaps := c.want == Overlaps || c.want == Contaminated; overlaps != slices.Equal(v.Windows, []string{evaluate.All, "0"}) || !overlaps && len(v.Windows) > 0 {
			t.Errorf("%s: windows %v", c.name, v.Windows)
		}
		if c.cutoff != 0 {
			rows := cutoffRows(model, c.list, 2)
			if c.name == "knows" && (rows[0].HitRate != 1 || rows[0].N != 90 || rows[1].N != 90 || rows[1].HitRate > 0.7 || rows[0].IC < 0) {
				t.Errorf("%s: %+v", c.name, rows)
			}
		}
	}
}
