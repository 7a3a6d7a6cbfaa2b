package llm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Call is one request to one model: everything that determines the answer, and nothing else.
type Call struct {
	Model          string
	Messages       []Message
	Temperature    float64
	MaxTokens      int
	Seed           *int
	ResponseFormat ResponseFormat
	Params         []Param // of the model
}

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user or assistant
	Content string `json:"content"`
}

// Body is the request as it goes to the endpoint, to the byte: JSON with its fields in a fixed
// order, a temperature of 0 included.
func (c Call) Body() []byte {
	if len(c.Params) > 0 {
		return c.bodyWith()
	}
	return encode(struct {
		Model          string    `json:"model"`
		Messages       []Message `json:"messages"`
		Temperature    float64   `json:"temperature"`
		MaxTokens      int       `json:"max_tokens"`
		Seed           *int      `json:"seed,omitempty"`
		ResponseFormat any       `json:"response_format,omitempty"`
	}{c.Model, c.Messages, c.Temperature, c.MaxTokens, c.Seed, c.ResponseFormat.wire()})
}

// PromptTokens bounds the tokens of the prompt from above: half the bytes of the request, since a
// token is seldom shorter than three.
func (c Call) PromptTokens() int { return (len(c.Body()) + 1) / 2 }

// worst is the most that the call can take.
func (c Call) worst() Usage { return Usage{c.PromptTokens(), c.bound(), true} }

// with is the call with further turns, in another format.
func (c Call) with(turns []Message, format ResponseFormat) Call {
	c.Messages = append(slices.Clip(c.Messages), turns...)
	c.ResponseFormat = format
	return c
}

// Key is the SHA-256 of a call in hexadecimal: it names the cache entry.
type Key string

// Key is the hash of the request's body, which holds neither the endpoint's host nor its key.
func (c Call) Key() Key { return keyOf(c.Body()) }

func keyOf(body []byte) Key {
	sum := sha256.Sum256(body)
	return Key(hex.EncodeToString(sum[:]))
}

// encode is compact JSON without a final newline; markup stays as it is, for people to read.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("llm: a value that JSON cannot hold")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
