package llm

// Call is one request to one model: everything that determines the answer, and nothing else.
type Call struct {
	Model          string
	Messages       []Message
	Temperature    float64
	MaxTokens      int
	Seed           *int
	ResponseFormat ResponseFormat
}

// Message is one turn of a conversation.
type Message struct{ Role, Content string }

// Key is the SHA-256 of a call in hexadecimal: it names the cache entry.
type Key string

// Key is the hash over the request's fields in a fixed order, independent of the endpoint's host.
func (c Call) Key() Key { panic("llm: Call.Key") }

// Calls renders the questions for every model: by model, then question. A rendered prompt that under
// Anonymize still holds a symbol, a date or a price of the span is an error that names it.
func (c Config) Calls(questions []Question) ([][]Call, error) { panic("llm: Config.Calls") }
