package llmtest

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends one message and gives the answer's text, or the status and body.
func ask(t *testing.T, c *http.Client, url, key, idempotency, message string) (string, int) {
	t.Helper()
	body := string(encode(map[string]any{"model": "m", "messages": []Message{{"user", message}}}))
	r, err := http.NewRequest(http.MethodPost, url+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Idempotency-Key", idempotency)
	resp, err := c.Do(r)
	if err != nil {
		return err.Error(), 0
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error(), 0
	}
	var out struct {
		Choices []struct{ Message Message }
	}
	if json.Unmarshal(b, &out) != nil || len(out.Choices) != 1 {
		return string(b), resp.StatusCode
	}
	return out.Choices[0].Message.Content, resp.StatusCode
}

// TestServer compares the books with what a client saw, over a socket and without.
func TestServer(t *testing.T) {
	for _, socket := range []bool{true, false} {
		s := &Server{Key: "k", Idempotent: true, Rule: func(r Request) string { return r.Messages[0].Content + "!" },
			Fault: Numbers(Fault{Kind: Cut}, 3)}
		c, url := &http.Client{Transport: s.Transport()}, "http://none/v1"
		if socket {
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			own := http.DefaultTransport.(*http.Transport).Clone()
			c, url = &http.Client{Transport: own}, s.URL()
			defer own.CloseIdleConnections()
		}
		for i, step := range []struct {
			key, idempotency, message, want string
			status                          int
		}{
			{"k", "a", "x", "x!", 200},
			{"other", "b", "x", "Incorrect API key provided: other", 401},
			{"k", "c", "y", "EOF", 0},
			{"k", "c", "y", "y!", 200},
			{"k", "a", "x", "x!", 200},
		} {
			got, status := ask(t, c, url, step.key, step.idempotency, step.message)
			if status != step.status || !strings.Contains(got, step.want) {
				t.Errorf("step %d: %d %s", i, status, got)
			}
		}
		log := s.Log()
		billed := 0
		for i, e := range log {
			if e.N != i+1 || e.Concurrent != 1 {
				t.Errorf("%+v", e)
			}
			if e.Billed {
				billed++
			}
		}
		if len(log) != 5 || billed != 2 || log[2].Delivered || !log[3].Delivered || log[3].Billed || log[4].Try != 3 {
			t.Errorf("%+v", log)
		}
		if usd := s.Bill(func(string) (float64, float64) { return 1e6, 0 }); usd != float64(log[0].Prompt+log[2].Prompt) {
			t.Errorf("%v USD", usd)
		}
		if socket {
			s.Close()
		}
	}
}

func TestRules(t *testing.T) {
	prompt := func(composite, label string) Request {
		return Request{Model: "m", Body: composite + label, Messages: []Message{{"system", "{}"}, {"user", "Of {x}: {\"asset\":\"A\",\"time\":\"" + label + "\",\"composite\":" + composite + "}"}}}
	}
	cutoff := time.Date(2024, 1, 10, 0, 0, 0, 0, time.UTC)
	falls := func(asset string, at time.Time) float64 {
		if asset != "A" {
			t.Errorf("asset %q", asset)
		}
		if at.Day() == 5 {
			return math.NaN()
		}
		return -0.01
	}
	oracle := Oracle(cutoff, falls, Honest(1, 0))
	for _, c := range []struct {
		rule             Rule
		composite, label string
		want             string
	}{
		{Honest(1, 0), "1.5", "", `{"action":"long","confidence":0.75,"position_size":1,"reasoning":"by the factors"}`},
		{Honest(1, 0), "-9", "", `{"action":"short","confidence":1,"position_size":-1,"reasoning":"by the factors"}`},
		{Honest(1, 0), "null", "", `{"action":"neutral","confidence":0,"position_size":0,"reasoning":"by the factors"}`},
		{oracle, "1.5", "2024-01-09T00:00:00Z", `{"action":"short","confidence":0.95,"position_size":-1,"reasoning":"I remember"}`},
		{oracle, "1.5", "2024-01-05T00:00:00Z", `{"action":"long","confidence":0.75,"position_size":1,"reasoning":"by the factors"}`},
		{oracle, "1.5", "2024-01-10T00:00:00Z", `{"action":"long","confidence":0.75,"position_size":1,"reasoning":"by the factors"}`},
		{oracle, "1.5", "", `{"action":"long","confidence":0.75,"position_size":1,"reasoning":"by the factors"}`},
	} {
		if got := c.rule(prompt(c.composite, c.label)); got != c.want {
			t.Errorf("%s at %q: %s, want %s", c.composite, c.label, got, c.want)
		}
	}
	long, distinct := 0, map[string]bool{}
	for i := range 400 {
		said := Guess(3)(prompt("1", time.Unix(int64(i)*86400, 0).UTC().Format(time.RFC3339)))
		distinct[said] = true
		if strings.Contains(said, "long") {
			long++
		}
	}
	if long < 150 || long > 250 || len(distinct) < 50 {
		t.Errorf("%d of 400 guesses are long, %d differ", long, len(distinct))
	}
}
