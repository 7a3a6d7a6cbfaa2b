package llmtest

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Always gives a Rule with one opinion.
func Always(action string, confidence float64) Rule {
	return func(Request) string { return opinion(action, confidence, "always") }
}

// Honest gives a Rule that judges by the summary alone: the composite, or one week's momentum where
// there is none, plus noise of that standard deviation, which depends on the seed, the model and the
// prompt. The further from 0, the more confident.
func Honest(seed uint64, noise float64) Rule {
	return func(r Request) string {
		s := summary(r)
		score, ok := s["composite"].(float64)
		if !ok {
			score, _ = s["momentum_1w"].(float64)
		}
		score += noise * random(seed, r.Model+"|"+r.Body).NormFloat64()
		return byScore(score, "by the factors")
	}
}

// Guess gives a Rule that knows nothing: a direction and a confidence at random.
func Guess(seed uint64) Rule {
	return func(r Request) string {
		return byScore(4*random(seed, r.Model+"|"+r.Body).Float64()-2, "a guess")
	}
}

// Oracle gives a Rule that knows what comes after a bar, up to a cutoff: it answers in the direction
// of the future return that future gives for the asset and the bar's label, with high confidence.
// After the cutoff, where future gives NaN and where the prompt names no time, it is as then.
func Oracle(cutoff time.Time, future func(asset string, at time.Time) float64, then Rule) Rule {
	return func(r Request) string {
		s := summary(r)
		asset, _ := s["asset"].(string)
		label, _ := s["time"].(string)
		at, err := time.Parse(time.RFC3339, label)
		if err != nil || !at.Before(cutoff) {
			return then(r)
		}
		move := future(asset, at)
		if math.IsNaN(move) {
			return then(r)
		}
		return byScore(math.Copysign(1.9, move), "I remember")
	}
}

// byScore is an opinion of the score's sign.
func byScore(score float64, why string) string {
	switch confidence := min(1, math.Abs(score)/2); {
	case score > 0:
		return opinion("long", confidence, why)
	case score < 0:
		return opinion("short", confidence, why)
	}
	return opinion("neutral", 0, why)
}

func opinion(action string, confidence float64, why string) string {
	confidence = math.Round(confidence*100) / 100
	size := map[string]float64{"long": 1, "short": -1}[action]
	return string(encode(struct {
		Action       string  `json:"action"`
		Confidence   float64 `json:"confidence"`
		PositionSize float64 `json:"position_size"`
		Reasoning    string  `json:"reasoning"`
	}{action, confidence, size, why}))
}

// summary is the first JSON object with an asset in the user's messages.
func summary(r Request) map[string]any {
	for _, m := range r.Messages {
		for text := m.Content; m.Role == "user"; text = text[1:] {
			i := strings.IndexByte(text, '{')
			if i < 0 {
				break
			}
			text = text[i:]
			var s map[string]any
			if json.NewDecoder(strings.NewReader(text)).Decode(&s) == nil && s["asset"] != nil {
				return s
			}
		}
	}
	return nil
}
