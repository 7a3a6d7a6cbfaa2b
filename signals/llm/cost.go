package llm

import (
	"math"
	"slices"
	"time"
)

// Billed is what the replies of a model took, questions that make the same call counted once.
type Billed struct {
	Calls    int // with an answer, valid or not
	Requests int // with the repairs
	Valid    int
	Invalid  int
	Usage    Usage
	Latency  []time.Duration // of each call, ascending
}

// Billed adds up the replies of model m that the cache holds.
func (o *Opinions) Billed(m int) Billed {
	var b Billed
	for _, r := range distinct(o.Replies[m]) {
		switch r.State {
		case Missing:
			continue
		case Valid:
			b.Valid++
		case Invalid:
			b.Invalid++
		}
		b.Calls++
		b.Requests += r.Calls
		b.Usage = b.Usage.plus(Usage{Prompt: r.Prompt, Complete: r.Complete})
		b.Latency = append(b.Latency, r.Latency)
	}
	slices.Sort(b.Latency)
	return b
}

// distinct leaves out replies whose key stood before.
func distinct(replies []Reply) []Reply {
	seen := map[Key]bool{}
	var out []Reply
	for _, r := range replies {
		if !seen[r.Key] {
			seen[r.Key] = true
			out = append(out, r)
		}
	}
	return out
}

// Percentile is the latency below which a share p of the calls lie (type 7, numpy's default); not ok
// where there was no call.
func (b Billed) Percentile(p float64) (latency time.Duration, ok bool) {
	if len(b.Latency) == 0 {
		return 0, false
	}
	at := float64(p * float64(len(b.Latency)-1))
	i := min(int(at), len(b.Latency)-1)
	low, high := b.Latency[i], b.Latency[min(i+1, len(b.Latency)-1)]
	return low + time.Duration(math.Round((at-float64(i))*float64(high-low))), true
}

// Cost is what the replies of model m cost in USD; NaN where its price is not known.
func (o *Opinions) Cost(m int) float64 { return o.Billed(m).Usage.Cost(o.Config.Models[m]) }

// Estimate is what it would take to ask for everything that is missing.
type Estimate struct {
	Calls          int
	Prompt, Answer int     // tokens, at most
	USD            float64 // at most; NaN where a price is not known
}

// Missing estimates the calls that the cache lacks: with prompts of half a token a byte and answers as
// long as they may be, but without repairs and repetitions.
func (o *Opinions) Missing() Estimate {
	var e Estimate
	for m := range o.Replies {
		of := o.MissingOf(m)
		e.Calls += of.Calls
		e.Prompt += of.Prompt
		e.Answer += of.Answer
		e.USD += of.USD
	}
	return e
}

// MissingOf is Missing of model m alone.
func (o *Opinions) MissingOf(m int) Estimate {
	var e Estimate
	for _, r := range distinct(o.Replies[m]) {
		if r.State == Missing {
			e.Calls++
			e.Prompt += r.Prompt
			e.Answer += r.Complete
		}
	}
	if e.Calls > 0 {
		e.USD = Usage{Prompt: e.Prompt, Complete: e.Answer}.Cost(o.Config.Models[m])
	}
	return e
}
