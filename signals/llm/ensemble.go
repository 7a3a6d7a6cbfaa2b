package llm

import "math"

// Ensemble says how the opinions of several models become one. A model whose reply is invalid or
// missing takes part as neutral.
type Ensemble string

const (
	Mean     Ensemble = "mean"     // the mean of the opinions
	Majority Ensemble = "majority" // the mean of those that share the commonest action; 0 where two are as common
	Weighted Ensemble = "weights"  // the mean by Model.Weight
)

// Ensemble is the joint opinion on each question.
func (o *Opinions) Ensemble() []float64 {
	out := make([]float64, len(o.Questions))
	for i := range out {
		switch o.Config.Ensemble {
		case Majority:
			out[i] = o.majority(i)
		case Weighted:
			out[i] = o.mean(i, func(m int) float64 { return o.Config.Models[m].Weight })
		default:
			out[i] = o.mean(i, func(int) float64 { return 1 })
		}
	}
	return out
}

// mean is Σ w·opinion / Σ w over the models; 0 where the weights add up to nothing.
func (o *Opinions) mean(i int, weight func(m int) float64) float64 {
	var sum, weights float64
	for m := range o.Replies {
		w := weight(m)
		sum += float64(w * o.Replies[m][i].Opinion)
		weights += w
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

func (o *Opinions) majority(i int) float64 {
	n, action, tied := o.commonest(i, func(r Reply) bool { return true })
	if tied {
		return 0
	}
	var sum float64
	for m := range o.Replies {
		if r := o.Replies[m][i]; r.sign() == action {
			sum += r.Opinion
		}
	}
	return sum / float64(n)
}

// sign is that of the reply's action, 0 where there is none.
func (r Reply) sign() int { return int(actions[r.Answer.Action]) }

// commonest counts the replies to question i that count and have the commonest action.
func (o *Opinions) commonest(i int, counts func(Reply) bool) (n, action int, tied bool) {
	var votes [3]int
	for m := range o.Replies {
		if r := o.Replies[m][i]; counts(r) {
			votes[r.sign()+1]++
		}
	}
	for j, v := range votes {
		switch {
		case v > n:
			n, action, tied = v, j-1, false
		case v == n:
			tied = true
		}
	}
	return n, action, tied
}

// Agreement is, for each question, the share of models whose action is the commonest, among those
// that answered validly; NaN where fewer than two did.
func (o *Opinions) Agreement() []float64 {
	valid := func(r Reply) bool { return r.State == Valid }
	out := make([]float64, len(o.Questions))
	for i := range out {
		answered := 0
		for m := range o.Replies {
			if valid(o.Replies[m][i]) {
				answered++
			}
		}
		out[i] = math.NaN()
		if answered >= 2 {
			n, _, _ := o.commonest(i, valid)
			out[i] = float64(n) / float64(answered)
		}
	}
	return out
}
