package opinions

import (
	"math"
	"testing"

	"github.com/qf-dev/qf/datasets"
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
	list := []outcome{
		{time: 1, side: 1, confidence: 0.9, forward: 0.02}, {time: 2, side: -1, confidence: 0.6, forward: 0.01},
		{time: 3, side: -1, confidence: 0.9, forward: -0.04}, {time: 4, side: 1, confidence: 0.3, forward: -0.02},
		{time: 5, confidence: 0.5, forward: 0.05},
	}
	row := calibrationRow("m", "1d", list)
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
	rows := reliabilityRows("m", []outcome{{side: 1, confidence: 0}, {side: 1, confidence: 1}, {side: 1, confidence: 0.1}, {side: 1, confidence: 0.0999}})
	if rows[0].N != 2 || rows[1].N != 1 || rows[9].N != 1 {
		t.Errorf("%+v", rows)
	}
}

// Outcomes are of valid answers with a forward return, in the words of their action.
func TestOutcomesLeaveOutWhatIsNotKnown(t *testing.T) {
	a := datasets.Instrument{Exchange: "test", Symbol: "A"}
	in := &Input{Instruments: []datasets.Instrument{{}, a}, Forward: []float64{0, 0, nan, 0.1, nan, nan}}
	o := &llm.Opinions{Replies: [][]llm.Reply{{
		{State: llm.Valid, Answer: llm.Answer{Action: "short", Confidence: 0.7}, Opinion: -1},
		{State: llm.Invalid}, {State: llm.Valid, Answer: llm.Answer{Action: "long"}}, {State: llm.Missing},
		{State: llm.Valid, Answer: llm.Answer{Action: "neutral"}}, {State: llm.Valid, Answer: llm.Answer{Action: "long"}},
	}}}
	for k := range in.Forward {
		o.Questions = append(o.Questions, llm.Question{Instrument: a, Time: int64(k + 1)})
	}
	got := in.outcomes(o, 0)
	if len(got) != 1 || got[0] != (outcome{time: 1, instrument: 1, side: -1, confidence: 0.7, opinion: -1}) {
		t.Errorf("%+v", got)
	}
}
