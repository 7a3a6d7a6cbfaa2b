package llm

import (
	"bytes"
	"slices"
	"strconv"
)

// Param is a field of a model's requests that a study sets itself: some models refuse max_tokens or temperature and want
// others in their place.
type Param struct {
	Name string
	JSON string // the value, a scalar; "" leaves the field out
}

// ownFields are those that a study cannot set: they make the call what it is.
var ownFields = []string{"model", "messages", "response_format", "stream", "n"}

// OwnField reports whether a field of requests is not a study's to set.
func OwnField(name string) bool { return slices.Contains(ownFields, name) }

// Names of the fields that bound an answer, of which a request has one.
const (
	maxTokens           = "max_tokens"
	maxCompletionTokens = "max_completion_tokens"
)

// param finds a parameter.
func (c Call) param(name string) (Param, bool) {
	i := slices.IndexFunc(c.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return c.Params[i], true
}

// bound is the most tokens of an answer.
func (c Call) bound() int {
	for _, name := range []string{maxCompletionTokens, maxTokens} {
		if p, ok := c.param(name); ok {
			if n, err := strconv.Atoi(p.JSON); err == nil {
				return n
			}
		}
	}
	return c.MaxTokens
}

// bodyWith is Body of a call with parameters: each stands in place of the field of its name, max_completion_tokens in that
// of max_tokens, and the others behind, by name.
func (c Call) bodyWith() []byte {
	var b bytes.Buffer
	field := func(name string, value []byte) {
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		b.Write(encode(name))
		b.WriteByte(':')
		b.Write(value)
	}
	used := map[string]bool{}
	own := func(name string, value any) {
		used[name] = true
		p, ok := c.param(name)
		switch {
		case !ok:
			field(name, encode(value))
		case p.JSON != "":
			field(name, []byte(p.JSON))
		}
	}
	field("model", encode(c.Model))
	field("messages", encode(c.Messages))
	own("temperature", c.Temperature)
	if p, ok := c.param(maxCompletionTokens); ok && p.JSON != "" {
		used[maxTokens] = true
		own(maxCompletionTokens, nil)
	} else {
		own(maxTokens, c.MaxTokens)
	}
	if _, set := c.param("seed"); c.Seed != nil || set {
		own("seed", c.Seed)
	}
	if format := c.ResponseFormat.wire(); format != nil {
		field("response_format", encode(format))
	}
	rest := slices.Clone(c.Params)
	slices.SortFunc(rest, func(p, q Param) int { return bytes.Compare([]byte(p.Name), []byte(q.Name)) })
	for _, p := range rest {
		if !used[p.Name] && p.JSON != "" {
			field(p.Name, []byte(p.JSON))
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}
