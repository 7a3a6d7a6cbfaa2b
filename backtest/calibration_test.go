package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// Five answers to one instrument, at five times, and what the market did:
//
//	confidence  side   forward   hit   (confidence − hit)²
//	0.9         long    0.02     yes   0.01
//	0.6         short   0.01     no    0.36
//	0.9         short  −0.04     yes   0.01
//	0.3         long   −0.02     no    0.09
//	0.5         none    0.05
//
// Brier (0.01 + 0.36 + 0.01 + 0.09)/4 = 0.1175; hit rate 0.5, so that its skill is 1 − 0.1175/0.25 = 0.53. Returns on
// the answer's side are 0.02, −0.01, 0.04, −0.02: mean 0.0075, deviation √(0.002275/3), t = 0.0075/(that/2) = 0.5447.
func TestCalibrationByHand(t *testing.T) {
	list := []told{
		{time: 1, side: 1, confidence: 0.9, forward: 0.02}, {time: 2, side: -1, confidence: 0.6, forward: 0.01},
		{time: 3, side: -1, confidence: 0.9, forward: -0.04}, {time: 4, side: 1, confidence: 0.3, forward: -0.02},
		{time: 5, confidence: 0.5, forward: 0.05},
	}
	r := &Result{Models: &Models{Cadence: "1d"}}
	row := r.calibrationRow("m", list)
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"brier", float64(row.Brier), 0.1175}, {"skill", float64(row.BrierSkill), 0.53}, {"hit rate", float64(row.HitRate), 0.5},
		{"confidence", float64(row.Confidence), 0.675}, {"mean return", float64(row.MeanReturn), 0.0075},
		{"t", float64(row.T), 0.0075 / (math.Sqrt(0.002275/3) / 2)},
	} {
		if math.Abs(c.got-c.want) > 1e-15*max(1, math.Abs(c.want))*4 {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
	if row.N != 4 || row.Neutral != 1 || row.Horizon != "1d" || row.Reasons != nil {
		t.Errorf("%+v", row)
	}
	bins := map[int]ReliabilityRow{}
	for _, b := range reliabilityRows("m", list) {
		if b.N > 0 {
			bins[b.Bin] = b
		}
	}
	if len(bins) != 3 || bins[10].N != 2 || bins[10].HitRate != 1 || bins[10].Confidence != 0.9 || bins[7].HitRate != 0 || bins[4].N != 1 || bins[4].From != 0.3 {
		t.Errorf("bins %+v", bins)
	}
}

func TestReliabilityEnds(t *testing.T) {
	rows := reliabilityRows("m", []told{{side: 1, confidence: 0}, {side: 1, confidence: 1}, {side: 1, confidence: 0.1}, {side: 1, confidence: 0.0999}})
	if rows[0].N != 2 || rows[1].N != 1 || rows[9].N != 1 {
		t.Errorf("%+v", rows)
	}
}

// The forward return runs from the fill of the decision, delay bars later, to that of a decision a cadence
// later: at 1-minute bars, delay 2 and cadence 3 minutes from row t+2 to row t+5.
func TestForwardOfACadence(t *testing.T) {
	open := []float64{100, 101, 102, 103, 104, 105, nan, 107, 108, 109}
	g := &factors.Grid{Every: time.Minute, Instruments: []datasets.Instrument{{Exchange: "test", Symbol: "A"}}}
	for k := range open {
		g.Close = append(g.Close, int64(k+1)*minute)
	}
	s := &study.Study{Execution: study.ExecutionConfig{Delay: 2, Price: "open"}, Signals: study.SignalsConfig{LLM: &study.LLMConfig{Cadence: factors.Window{Time: 3 * time.Minute}}}}
	r := &Result{Study: s, Market: &Market{Frame: &factors.Frame{Grid: g, Panels: []*factors.Panel{factors.NewPanel("open", g, open)}}}, Span: study.Span{Hi: 9}}
	for row, want := range []float64{math.Log(105.0 / 102), nan, math.Log(107.0 / 104), math.Log(108.0 / 105), nan, nan} {
		if got := r.forward(row, 0); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("from row %d: %v, want %v", row, got, want)
		}
	}
}

// told sees valid answers with a forward return, in the words of their action.
func TestToldLeavesOutWhatIsNotKnown(t *testing.T) {
	open := fill(6, 100)
	open[4] = nan
	g := &factors.Grid{Every: time.Minute, Instruments: []datasets.Instrument{{Exchange: "test", Symbol: "A"}}}
	for k := range open {
		g.Close = append(g.Close, int64(k+1)*minute)
	}
	s := &study.Study{Execution: study.ExecutionConfig{Delay: 1, Price: "open"}, Signals: study.SignalsConfig{LLM: &study.LLMConfig{Cadence: factors.Window{Time: time.Minute}}}}
	r := &Result{Study: s, Market: &Market{Frame: &factors.Frame{Grid: g, Panels: []*factors.Panel{factors.NewPanel("open", g, open)}}}, Span: study.Span{Hi: 6}}
	o := &llm.Opinions{Replies: [][]llm.Reply{nil}}
	for row, reply := range []llm.Reply{
		{State: llm.Valid, Answer: llm.Answer{Action: "short", Confidence: 0.7}, Opinion: -1},
		{State: llm.Invalid}, {State: llm.Valid, Answer: llm.Answer{Action: "long"}}, {State: llm.Missing},
		{State: llm.Valid, Answer: llm.Answer{Action: "neutral"}}, {State: llm.Valid, Answer: llm.Answer{Action: "long"}},
	} {
		o.Questions = append(o.Questions, llm.Question{Instrument: g.Instruments[0], Row: row, Time: g.Close[row]})
		o.Replies[0] = append(o.Replies[0], reply)
	}
	got := r.told(o, 0)
	if len(got) != 1 || got[0] != (told{time: minute, side: -1, confidence: 0.7, opinion: -1}) {
		t.Errorf("%+v", got)
	}
}

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

func (f fake) answers(seed uint64) (early, late []told) {
	r := rand.New(rand.NewPCG(seed, 4))
	last := make([]float64, f.instruments)
	volatility := 1.0
	for d := range f.days {
		volatility = math.Exp(0.9*math.Log(volatility) + 0.3*r.NormFloat64()) // clusters
		common := r.NormFloat64()
		for i := range f.instruments {
			x := f.follows*last[i] + 0.8*common + 0.6*r.NormFloat64()
			a := told{time: int64(d), instrument: i, confidence: 0.6}
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
		var early, late []told
		for d := range 7 {
			a := told{time: int64(d), side: math.Copysign(1, r.NormFloat64()), forward: r.NormFloat64()}
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
	r := &Result{Market: &Market{Frame: &factors.Frame{Grid: &factors.Grid{Instruments: make([]datasets.Instrument, 2)}}}}
	answers := func(f fake) []told {
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
		list   []told
		want   string
	}{
		{"no cut-off", 0, cutoff.Start() - 1, answers(knows), UnknownCutoff},
		{"all after it", cutoff, cutoff.Start(), answers(knows)[90:], Clean},
		{"knows", cutoff, cutoff.Start() - 1, answers(knows), Contaminated},
		{"honest", cutoff, cutoff.Start() - 1, answers(honest), Overlaps},
		{"all before it", cutoff, cutoff.Start() - 1, answers(knows)[:90], Overlaps},
	} {
		r.Span.From = c.from
		r.Windows = []study.Span{{Index: 0, From: c.from}, {Index: 1, From: cutoff.Start()}}
		model := llm.Model{Name: "m", KnowledgeCutoff: c.cutoff}
		v := r.verdict(model, c.list)
		if v.Verdict != c.want || v.Text == "" || math.IsNaN(float64(v.P)) != (v.Reasons["p"] != "") {
			t.Errorf("%s: %+v, want %s", c.name, v, c.want)
		}
		if overlaps := c.want == Overlaps || c.want == Contaminated; overlaps != slices.Equal(v.Windows, []string{All, "0"}) || !overlaps && len(v.Windows) > 0 {
			t.Errorf("%s: windows %v", c.name, v.Windows)
		}
		if c.cutoff != 0 {
			rows := r.cutoffRows(model, c.list)
			if c.name == "knows" && (rows[0].HitRate != 1 || rows[0].N != 90 || rows[1].N != 90 || rows[1].HitRate > 0.7 || rows[0].IC < 0) {
				t.Errorf("%s: %+v", c.name, rows)
			}
		}
	}
}
