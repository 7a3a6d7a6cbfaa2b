package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Answer is what a model said, in the form that it was asked for.
type Answer struct {
	Action       string  `json:"action"`        // long, short or neutral
	Confidence   float64 `json:"confidence"`    // 0 to 1
	PositionSize float64 `json:"position_size"` // −1 to 1, of the action's sign
	Reasoning    string  `json:"reasoning"`
}

// fieldNames are the fields of an Answer.
var fieldNames = []string{"action", "confidence", "position_size", "reasoning"}

const (
	// maxAnswer bounds the text that is searched for an answer; 500 tokens are some 2 KiB.
	maxAnswer = 256 << 10
	// maxBraces bounds the places where the search begins.
	maxBraces = 64
)

// ParseAnswer finds the JSON object in a text, code fences and prose around it aside, and checks it
// strictly: the four fields and no others, each once, of the right type and in range. Objects of
// prose that have no "action" are passed over; two answers that differ are an error. The error says
// what does not fit.
func ParseAnswer(text string) (Answer, error) {
	if len(text) > maxAnswer {
		return Answer{}, fmt.Errorf("the answer has %d bytes, want at most %d", len(text), maxAnswer)
	}
	if strings.TrimSpace(text) == "" {
		return Answer{}, errors.New("the answer is empty")
	}
	text, err := afterThought(strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		return Answer{}, err
	}
	objects, broken := findObjects(text)
	var found *Answer
	for _, object := range objects {
		fields, err := objectFields(object)
		if err != nil {
			return Answer{}, err
		}
		if _, ok := fields["action"]; !ok && len(objects) > 1 {
			continue
		}
		a, err := answerOf(fields)
		if err != nil {
			return Answer{}, err
		}
		if found != nil && *found != a {
			return Answer{}, errors.New("the text holds two different answers")
		}
		found = &a
	}
	switch {
	case found != nil:
		return *found, nil
	case len(objects) > 0:
		return Answer{}, errors.New(`no JSON object of the text has the field "action"`)
	case broken != nil:
		return Answer{}, broken
	}
	return Answer{}, errors.New("the text holds no JSON object")
}

// afterThought leaves out the reasoning that some models put in front of their answer, whatever its spelling: only what
// follows the end of the last thought can be an answer. One that has no end is all there is. A text that is one JSON
// object has no thoughts, and may speak of them.
func afterThought(text string) (string, error) {
	if whole := strings.TrimSpace(text); strings.HasPrefix(whole, "{") && json.Valid([]byte(whole)) {
		return text, nil
	}
	if ends := thoughtEnd.FindAllStringIndex(text, -1); ends != nil {
		text = text[ends[len(ends)-1][1]:]
	}
	if thoughtBegin.MatchString(text) {
		return "", errors.New("the thought has no end, and so no answer: raise max_tokens")
	}
	return text, nil
}

// What thoughts begin and end with: tags as of DeepSeek and Qwen, of Kimi, Magistral, Sky-T1, Seed and gpt-oss.
var (
	thoughtBegin = regexp.MustCompile(`(?i)<(seed:)?(think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis)>|◁think▷|\[THINK\]|<\|begin_of_thought\|>|<\|channel\|>\s*(analysis|commentary)`)
	thoughtEnd   = regexp.MustCompile(`(?i)</(seed:)?(think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis)>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<\|channel\|>\s*final\s*<\|message\|>`)
)

// findObjects lists the outermost JSON objects of a text. broken says why the first thing in braces
// that names an action is none.
func findObjects(text string) (objects []string, broken error) {
	for tries := 0; tries < maxBraces; tries++ {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			break
		}
		text = text[i:]
		end := closing(text)
		if end > 0 && json.Valid([]byte(text[:end])) {
			objects = append(objects, text[:end])
			text = text[end:]
			continue
		}
		if broken == nil {
			if end < 0 {
				broken = errors.New("the JSON object has no end")
			} else if strings.Contains(text[:end], `"action"`) {
				var v any
				broken = fmt.Errorf("the object is not JSON: %w", json.Unmarshal([]byte(text[:end]), &v))
			}
		}
		text = text[1:]
	}
	return objects, broken
}

// closing is the index after the brace that closes the one at 0; −1 where there is none.
func closing(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// objectFields splits a valid JSON object; a field that stands twice is an error.
func objectFields(object string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(strings.NewReader(object))
	fields := map[string]json.RawMessage{}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := fields[name.(string)]; twice {
			return nil, fmt.Errorf("field %.40q stands twice", name)
		}
		fields[name.(string)] = value
	}
	return fields, nil
}

// answerOf checks every field and reports all that do not fit.
func answerOf(fields map[string]json.RawMessage) (Answer, error) {
	var a Answer
	var errs []error
	text := func(name string, dst *string) {
		raw, ok := fields[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("field %q is missing", name))
		case raw[0] != '"' || json.Unmarshal(raw, dst) != nil:
			errs = append(errs, fmt.Errorf("%s is %.40s, want a text", name, raw))
		}
	}
	number := func(name string, dst *float64) {
		raw, ok := fields[name]
		if !ok {
			errs = append(errs, fmt.Errorf("field %q is missing", name))
			return
		}
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is %.40s, want a number", name, raw))
			return
		}
		*dst = v
	}
	text("action", &a.Action)
	number("confidence", &a.Confidence)
	number("position_size", &a.PositionSize)
	text("reasoning", &a.Reasoning)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(fieldNames, name) {
			errs = append(errs, fmt.Errorf("field %.40q is not one of %v", name, fieldNames))
		}
	}
	if errs == nil {
		errs = append(errs, a.Validate())
	}
	return a, join(errs)
}

// Validate reports all that does not fit the form, or nil.
func (a Answer) Validate() error {
	var errs []error
	bad := func(format string, v ...any) { errs = append(errs, fmt.Errorf(format, v...)) }
	sign, known := actions[a.Action]
	if !known {
		bad("action is %.40q, want long, short or neutral", a.Action)
	}
	if !(a.Confidence >= 0 && a.Confidence <= 1) {
		bad("confidence is %v, want 0 to 1", a.Confidence)
	}
	if !(math.Abs(a.PositionSize) <= 1) {
		bad("position_size is %v, want -1 to 1", a.PositionSize)
	}
	if known && a.PositionSize != 0 && math.Copysign(1, a.PositionSize) != sign {
		bad("position_size %v contradicts the action %s", a.PositionSize, a.Action)
	}
	return join(errs)
}

// actions are those that there are, with their sign.
var actions = map[string]float64{"long": 1, "neutral": 0, "short": -1}

// Opinion is 2 · sign(action) · confidence · |position_size|, in [−2, 2].
func (a Answer) Opinion() float64 {
	size := 2 * a.Confidence * math.Abs(a.PositionSize)
	if size == 0 {
		return 0 // never −0
	}
	return actions[a.Action] * size
}

// join is errs as one error on one line, nil for none.
func join(errs []error) error {
	var b bytes.Buffer
	for _, err := range errs {
		if err == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	if b.Len() == 0 {
		return nil
	}
	return errors.New(b.String())
}
