package llm

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRead(t *testing.T) {
	cache := OpenCache(t.TempDir())
	c, questions := study(), days(3)
	all := calls(t, c, questions)
	put(t, cache, entry(all[0][0], fits), entry(all[0][1], "no idea"), entry(all[1][2], `{"action":"short","confidence":1,"position_size":-1,"reasoning":""}`))
	o, err := Read(cache, c, questions)
	if err != nil {
		t.Fatal(err)
	}
	missing := func(m, i int) Reply {
		return Reply{Key: all[m][i].Key(), Prompt: (len(all[m][i].Body()) + 1) / 2, Complete: 500}
	}
	reply := Reply{Calls: 1, Prompt: 400, Complete: 60, Latency: 1500 * time.Millisecond}
	valid, invalid, short := reply, reply, reply
	valid.Key, valid.State, valid.Answer, valid.Opinion = all[0][0].Key(), Valid, Answer{"long", 0.8, 0.5, "momentum"}, 0.8
	invalid.Key, invalid.State, invalid.Reason = all[0][1].Key(), Invalid, "the text holds no JSON object"
	short.Key, short.State, short.Answer, short.Opinion = all[1][2].Key(), Valid, Answer{"short", 1, -1, ""}, -2
	want := [][]Reply{{valid, invalid, missing(0, 2)}, {missing(1, 0), missing(1, 1), short}}
	if diff := cmp.Diff(want, o.Replies); diff != "" {
		t.Fatal(diff)
	}
	if got := o.Ensemble(); !cmp.Equal(got, []float64{0.4, 0, -1}) {
		t.Errorf("ensemble %v", got)
	}
	// 800 prompt and 120 answer tokens at 0.42 a million.
	if got := o.Cost(0); math.Abs(got-920*0.42e-6) > 1e-15 {
		t.Errorf("cost %v", got)
	}
	e := o.Missing()
	prompt := want[0][2].Prompt + want[1][0].Prompt + want[1][1].Prompt
	usd := (float64(want[0][2].Prompt+500)*0.42 + float64(want[1][0].Prompt+want[1][1].Prompt+1000)*2.5) / 1e6
	if e.Calls != 3 || e.Prompt != prompt || e.Answer != 1500 || math.Abs(e.USD-usd) > 1e-12 {
		t.Errorf("%+v, want %d, %v", e, prompt, usd)
	}
	c.Models[0].Input = math.NaN()
	o.Config = c
	if !math.IsNaN(o.Cost(0)) || !math.IsNaN(o.Missing().USD) {
		t.Error("an unknown price gives a cost")
	}
}

// opine makes Opinions from texts such as "long 0.8" by model and question.
func opine(e Ensemble, weights []float64, said ...[]string) *Opinions {
	o := &Opinions{Config: Config{Ensemble: e}, Questions: make([]Question, len(said[0]))}
	for m, texts := range said {
		o.Config.Models = append(o.Config.Models, Model{Weight: weights[m]})
		o.Replies = append(o.Replies, nil)
		for i, s := range texts {
			r := Reply{Key: Key(fmt.Sprint(m, i))}
			var a Answer
			if n, _ := fmt.Sscan(s, &a.Action, &a.Confidence); n == 2 {
				a.PositionSize = actions[a.Action]
				r.State, r.Answer, r.Opinion = Valid, a, a.Opinion()
			} else if s == "invalid" {
				r.State = Invalid
			}
			o.Replies[m] = append(o.Replies[m], r)
		}
	}
	return o
}

func TestEnsembles(t *testing.T) {
	said := [][]string{
		{"long 0.5", "long 1", "long 0.4", "invalid", "long 0.5", "neutral 1", "missing"},
		{"long 1.0", "short 1", "short 0.2", "long 0.6", "invalid", "neutral 1", "missing"},
		{"short 0.5", "neutral 1", "short 0.6", "long 0.2", "invalid", "long 0.4", "missing"},
	}
	nan := math.NaN()
	for _, c := range []struct {
		ensemble Ensemble
		want     []float64
	}{
		{Mean, []float64{2. / 3, 0, -0.8 / 3, 1.6 / 3, 1. / 3, 0.8 / 3, 0}},
		// 2: two agree; 1: three ways; 4: one long against two neutral; 5: neutral is the commonest.
		{Majority, []float64{1.5, 0, -0.8, 0.8, 0, 0, 0}},
		{Weighted, []float64{(1 + 4 - 3) / 6., (2 - 4) / 6., -3.6 / 6, (2.4 + 1.2) / 6, 1 / 6., 2.4 / 6, 0}},
	} {
		got := opine(c.ensemble, []float64{1, 2, 3}, said...).Ensemble()
		if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 1e-15)); diff != "" {
			t.Errorf("%s: %s", c.ensemble, diff)
		}
	}
	o := opine(Mean, []float64{1, 1, 1}, said...)
	want := []float64{2. / 3, 1. / 3, 2. / 3, 1, nan, 2. / 3, nan}
	if diff := cmp.Diff(want, o.Agreement(), cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	if got := opine(Weighted, []float64{0, 0, 0}, said...).Ensemble()[0]; got != 0 {
		t.Errorf("no weight gives %v", got)
	}
}

// TestBilled has questions of which two make the same call, which is paid once.
func TestBilled(t *testing.T) {
	o := opine(Mean, []float64{1}, []string{"long 1", "long 1", "invalid", "missing", "long 1", "long 1"})
	for i := range o.Replies[0] {
		r := &o.Replies[0][i]
		r.Calls, r.Prompt, r.Complete, r.Latency = 1, 100, 10, time.Duration(10-i)*time.Second
	}
	o.Replies[0][5] = o.Replies[0][0]
	o.Replies[0][2].Calls = 2
	b := o.Billed(0)
	want := Billed{Calls: 4, Requests: 5, Valid: 3, Invalid: 1, Usage: Usage{400, 40, false},
		Latency: []time.Duration{6 * time.Second, 8 * time.Second, 9 * time.Second, 10 * time.Second}}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Error(diff)
	}
	// numpy.percentile([6, 8, 9, 10], [0, 50, 90, 100]) = 6, 8.5, 9.7, 10
	for p, want := range map[float64]time.Duration{0: 6 * time.Second, 0.5: 8500 * time.Millisecond, 0.9: 9700 * time.Millisecond, 1: 10 * time.Second} {
		if got, ok := b.Percentile(p); got != want || !ok {
			t.Errorf("percentile %v: %v", p, got)
		}
	}
	if _, ok := (Billed{}).Percentile(0.5); ok {
		t.Error("a percentile of nothing")
	}
	if got, want := b.Usage.Cost(Model{Input: 2, Output: 8}), 400*2e-6+40*8e-6; math.Abs(got-want) > 1e-15 {
		t.Errorf("cost %v, want %v", got, want)
	}
}

// Questions that come a few at a time get the replies that all of them get at once, and so they do from what was
// said; a prompt that differs has no reply there.
func TestReaderReadsPiecemeal(t *testing.T) {
	for _, anonymize := range []bool{false, true} {
		cache := OpenCache(t.TempDir())
		c, questions := study(), days(5)
		c.Anonymize = anonymize
		all := calls(t, c, questions)
		put(t, cache, entry(all[0][0], fits), entry(all[0][3], "no idea"), entry(all[1][4], fits))
		want, err := Read(cache, c, questions)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []*Reader{NewReader(cache, c), want.Recall()} {
			for _, part := range [][]Question{questions[:2], nil, questions[2:3], questions[3:]} {
				got, err := r.Read(part)
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Questions) != len(part) || len(got.Replies) != 2 || len(got.Replies[0]) != len(part) {
					t.Fatalf("%d questions give %+v", len(part), got)
				}
			}
			got, err := r.All()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Replies, got.Replies); diff != "" || len(got.Questions) != 5 {
				t.Error(diff)
			}
		}
		questions[0].Summary.Momentum1M += 0.1
		got, err := want.Recall().Read(questions[:1])
		if err != nil || got.Replies[0][0].State != Missing || got.Replies[0][0].Key == want.Replies[0][0].Key {
			t.Errorf("another prompt has %+v, %v", got.Replies[0][0], err)
		}
	}
}

// What prompts may not show is told of questions that come one by one as of all together.
func TestReaderAuditsPrompts(t *testing.T) {
	for _, anonymize := range []bool{false, true} {
		c := study()
		c.Anonymize = anonymize
		prompts, err := ParsePrompts("", "{{.Summary}} On 2024-01-04 it rose.")
		if err != nil {
			t.Fatal(err)
		}
		c.Prompts = prompts
		questions := days(4) // the third is of 2024-01-04
		_, want := c.Calls(questions)
		if want == nil {
			t.Fatal("the prompts are in order")
		}
		r := NewReader(OpenCache(t.TempDir()), c)
		for k := range questions {
			if _, err := r.Read(questions[k : k+1]); err != nil {
				t.Fatal(err)
			}
		}
		if _, got := r.All(); got == nil || got.Error() != want.Error() {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
