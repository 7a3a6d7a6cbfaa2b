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
	r := NewReader(c, cfg)
	if _, err := r.Read(questions); err != nil {
		return nil, err
	}
	return r.All()
}

// Reader finds the replies to questions that come a few at a time, and gives what Read gives of all of them.
type Reader struct {
	all   *Opinions
	reply func(Call) (Reply, error)
	audit *audit // of the prompts as they come; nil where they are not audited then
	found findings
	later bool // prompts are audited once all are there
}

// NewReader reads from a cache.
func NewReader(c *Cache, cfg Config) *Reader {
	r := newReader(cfg, c.reply)
	if r.later = cfg.Anonymize; !r.later {
		r.audit = newAudit(nil, false)
	}
	return r
}

// Recall finds what was said by the key of the call: a prompt that differs in a byte is one that nobody answered.
// Prompts are not audited again.
func (o *Opinions) Recall() *Reader {
	said := map[Key]Reply{}
	for _, list := range o.Replies {
		for _, reply := range list {
			said[reply.Key] = reply
		}
	}
	return newReader(o.Config, func(call Call) (Reply, error) {
		key := call.Key()
		reply := said[key]
		reply.Key = key
		return reply, nil
	})
}

func newReader(cfg Config, reply func(Call) (Reply, error)) *Reader {
	return &Reader{all: &Opinions{Config: cfg, Replies: make([][]Reply, len(cfg.Models))}, reply: reply}
}

// Read finds the replies to the next questions, and gives those alone.
func (r *Reader) Read(questions []Question) (*Opinions, error) {
	cfg, o := r.all.Config, r.all
	n := len(o.Questions)
	for _, q := range questions {
		v, messages, err := cfg.prompt(q)
		if err != nil {
			return nil, err
		}
		if r.audit != nil {
			r.found.add(r.audit.check(q, v, messages))
		}
		o.Questions = append(o.Questions, q)
		for m := range o.Replies {
			reply, err := r.reply(cfg.call(m, messages))
			if err != nil {
				return nil, err
			}
			o.Replies[m] = append(o.Replies[m], reply)
		}
	}
	next := &Opinions{Config: cfg, Questions: o.Questions[n:], Replies: make([][]Reply, len(o.Replies))}
	for m, list := range o.Replies {
		next.Replies[m] = list[n:]
	}
	return next, nil
}

// All gives every question and reply, or the error of Config.Calls. What anonymized prompts may not show, days and
// prices of the span, is known only now: they are rendered once more.
func (r *Reader) All() (*Opinions, error) {
	if r.later {
		if _, err := r.all.Config.Calls(r.all.Questions); err != nil {
			return nil, err
		}
	}
	if err := r.found.err(); err != nil {
		return nil, err
	}
	return r.all, nil
}

func (c *Cache) reply(call Call) (Reply, error) {
	e, err := c.Get(call.Key())
	if errors.Is(err, ErrMissing) {
		return Reply{Key: call.Key(), Prompt: call.PromptTokens(), Complete: call.bound()}, nil
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
