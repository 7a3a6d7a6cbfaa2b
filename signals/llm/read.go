package llm

import (
	"errors"
	"time"
)

// State is what became of a question put to a model.
type State uint8

const (
	Missing State = iota // the cache has no answer
	Invalid              // it does not fit the form, repair included; trades as neutral
	Valid
)

// String is the state in lower case.
func (s State) String() string { return [...]string{"missing", "invalid", "valid"}[s] }

// Reply is what the cache holds about one call.
type Reply struct {
	Key      Key
	State    State
	Answer   Answer  // where valid
	Opinion  float64 // 0 unless valid
	Reason   string  // why it is invalid
	Calls    int     // requests that were billed: 1, or 2 with a repair
	Prompt   int     // tokens, over the billed requests; where missing, those that it may take at most
	Complete int
	Latency  time.Duration // of the billed requests
}

// Opinions are the replies of every model to every question.
type Opinions struct {
	Config    Config
	Questions []Question
	Replies   [][]Reply // by model, as Config.Models, then question
}

// Read takes the replies to calls from the cache. Calls that it lacks stay Missing; a file that was
// changed is an error that names it.
func Read(c *Cache, cfg Config, questions []Question) (*Opinions, error) {
	calls, err := cfg.Calls(questions)
	if err != nil {
		return nil, err
	}
	o := &Opinions{cfg, questions, make([][]Reply, len(calls))}
	for m := range calls {
		o.Replies[m] = make([]Reply, len(calls[m]))
		for i, call := range calls[m] {
			if o.Replies[m][i], err = c.reply(call); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

func (c *Cache) reply(call Call) (Reply, error) {
	e, err := c.Get(call.Key())
	if errors.Is(err, ErrMissing) {
		return Reply{Key: call.Key(), Prompt: call.PromptTokens(), Complete: call.MaxTokens}, nil
	}
	if err != nil {
		return Reply{}, err
	}
	used := e.Usage()
	r := Reply{Key: e.Key, State: e.State(), Reason: e.Invalid, Calls: len(e.Exchanges),
		Prompt: used.Prompt, Complete: used.Complete, Latency: e.Latency()}
	if e.Answer != nil {
		r.Answer, r.Opinion = *e.Answer, e.Answer.Opinion()
	}
	return r, nil
}
