package llm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Entry is one file of the cache: a call, what was exchanged over it and what came of that. It holds
// neither host nor header nor key.
type Entry struct {
	Key       Key             `json:"key"`
	Model     string          `json:"model"`
	Asked     time.Time       `json:"asked"`   // when the first answer was asked for, UTC
	Request   json.RawMessage `json:"request"` // the call's body; the key is its hash
	Exchanges []Exchange      `json:"exchanges"`
	Answer    *Answer         `json:"answer,omitempty"`  // of the last exchange
	Invalid   string          `json:"invalid,omitempty"` // why the last exchange gave no answer
}

// Exchange is one answered request: the call itself or the attempt to repair its answer.
type Exchange struct {
	ResponseFormat ResponseFormat `json:"response_format"`     // with which it was sent
	Repair         []Message      `json:"repair,omitempty"`    // the turns that the request had beside the call's
	Served         string         `json:"served_by,omitempty"` // the model as the endpoint names it
	Text           string         `json:"text"`                // the answer as it came
	Finish         string         `json:"finish,omitempty"`    // why the model stopped, as the endpoint says
	Usage          Usage          `json:"usage"`               // what was billed
	LatencyMS      float64        `json:"latency_ms"`          // from the request to the answer's last byte
}

// maxBody bounds an answer of the endpoint in bytes.
const maxBody = 2 << 20

// Usage is the tokens of one or more requests.
type Usage struct {
	Prompt   int `json:"prompt_tokens"`
	Complete int `json:"completion_tokens"`
	// Assumed says that the endpoint reported none, and that these are the most that there can be.
	Assumed bool `json:"assumed,omitempty"`
}

// plus adds up.
func (u Usage) plus(v Usage) Usage {
	return Usage{u.Prompt + v.Prompt, u.Complete + v.Complete, u.Assumed || v.Assumed}
}

// Cost is what the tokens cost at the prices of m in USD; NaN where they are not known.
func (u Usage) Cost(m Model) float64 {
	return (float64(float64(u.Prompt)*m.Input) + float64(float64(u.Complete)*m.Output)) / 1e6
}

// State is what became of the call.
func (e *Entry) State() State {
	if e.Answer != nil {
		return Valid
	}
	return Invalid
}

// Usage is what the entry's exchanges took together.
func (e *Entry) Usage() Usage {
	var u Usage
	for _, x := range e.Exchanges {
		u = u.plus(x.Usage)
	}
	return u
}

// Latency is the time that the entry's exchanges took together.
func (e *Entry) Latency() time.Duration {
	var d time.Duration
	for _, x := range e.Exchanges {
		d += x.latency()
	}
	return d
}

func (x Exchange) latency() time.Duration { return time.Duration(x.LatencyMS * 1e6) }

// repairDue reports whether the one attempt to repair the answer has not been made.
func (e *Entry) repairDue() bool { return e.Answer == nil && len(e.Exchanges) == 1 }

// add appends an exchange and reads its answer.
func (e *Entry) add(x Exchange) {
	x.Text = strings.ToValidUTF8(x.Text, "\uFFFD")
	e.Exchanges = append(e.Exchanges, x)
	e.Answer, e.Invalid = x.answer()
}

// answer is what the exchange's text says, or why it says nothing.
func (x Exchange) answer() (*Answer, string) {
	a, err := ParseAnswer(x.Text)
	switch {
	case err == nil:
		return &a, ""
	case x.Finish != "" && x.Finish != "stop":
		return nil, fmt.Sprintf("%s (the model stopped for %q)", err, x.Finish)
	}
	return nil, err.Error()
}

// newEntry is the entry of a call that has no answer yet.
func newEntry(c Call, asked time.Time) *Entry {
	body := c.Body()
	return &Entry{Key: keyOf(body), Model: c.Model, Asked: asked.UTC().Truncate(time.Second), Request: body}
}

// digestLine is how a file begins: with the SHA-256 of every byte after the line.
const digestLine = `{"sha256": "%s",` + "\n"

// marshal is the entry's file: indented JSON behind the digest of its own bytes.
func (e *Entry) marshal() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, encode(e), "", " "); err != nil {
		panic("llm: an entry that is no JSON")
	}
	rest := append(b.Bytes()[len("{\n"):], '\n')
	return append(fmt.Appendf(nil, digestLine, digest(rest)), rest...)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// unmarshalEntry reads a file and refuses one in which a byte was changed.
func unmarshalEntry(file []byte) (*Entry, error) {
	line := len(fmt.Sprintf(digestLine, digest(nil)))
	if len(file) < line || string(file[:line]) != fmt.Sprintf(digestLine, digest(file[line:])) {
		return nil, errors.New("its content is not what was written: the digest in its first line differs; restore the file, or remove it and ask again")
	}
	var e Entry
	d := json.NewDecoder(bytes.NewReader(append([]byte("{"), file[line:]...)))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("not a cache entry: %w", err)
	}
	var body bytes.Buffer
	if err := json.Compact(&body, e.Request); err != nil {
		return nil, err
	}
	e.Request = body.Bytes()
	if k := keyOf(e.Request); k != e.Key {
		return nil, fmt.Errorf("not a cache entry: its key is %s, that of its request %s", e.Key, k)
	}
	if len(e.Exchanges) == 0 || (e.Answer == nil) == (e.Invalid == "") {
		return nil, errors.New("not a cache entry: it needs an exchange, and an answer or why there is none")
	}
	if e.Answer != nil {
		if err := e.Answer.Validate(); err != nil {
			return nil, fmt.Errorf("not a cache entry: %w", err)
		}
	}
	return &e, nil
}
