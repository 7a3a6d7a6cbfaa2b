package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm/llmtest"
)

// testKey is that of every test server; it may be found nowhere.
const testKey = "sk-test-4e1f0b7c9a"

func options(s *llmtest.Server) FillOptions {
	return FillOptions{Key: testKey, UserAgent: "qf/test", Transport: s.Transport()}
}

// fill runs Fill against s in a bubble of its own clock, and gives how long it took by it.
func fill(t *testing.T, s *llmtest.Server, cache *Cache, c Config, questions []Question) (report FillReport, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report, err = Fill(t.Context(), cache, c, questions, options(s))
		took = time.Since(start)
	})
	return report, took, err
}

// states lists the states of all replies by model.
func states(t *testing.T, cache *Cache, c Config, questions []Question) [][]State {
	t.Helper()
	o, err := Read(cache, c, questions)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]State, len(o.Replies))
	for m := range o.Replies {
		for _, r := range o.Replies[m] {
			out[m] = append(out[m], r.State)
		}
	}
	return out
}

// TestFillOverTheNetwork asks for 90 days from two models through a real server, then reads them
// with no network, byte for byte the same again.
func TestFillOverTheNetwork(t *testing.T) {
	s := &llmtest.Server{Key: testKey, Rule: llmtest.Honest(1, 0.3), Fault: llmtest.RandomFaults(7, 0.4,
		llmtest.Fenced, llmtest.Prose, llmtest.NoUsage, llmtest.InvalidJSON, llmtest.OutOfRange)}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, questions := study(), days(90)
	c.BaseURL, c.Concurrency = s.URL(), 8
	cache := OpenCache(t.TempDir())
	var last Progress
	report, err := Fill(t.Context(), cache, c, questions, FillOptions{Key: testKey, UserAgent: "qf/test", Progress: func(p Progress) {
		if p.Done != last.Done+1 || p.Total != 180 || p.USD < last.USD || p.Prompt < last.Prompt {
			t.Errorf("progress %+v after %+v", p, last)
		}
		last = p
	}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Asked != 180 || report.Valid+report.Invalid != 180 || report.Failed+report.Left+report.Held+report.Lost != 0 || last.Done != 180 {
		t.Errorf("%+v", report)
	}
	if report.Invalid == 0 || report.Valid < 160 {
		t.Errorf("%d valid, %d invalid", report.Valid, report.Invalid)
	}
	repairs := s.Requests() - 180
	o, err := Read(cache, c, questions)
	if err != nil {
		t.Fatal(err)
	}
	var usage Usage
	requests, usd := 0, 0.0
	for m := range c.Models {
		b := o.Billed(m)
		requests += b.Requests
		usage = usage.plus(b.Usage)
		usd += o.Cost(m)
	}
	if requests != 180+repairs || usage.Prompt != report.Prompt || usage.Complete != report.Answer || math.Abs(usd-report.USD) > 1e-12 {
		t.Errorf("billed %d requests, %+v, %v USD; %d repairs, %+v", requests, usage, usd, repairs, report)
	}
	for _, e := range s.Log() {
		h := e.Header
		if h.Get("User-Agent") != "qf/test" || h.Get("Authorization") != "Bearer "+testKey || h.Get("Content-Type") != "application/json" ||
			h.Get("Idempotency-Key") != e.ID || e.Temperature == nil || *e.Temperature != 0.2 || e.MaxTokens != 500 || e.Format != "json_schema" {
			t.Fatalf("request %+v", e)
		}
		if e.Concurrent > 8 {
			t.Errorf("%d requests at once", e.Concurrent)
		}
	}
	// Again: nothing is asked, and the replies are the same.
	if report, err = Fill(t.Context(), cache, c, questions, options(s)); err != nil || report.Held != 180 || report.Asked != 0 || report.USD != 0 {
		t.Errorf("again: %+v, %v", report, err)
	}
	if s.Requests() != 180+repairs {
		t.Errorf("%d requests after a second fill", s.Requests())
	}
	again, err := Read(cache, c, questions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.Replies, again.Replies); diff != "" {
		t.Error(diff)
	}
}

// roundTrip is an endpoint without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A model may give the key back in any form: escaped in its own JSON, split over lines. Neither the cache
// nor what is read from it holds it.
func TestKeyComesBackInNoForm(t *testing.T) {
	points := ""
	for _, c := range testKey {
		points += fmt.Sprintf(`\u%04x`, c)
	}
	for _, form := range []string{testKey, points, testKey[:8] + `\n` + testKey[8:], testKey[:8] + " " + testKey[8:], "sk-another0123456789abcdef"} {
		said := `{"action": "long", "confidence": 0.5, "position_size": 0.5, "reasoning": "my key is ` + form + `."}`
		body, err := json.Marshal(map[string]any{
			"model": testKey, "usage": map[string]int{"prompt_tokens": 9, "completion_tokens": 9},
			"choices": []any{map[string]any{"finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": said}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c, questions := study(), days(1)
		c.Models = c.Models[:1]
		cache := OpenCache(t.TempDir())
		report, err := Fill(t.Context(), cache, c, questions, FillOptions{Key: testKey, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		})})
		if err != nil || report.Valid != 1 {
			t.Fatalf("%s: %+v, %v", form, report, err)
		}
		secret := datasets.NewSecret(testKey)
		err = filepath.WalkDir(cache.Dir(), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if hidden := secret.Hide(string(text)); hidden != string(text) {
				t.Errorf("%s: %s holds it: %s", form, path, text)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		o, err := Read(cache, c, questions)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%+v", o.Replies); secret.Hide(text) != text {
			t.Errorf("%s: %s", form, text)
		}
	}
}

// TestTemperatureZeroIsSent also checks the seed.
func TestTemperatureZeroIsSent(t *testing.T) {
	s := &llmtest.Server{}
	c := study()
	seed := 0
	c.Temperature, c.Seed, c.ResponseFormat = 0, &seed, FreeText
	if _, _, err := fill(t, s, OpenCache(t.TempDir()), c, days(1)); err != nil {
		t.Fatal(err)
	}
	e := s.Log()[0]
	if e.Temperature == nil || *e.Temperature != 0 || e.Seed == nil || *e.Seed != 0 || e.Format != "" {
		t.Errorf("%s", e.Body)
	}
}

func TestRepair(t *testing.T) {
	c, questions := study(), days(1)
	c.Models = c.Models[:1]
	for _, tc := range []struct {
		name      string
		fault     func(llmtest.Request) llmtest.Fault
		want      State
		exchanges int
	}{
		{"fits", nil, Valid, 1},
		{"repaired", llmtest.Numbers(llmtest.Fault{Kind: llmtest.OutOfRange}, 1), Valid, 2},
		{"not repaired", llmtest.Numbers(llmtest.Fault{Kind: llmtest.NoObject}, 1, 2), Invalid, 2},
		{"a megabyte", llmtest.Numbers(llmtest.Fault{Kind: llmtest.Huge}, 1), Valid, 2},
		{"hostile", llmtest.Numbers(llmtest.Fault{Kind: llmtest.Says, Text: "<script>\x00\xff" + testKey}, 1, 2), Invalid, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &llmtest.Server{Key: testKey, Fault: tc.fault}
			cache := OpenCache(t.TempDir())
			report, _, err := fill(t, s, cache, c, questions)
			if err != nil || report.Asked != 1 || report.Valid != int(tc.want)/2 || s.Requests() != tc.exchanges {
				t.Fatalf("%+v, %v, %d requests", report, err, s.Requests())
			}
			e, err := cache.Get(calls(t, c, questions)[0][0].Key())
			if err != nil || e.State() != tc.want || len(e.Exchanges) != tc.exchanges {
				t.Fatalf("%+v, %v", e, err)
			}
			if tc.exchanges == 2 {
				sent, turns := s.Log()[1].Messages, e.Exchanges[1].Repair
				if len(sent) != 4 || len(turns) != 2 || sent[2].Content != turns[0].Content || sent[3].Content != turns[1].Content ||
					sent[2].Role != "assistant" || !strings.HasPrefix(sent[3].Content, "That does not fit: ") || len(sent[2].Content) > 5000 {
					t.Errorf("%.500q", sent)
				}
			}
			if _, findings, err := cache.Verify(); len(findings) > 0 || err != nil {
				t.Error(findings, err)
			}
			// An invalid answer is not asked for again.
			if again, _, err := fill(t, s, cache, c, questions); err != nil || again.Held != 1 || s.Requests() != tc.exchanges {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

// A response in which the model said nothing is no answer: it is asked for again, and never stored.
func TestNothingSaid(t *testing.T) {
	c, questions := study(), days(1)
	c.Models, c.MaxRetries = c.Models[:1], 1
	s := &llmtest.Server{Fault: llmtest.Numbers(llmtest.Fault{Kind: llmtest.NoChoices}, 1)}
	cache := OpenCache(t.TempDir())
	report, _, err := fill(t, s, cache, c, questions)
	if err != nil || report.Valid != 1 || s.Requests() != 2 {
		t.Fatalf("%+v, %v, %d requests", report, err, s.Requests())
	}
	if e, err := cache.Get(calls(t, c, questions)[0][0].Key()); err != nil || len(e.Exchanges) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	s = &llmtest.Server{Fault: llmtest.Numbers(llmtest.Fault{Kind: llmtest.NoChoices}, 1, 2)}
	cache = OpenCache(t.TempDir())
	if report, _, err = fill(t, s, cache, c, questions); report.Failed != 1 || s.Requests() != 2 {
		t.Errorf("%+v, %v, %d requests", report, err, s.Requests())
	}
	if _, err := cache.Get(calls(t, c, questions)[0][0].Key()); !errors.Is(err, ErrMissing) {
		t.Errorf("an entry of nothing: %v", err)
	}
}

// TestRepairIsMadeUpFor stops a fill between an answer and its repair.
func TestRepairIsMadeUpFor(t *testing.T) {
	c, questions := study(), days(1)
	c.Models, c.MaxRetries = c.Models[:1], 0
	s := &llmtest.Server{Fault: func(r llmtest.Request) llmtest.Fault {
		switch r.N {
		case 1:
			return llmtest.Fault{Kind: llmtest.NoObject}
		case 2:
			return llmtest.Fault{Kind: llmtest.ServerError}
		}
		return llmtest.Fault{}
	}}
	cache := OpenCache(t.TempDir())
	report, _, err := fill(t, s, cache, c, questions)
	if err != nil || report.Failed != 1 || len(report.Failures) != 1 || !strings.Contains(report.Failures[0].Error(), "repair: 500") {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := states(t, cache, c, questions); got[0][0] != Invalid {
		t.Errorf("%v", got)
	}
	report, _, err = fill(t, s, cache, c, questions)
	if err != nil || report.Valid != 1 || report.Held != 0 || s.Requests() != 3 || s.Log()[2].ID != s.Log()[1].ID {
		t.Fatalf("%+v, %v, %d requests", report, err, s.Requests())
	}
	if got := states(t, cache, c, questions); got[0][0] != Valid {
		t.Errorf("%v", got)
	}
}

// TestRetries has what one call survives, with the requests that it takes and the time, which jitter
// may make a quarter longer.
func TestRetries(t *testing.T) {
	c, questions := study(), days(1)
	c.Models = c.Models[:1]
	for _, tc := range []struct {
		name     string
		times    int
		fault    llmtest.Fault
		requests int
		wait     time.Duration
		failed   string // "" for an answer
		lost     int
	}{
		{"429", 3, llmtest.Fault{Kind: llmtest.TooManyRequests}, 4, 420 * time.Second, "", 0},
		{"429 with Retry-After", 2, llmtest.Fault{Kind: llmtest.TooManyRequests, RetryAfter: "10"}, 3, 30 * time.Second, "", 0},
		{"500", 3, llmtest.Fault{Kind: llmtest.ServerError}, 4, 7 * time.Second, "", 0},
		{"503 with Retry-After", 1, llmtest.Fault{Kind: llmtest.Unavailable, RetryAfter: "20"}, 2, 20 * time.Second, "", 0},
		{"an error under 200", 1, llmtest.Fault{Kind: llmtest.ErrorInside}, 2, time.Second, "", 0},
		{"dropped", 2, llmtest.Fault{Kind: llmtest.Dropped}, 3, 3 * time.Second, "", 2},
		{"cut", 2, llmtest.Fault{Kind: llmtest.Cut}, 3, 3 * time.Second, "", 2},
		{"slow", 1, llmtest.Fault{Kind: llmtest.Slow, Pause: time.Minute}, 1, time.Minute, "", 0},
		{"too slow", 1, llmtest.Fault{Kind: llmtest.Slow, Pause: time.Hour}, 2, requestTimeout + time.Second, "", 1},
		{"500 for good", 9, llmtest.Fault{Kind: llmtest.ServerError}, 4, 7 * time.Second, "500 Internal Server Error: The server had an error. (after 4 tries)", 0},
		{"400", 9, llmtest.Fault{Kind: llmtest.BadRequest, Text: "max_tokens is too large"}, 1, 0, "400 Bad Request: max_tokens is too large", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &llmtest.Server{Key: testKey, Fault: llmtest.FirstTries(tc.times, tc.fault)}
			report, took, err := fill(t, s, OpenCache(t.TempDir()), c, questions)
			if err != nil || s.Requests() != tc.requests || report.Lost != tc.lost {
				t.Fatalf("%+v, %v, %d requests", report, err, s.Requests())
			}
			if took < tc.wait || took > tc.wait*5/4 {
				t.Errorf("took %s, want %s and up to a quarter more", took, tc.wait)
			}
			if failed := errors.Join(report.Failures...); (failed != nil) != (tc.failed != "") ||
				failed != nil && failed.Error() != "deepseek-v3.2: binance-futures:BTCUSDT at 2024-01-02T00:00:00Z: "+tc.failed {
				t.Errorf("failures: %v", failed)
			}
			call := calls(t, c, questions)[0][0]
			worst := call.worst().Cost(c.Models[0])
			var billed float64
			for _, e := range s.Log() {
				if e.Billed && e.Delivered {
					billed += Usage{Prompt: e.Prompt, Complete: e.Complete}.Cost(c.Models[0])
				}
			}
			if want := billed + float64(tc.lost)*worst; math.Abs(report.USD-want) > 1e-12 {
				t.Errorf("%v USD, want %v", report.USD, want)
			}
		})
	}
}

// TestStops has what ends a fill at once, with the advice.
func TestStops(t *testing.T) {
	c, questions := study(), days(40)
	holy := c
	holy.BaseURL = "https://api.holysheep.ai/v1"
	nameless := holy
	nameless.APIKeyEnv = ""
	for _, tc := range []struct {
		name     string
		config   Config
		key      string
		fault    llmtest.Fault
		requests int
		want     []string
	}{
		{"401", holy, testKey, llmtest.Fault{Kind: llmtest.Unauthorized}, 4, []string{"401 Unauthorized: Incorrect API key provided: Bearer [key];", "QF_TEST_KEY", "renew it at https://www.holysheep.ai"}},
		{"401 elsewhere", c, testKey, llmtest.Fault{Kind: llmtest.Unauthorized}, 4, []string{"QF_TEST_KEY", "renew it at http://127.0.0.1:1"}},
		{"no key", holy, "", llmtest.Fault{}, 4, []string{"QF_TEST_KEY is not set: get a key at https://www.holysheep.ai"}},
		{"no variable", nameless, "", llmtest.Fault{}, 4, []string{"name the variable that holds it in api_key_env", "https://www.holysheep.ai"}},
		{"403", holy, testKey, llmtest.Fault{Kind: llmtest.Forbidden}, 4, []string{"403 Forbidden", "QF_TEST_KEY"}},
		{"402", holy, testKey, llmtest.Fault{Kind: llmtest.PaymentRequired}, 4, []string{"402 Payment Required: Insufficient Balance", "top it up at https://www.holysheep.ai"}},
		{"quota", holy, testKey, llmtest.Fault{Kind: llmtest.OutOfCredit}, 4, []string{"429 Too Many Requests: You exceeded your current quota.", "no credit left"}},
		{"404", c, testKey, llmtest.Fault{Kind: llmtest.NotFound}, 4, []string{"404 Not Found: The model does not exist.", "check the model's name \""}},
		{"web page", c, testKey, llmtest.Fault{Kind: llmtest.HTML}, 4, []string{"not a chat completion: <html><body>Please sign in.", "check base_url"}},
		{"redirect", c, testKey, llmtest.Fault{Kind: llmtest.Redirect}, 4, []string{"redirects to https://elsewhere.example/v1/chat/completions", "check base_url"}},
		{"429 for an hour", c, testKey, llmtest.Fault{Kind: llmtest.TooManyRequests, RetryAfter: "3600"}, 4, []string{"wants to be asked again in 1h0m0s"}},
		// Four tries of four workers.
		{"429 for good", c, testKey, llmtest.Fault{Kind: llmtest.TooManyRequests, RetryAfter: "1"}, 16, []string{"no call was answered over 4 tries", "requests_per_minute"}},
		{"500 for good", c, testKey, llmtest.Fault{Kind: llmtest.ServerError}, 52, []string{"10 calls failed in a row, the last was ", "500 Internal Server Error"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &llmtest.Server{Key: testKey, Fault: llmtest.FirstTries(99, tc.fault)}
			synctest.Test(t, func(t *testing.T) {
				o := options(s)
				o.Key = tc.key
				report, err := Fill(t.Context(), OpenCache(t.TempDir()), tc.config, questions, o)
				if err == nil || report.Valid != 0 || report.Left+report.Asked != 80 {
					t.Fatalf("%+v, %v", report, err)
				}
				for _, want := range append(tc.want, "binance-futures:BTCUSDT at 2024-0") {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v\nwant %s", err, want)
					}
				}
				if strings.Contains(err.Error(), testKey) {
					t.Errorf("the key is shown: %v", err)
				}
				if s.Requests() > tc.requests {
					t.Errorf("%d requests, want at most %d", s.Requests(), tc.requests)
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for text, want := range map[string]time.Duration{
			"": 0, "7": 7 * time.Second, "0.5": time.Second / 2, "-3": 0, "soon": 0, "NaN": 0, "1e300": 1e9 * time.Second,
			time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat):  90 * time.Second,
			time.Now().Add(-90 * time.Second).UTC().Format(http.TimeFormat): 0,
		} {
			if got := retryAfter(http.Header{"Retry-After": {text}}); got != want {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
		}
	})
}

// TestStormOfRefusals has an endpoint that refuses three of four requests throughout: the fill gets
// slow and does not fail.
func TestStormOfRefusals(t *testing.T) {
	s := &llmtest.Server{Fault: func(r llmtest.Request) llmtest.Fault {
		if r.N%4 != 0 {
			return llmtest.Fault{Kind: llmtest.TooManyRequests, RetryAfter: "2"}
		}
		return llmtest.Fault{}
	}}
	c := study()
	c.Concurrency = 8
	report, took, err := fill(t, s, OpenCache(t.TempDir()), c, days(20))
	if err != nil || report.Valid != 40 || took < time.Minute {
		t.Errorf("%+v, %v, took %s", report, err, took)
	}
}

func TestPaceOfRequests(t *testing.T) {
	s := &llmtest.Server{}
	c := study()
	c.RequestsPerMinute = 60
	if _, took, err := fill(t, s, OpenCache(t.TempDir()), c, days(20)); err != nil || took != 39*time.Second {
		t.Errorf("40 requests at 60 a minute take %s, %v", took, err)
	}
	c.RequestsPerMinute, c.TokensPerMinute = 0, 6000
	tokens := 0
	for _, model := range calls(t, c, days(20)) {
		for _, call := range model {
			w := call.worst()
			tokens += w.Prompt + w.Complete
		}
	}
	want := time.Duration(float64(tokens) / 100 * float64(time.Second)) // 100 a second, the first 100 at once
	if _, took, err := fill(t, s, OpenCache(t.TempDir()), c, days(20)); err != nil || took < want-2*time.Second || took > want {
		t.Errorf("%d tokens at 6000 a minute take %s, want about %s, %v", tokens, took, want, err)
	}
}

// TestResponseFormatFallsBack has endpoints that do not take a schema, or no format at all: each model
// is asked once for each format, and the entries have the keys of the configured call.
func TestResponseFormatFallsBack(t *testing.T) {
	for _, tc := range []struct {
		takes []string
		want  ResponseFormat
		extra int
	}{{[]string{"json_object"}, JSONObject, 1}, {[]string{}, FreeText, 2}} {
		s := &llmtest.Server{Formats: tc.takes}
		c, questions := study(), days(5)
		c.Concurrency = 1
		cache := OpenCache(t.TempDir())
		report, took, err := fill(t, s, cache, c, questions)
		if err != nil || report.Valid != 10 || s.Requests() != 10+2*tc.extra || took != 0 {
			t.Fatalf("%+v, %v, %d requests, %s", report, err, s.Requests(), took)
		}
		e, err := cache.Get(calls(t, c, questions)[0][0].Key())
		if err != nil || e.Exchanges[0].ResponseFormat != tc.want {
			t.Errorf("%+v, %v", e, err)
		}
		c.Concurrency = 8
		if report, _, err := fill(t, s, OpenCache(t.TempDir()), c, questions); err != nil || report.Valid != 10 {
			t.Errorf("8 at once: %+v, %v", report, err)
		}
	}
}

// TestCancelKeepsWhatIsPaid stops a fill while answers are under way.
func TestCancelKeepsWhatIsPaid(t *testing.T) {
	for _, tc := range []struct {
		pause  time.Duration
		valid  int
		lost   int
		ending time.Duration
	}{
		{10 * time.Second, 8, 0, 20 * time.Second}, // four came before, four in the grace
		{50 * time.Second, 0, 4, 45 * time.Second}, // the grace is over at 45 s
	} {
		s := &llmtest.Server{Fault: llmtest.FirstTries(9, llmtest.Fault{Kind: llmtest.Slow, Pause: tc.pause})}
		cache := OpenCache(t.TempDir())
		c, questions := study(), days(20)
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(15*time.Second, cancel)
			report, err := Fill(ctx, cache, c, questions, options(s))
			if !errors.Is(err, context.Canceled) || report.Valid != tc.valid || report.Lost != tc.lost || report.Left != 40-tc.valid || time.Since(start) != tc.ending {
				t.Errorf("%+v, %v after %s", report, err, time.Since(start))
			}
		})
		if keys, err := cache.List(); len(keys) != tc.valid || err != nil {
			t.Errorf("%d entries, %v", len(keys), err)
		}
		asked := s.Requests()
		s.Fault = nil
		if report, _, err := fill(t, s, cache, c, questions); err != nil || report.Valid != 40-tc.valid || report.Held != tc.valid || s.Requests() != asked+40-tc.valid {
			t.Errorf("resumed: %+v, %v", report, err)
		}
	}
}

// TestIdenticalCallsAreAskedOnce has bars that make one prompt once they are anonymized.
func TestIdenticalCallsAreAskedOnce(t *testing.T) {
	questions := days(4)
	for i := range questions {
		questions[i].Summary = Summary{Composite: math.NaN()}
	}
	c := study()
	c.Anonymize = true
	s := &llmtest.Server{}
	report, _, err := fill(t, s, OpenCache(t.TempDir()), c, questions)
	if err != nil || report.Asked != 2 || s.Requests() != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestOneFillAtATime(t *testing.T) {
	cache := OpenCache(t.TempDir())
	unlock, err := cache.lock()
	if err != nil {
		t.Fatal(err)
	}
	s := &llmtest.Server{}
	if _, _, err := fill(t, s, cache, study(), days(1)); err == nil || !strings.Contains(err.Error(), "another fill is at work") {
		t.Errorf("%v", err)
	}
	unlock()
	if _, _, err := fill(t, s, cache, study(), days(1)); err != nil {
		t.Error(err)
	}
}

func TestUnpricedModels(t *testing.T) {
	c := study()
	c.Models = append(c.Models, Model{Name: "llama", Input: math.NaN(), Output: math.NaN()})
	s := &llmtest.Server{}
	if report, _, err := fill(t, s, OpenCache(t.TempDir()), c, days(2)); err != nil || report.Valid != 6 || !math.IsNaN(report.USD) {
		t.Errorf("without a budget: %+v, %v", report, err)
	}
	c.BudgetUSD = 5
	asked := s.Requests()
	if _, _, err := fill(t, s, OpenCache(t.TempDir()), c, days(2)); err == nil || !strings.Contains(err.Error(), "model llama has no price") || s.Requests() != asked {
		t.Errorf("with a budget: %v", err)
	}
}

func TestUnwritableCacheStops(t *testing.T) {
	c, questions := study(), days(40)
	cache := OpenCache(t.TempDir())
	// A file stands where the folder of the first call belongs.
	first := calls(t, c, questions)[0][0].Key()
	if err := os.WriteFile(filepath.Dir(cache.Path(first)), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s := &llmtest.Server{}
	if _, _, err := fill(t, s, cache, c, questions); err == nil {
		t.Fatal("no error")
	}
	if s.Requests() > 4 {
		t.Errorf("%d answers were paid for", s.Requests())
	}
}

// TestKeyIsNowhere greps everything that a fill writes or says, with an endpoint that echoes the key.
func TestKeyIsNowhere(t *testing.T) {
	dir := t.TempDir()
	var said []string
	for _, kind := range []llmtest.FaultKind{llmtest.Unauthorized, llmtest.BadRequest, llmtest.Says, llmtest.Cut, llmtest.HTML} {
		s := &llmtest.Server{Fault: llmtest.FirstTries(99, llmtest.Fault{Kind: kind, Text: "I know " + testKey})}
		cache := OpenCache(filepath.Join(dir, fmt.Sprint(kind)))
		report, _, err := fill(t, s, cache, study(), days(2))
		said = append(said, fmt.Sprintf("%+v %v", report, err))
		for _, f := range report.Failures {
			said = append(said, f.Error(), fmt.Sprintf("%#v", f))
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		said = append(said, path, string(b))
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
	for _, text := range said {
		if strings.Contains(text, testKey) || strings.Contains(text, "Bearer sk-") {
			t.Errorf("the key is in %.300s", text)
		}
	}
}

// TestNothingIsSentTwiceUnseen has a connection that dies after each answer: a transport that repeats
// requests by itself would be billed twice.
func TestNothingIsSentTwiceUnseen(t *testing.T) {
	s := &llmtest.Server{Fault: llmtest.Numbers(llmtest.Fault{Kind: llmtest.Dropped}, 3, 5, 9)}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := study()
	c.BaseURL, c.Concurrency, c.MaxRetries = s.URL(), 1, 0
	report, err := Fill(t.Context(), OpenCache(t.TempDir()), c, days(6), FillOptions{})
	if err != nil || report.Valid != 9 || report.Failed != 3 || report.Lost != 3 || s.Requests() != 12 {
		t.Errorf("%+v, %v, %d requests", report, err, s.Requests())
	}
}

// TestUnreachableEndpointCostsNothing has nobody listening.
func TestUnreachableEndpointCostsNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := study()
	c.BaseURL, c.MaxRetries, c.BudgetUSD = "http://"+l.Addr().String()+"/v1", 0, 5
	report, err := Fill(t.Context(), OpenCache(t.TempDir()), c, days(20), FillOptions{})
	if err == nil || !strings.Contains(err.Error(), "10 calls failed in a row") || !strings.Contains(err.Error(), "connection refused") || report.USD != 0 || report.Lost != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// noDial is a transport that fails the test on any request.
type noDial struct{ *testing.T }

func (n noDial) RoundTrip(r *http.Request) (*http.Response, error) {
	n.Errorf("a request to %s", r.URL)
	return nil, errors.New("no network")
}

// TestFullCacheNeedsNoNetwork reads and fills with a transport that may not be used.
func TestFullCacheNeedsNoNetwork(t *testing.T) {
	c, questions := study(), days(10)
	cache := OpenCache(t.TempDir())
	if _, _, err := fill(t, &llmtest.Server{}, cache, c, questions); err != nil {
		t.Fatal(err)
	}
	was := http.DefaultTransport
	http.DefaultTransport = noDial{t}
	defer func() { http.DefaultTransport = was }()
	var want *Opinions
	for range 3 {
		o, err := Read(cache, c, questions)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = o
		} else if diff := cmp.Diff(want.Replies, o.Replies); diff != "" {
			t.Error(diff)
		}
	}
	if report, err := Fill(t.Context(), cache, c, questions, FillOptions{Transport: noDial{t}}); err != nil || report.Held != 20 {
		t.Errorf("%+v, %v", report, err)
	}
}
