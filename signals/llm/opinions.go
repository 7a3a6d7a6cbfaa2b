package llm

import "time"

// State is what became of a question put to a model.
type State uint8

const (
	Missing State = iota // the cache has no answer
	Invalid              // it does not fit the form, repair included; trades as neutral
	Valid
)

// Reply is what the cache holds about one call.
type Reply struct {
	Key      Key
	State    State
	Answer   Answer  // where valid
	Opinion  float64 // 0 unless valid
	Reason   string  // why it is invalid
	Calls    int     // requests that were billed: 1, or 2 with a repair
	Prompt   int     // tokens, over the billed requests
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
func Read(c *Cache, cfg Config, questions []Question) (*Opinions, error) { panic("llm: Read") }

// Ensemble is the joint opinion on each question.
func (o *Opinions) Ensemble() []float64 { panic("llm: Opinions.Ensemble") }

// Agreement is, for each question, the share of models whose action is the commonest; NaN where
// fewer than two answered validly.
func (o *Opinions) Agreement() []float64 { panic("llm: Opinions.Agreement") }

// Cost is what the replies of model m cost in USD; NaN where its price is not known.
func (o *Opinions) Cost(m int) float64 { panic("llm: Opinions.Cost") }

// Estimate is what it would take to ask for everything that is missing.
type Estimate struct {
	Calls          int
	Prompt, Answer int     // tokens, at most
	USD            float64 // at most; NaN where a price is not known
}

// Missing estimates the calls that the cache lacks.
func (o *Opinions) Missing() Estimate { panic("llm: Opinions.Missing") }
