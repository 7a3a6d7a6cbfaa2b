package llm

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sashabaranov/go-openai"
)

// Parameters stand in place of the fields of their names; a call without any has the body that it always had.
func TestParams(t *testing.T) {
	seed := 7
	call := Call{Model: "m", Messages: []Message{{"user", "hi <b>"}}, Temperature: 0, MaxTokens: 500, Seed: &seed, ResponseFormat: JSONObject}
	plain := `{"model":"m","messages":[{"role":"user","content":"hi <b>"}],"temperature":0,"max_tokens":500,"seed":7,"response_format":{"type":"json_object"}}`
	for _, c := range []struct {
		params []Param
		want   string
		bound  int
	}{
		{nil, plain, 500},
		{[]Param{{"temperature", ""}}, strings.Replace(plain, `"temperature":0,`, "", 1), 500},
		{[]Param{{"max_completion_tokens", "4000"}, {"temperature", ""}}, strings.Replace(plain, `"temperature":0,"max_tokens":500`, `"max_completion_tokens":4000`, 1), 4000},
		{[]Param{{"max_tokens", ""}, {"seed", ""}}, strings.Replace(plain, `,"max_tokens":500,"seed":7`, "", 1), 500},
		{[]Param{{"max_tokens", "9"}, {"seed", "8"}}, strings.Replace(plain, `"max_tokens":500,"seed":7`, `"max_tokens":9,"seed":8`, 1), 9},
		{[]Param{{"top_p", "0.5"}, {"reasoning_effort", `"low"`}, {"top_k", ""}}, strings.TrimSuffix(plain, "}") + `,"reasoning_effort":"low","top_p":0.5}`, 500},
	} {
		call.Params = c.params
		if got := string(call.Body()); got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.params, got, c.want)
		}
		if got := call.worst().Complete; got != c.bound {
			t.Errorf("%v: at most %d tokens, want %d", c.params, got, c.bound)
		}
	}
}

// Only what follows the end of the last thought can be an answer, whatever its spelling.
func TestThoughts(t *testing.T) {
	const draft = `{"action":"short","confidence":1,"position_size":-1,"reasoning":"draft"}`
	const final = `{"action":"long","confidence":0.5,"position_size":0.5,"reasoning":"final"}`
	for _, c := range [][2]string{
		{"<think>", "</think>"}, {"<Thinking>", "</Thinking>"}, {"", "</think>"}, {"◁think▷", "◁/think▷"}, {"[THINK]", "[/THINK]"}, {"<seed:think>", "</seed:think>"},
		{"<|begin_of_thought|>", "<|end_of_thought|>"}, {"<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"},
		{"well, <think>", "</think>"}, {"<think>a</think><think>", "</think>"}, {"<reasoning>", "</reasoning>"},
	} {
		a, err := ParseAnswer(c[0] + draft + c[1] + "\n" + final)
		if err != nil || a.Action != "long" {
			t.Errorf("%s … %s: %+v, %v", c[0], c[1], a, err)
		}
		if c[0] == "" {
			continue
		}
		for _, cut := range []string{c[0] + draft, c[0] + draft + "\nso I"} {
			if a, err := ParseAnswer(cut); err == nil || !strings.Contains(err.Error(), "the thought has no end") {
				t.Errorf("%s, cut: %+v, %v", c[0], a, err)
			}
		}
	}
	if _, err := ParseAnswer(final + "<think>" + draft); err == nil {
		t.Error("an answer before a thought without an end was taken")
	}
	const speaks = `{"action":"long","confidence":0.5,"position_size":0.5,"reasoning":"I <think> so </think>"}`
	if a, err := ParseAnswer(speaks); err != nil || a.Action != "long" {
		t.Errorf("%+v, %v", a, err)
	}
}

// An entry is made only from what a model said.
func TestSilentAnswers(t *testing.T) {
	for _, c := range []struct {
		x                        Exchange
		message                  string
		billable, passing, nothi bool
	}{
		{Exchange{Text: "hello", Finish: "stop"}, "", false, false, true},
		{Exchange{Text: "cut he", Finish: "length"}, "", false, false, true},
		{Exchange{Text: "half", Finish: "error", Usage: Usage{Complete: 3}}, "finish_reason error", false, true, false},
		{Exchange{Finish: "stop", Usage: Usage{Complete: 3}}, "the answer is empty (finish_reason stop)", true, true, false},
		{Exchange{Text: " \n", Usage: Usage{Complete: 500, Assumed: true}}, "the answer is empty", false, true, false},
		{Exchange{Finish: "length", Usage: Usage{Complete: 500}}, "raise it", true, false, false},
		{Exchange{Finish: "content_filter"}, "withholds the answer", false, false, false},
	} {
		r := c.x.silent()
		if (r == nil) != c.nothi || r != nil && (!strings.Contains(r.Error(), c.message) || r.billable != c.billable || r.passing() != c.passing) {
			t.Errorf("%+v: %+v", c.x, r)
		}
	}
	parts := openai.ChatCompletionMessage{MultiContent: []openai.ChatMessagePart{{Type: "text", Text: `{"action":`}, {Type: "text", Text: `"long"}`}}}
	if got := said(parts); got != `{"action":"long"}` {
		t.Errorf("content in parts: %q", got)
	}
}

func TestRetryAfterMilliseconds(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{{"Retry-After", "0", 1}, {"Retry-After-Ms", "250", 250 * time.Millisecond}, {"retry-after-ms", "0", 1}, {"Retry-After", "-1", 0}, {"Retry-After", "", 0}, {"Retry-After-Ms", "soon", 0}} {
		h := http.Header{}
		h.Set(c.name, c.value)
		if got := retryAfter(h); got != c.want {
			t.Errorf("%s: %s: %v, want %v", c.name, c.value, got, c.want)
		}
	}
	h := http.Header{"Retry-After": {"3"}, "Retry-After-Ms": {"2500"}}
	if got := retryAfter(h); got != 2500*time.Millisecond {
		t.Errorf("both: %v", got)
	}
}

func TestRefusedSetting(t *testing.T) {
	for message, want := range map[string]string{
		"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.":      "set params: {max_completion_tokens: 4000} of that model",
		"Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.": "set params: {temperature: none} of that model",
	} {
		r := &refusal{status: http.StatusBadRequest, message: message}
		if err := r.stops(Config{APIKeyEnv: "K"}, "o3", "key"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", message, err)
		}
	}
}
