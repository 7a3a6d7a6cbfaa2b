package llm

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseAnswer(t *testing.T) {
	want := Answer{"long", 0.8, 0.5, "momentum"}
	for name, text := range map[string]string{
		"bare":             fits,
		"fenced":           "```json\n" + fits + "\n```",
		"prose around":     "Sure! Here is my view:\n" + fits + "\nGood luck {and} take care.",
		"prose object":     `Of {"asset":"BTCUSDT"} I think ` + fits,
		"braces in prose":  `{note} ` + fits,
		"open brace":       `{ I say ` + fits,
		"thought first":    `<think>{"action":"short","confidence":1,"position_size":-1,"reasoning":"draft"}</think>` + fits,
		"said twice":       fits + "\n\n" + fits,
		"other order":      `{"reasoning":"momentum","position_size":5e-1,"confidence":8e-1,"action":"long"}`,
		"brace in reason":  "",
		"white space, BOM": "\ufeff\n\t " + fits,
	} {
		want := want
		if name == "brace in reason" {
			want.Reasoning = `a "}" b`
			text = `{"action":"long","confidence":0.8,"position_size":0.5,"reasoning":"a \"}\" b"}`
		}
		if got, err := ParseAnswer(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAnswersThatDoNotFit(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the answer is empty"},
		{" \n", "the answer is empty"},
		{"I would go long.", "no JSON object"},
		{`{"action":"long","confidence":0.8`, "has no end"},
		{`{"action":"long","confidence":NaN,"position_size":0.5,"reasoning":""}`, "not JSON"},
		{`{"action":"long","confidence":0.8,"position_size":0.5,"reasoning":"",}`, "not JSON"},
		{`{"action":"long","position_size":0.5,"reasoning":""}`, `field "confidence" is missing`},
		{`{"confidence":0.8}`, `field "action" is missing; field "position_size" is missing; field "reasoning" is missing`},
		{`{"action":"buy","confidence":0.8,"position_size":0.5,"reasoning":""}`, `action is "buy", want long, short or neutral`},
		{`{"action":"LONG","confidence":0.8,"position_size":0.5,"reasoning":""}`, `action is "LONG"`},
		{`{"action":"long","confidence":1.1,"position_size":0.5,"reasoning":""}`, "confidence is 1.1, want 0 to 1"},
		{`{"action":"long","confidence":-0.1,"position_size":0.5,"reasoning":""}`, "confidence is -0.1"},
		{`{"action":"long","confidence":0.8,"position_size":1.5,"reasoning":""}`, "position_size is 1.5, want -1 to 1"},
		{`{"action":"long","confidence":0.8,"position_size":-0.5,"reasoning":""}`, "position_size -0.5 contradicts the action long"},
		{`{"action":"short","confidence":0.8,"position_size":0.5,"reasoning":""}`, "contradicts the action short"},
		{`{"action":"neutral","confidence":0.8,"position_size":0.5,"reasoning":""}`, "contradicts the action neutral"},
		{`{"action":"long","confidence":"0.8","position_size":0.5,"reasoning":""}`, `confidence is "0.8", want a number`},
		{`{"action":"long","confidence":null,"position_size":0.5,"reasoning":""}`, `confidence is null, want a number`},
		{`{"action":"long","confidence":1e999,"position_size":0.5,"reasoning":""}`, `confidence is 1e999`},
		{`{"action":"long","confidence":0.8,"position_size":0.5,"reasoning":null}`, `reasoning is null, want a text`},
		{`{"action":"long","action":"long","confidence":0.8,"position_size":0.5,"reasoning":""}`, `field "action" stands twice`},
		{`{"action":"long","Action":"short","confidence":0.8,"position_size":0.5,"reasoning":""}`, `field "Action" is not one of`},
		{fits + `{"action":"short","confidence":0.8,"position_size":-0.5,"reasoning":""}`, "two different answers"},
		{`{"answer":` + fits + `}`, `field "answer" is not one of`},
		{strings.Repeat("a", maxAnswer+1), "the answer has 262145 bytes"},
		{strings.Repeat(`{"a":`, 50_000), "has no end"},
		{strings.Repeat(`{`, 250_000), "has no end"},
	} {
		a, err := ParseAnswer(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %+v, %v; want an error with %q", c.text, a, err, c.want)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%.80s: an error of %d bytes", c.text, len(err.Error()))
		}
	}
}

func TestOpinion(t *testing.T) {
	for _, c := range []struct {
		a    Answer
		want float64
	}{
		{Answer{"long", 0.8, 0.5, ""}, 0.8},
		{Answer{"short", 0.8, -0.5, ""}, -0.8},
		{Answer{"short", 1, -1, ""}, -2},
		{Answer{"neutral", 1, 0, ""}, 0},
		{Answer{"short", 0, -1, ""}, 0},
		{Answer{}, 0},
	} {
		if got := c.a.Opinion(); math.Float64bits(got) != math.Float64bits(c.want) {
			t.Errorf("%+v: %v, want %v", c.a, got, c.want)
		}
	}
}

// FuzzParseAnswer checks that any text gives an answer in range or an error, and that an answer said
// again is the same.
func FuzzParseAnswer(f *testing.F) {
	for _, seed := range []string{fits, "```json\n" + fits + "```", `{"action":`, `{{}}{"action":1}`, "<think>{</think>{}", "\x00\xff{\"a\":\"\\u0000\"}",
		`{"action":"long","confidence":0,"position_size":0,"reasoning":"` + "\xff\xff\"}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAnswer(text)
		if err != nil {
			return
		}
		if err := a.Validate(); err != nil {
			t.Fatalf("accepted %+v: %v", a, err)
		}
		if o := a.Opinion(); !(math.Abs(o) <= 2) {
			t.Fatalf("opinion %v of %+v", o, a)
		}
		said, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseAnswer(string(said)); err != nil || again != a {
			t.Fatalf("%s: %+v, %v", said, again, err)
		}
		e := newEntry(Call{Model: "m"}, time.Time{})
		e.add(Exchange{Text: text})
		if read, err := unmarshalEntry(e.marshal()); err != nil || *read.Answer != a {
			t.Fatalf("the cache gives %+v, %v", read, err)
		}
	})
}
