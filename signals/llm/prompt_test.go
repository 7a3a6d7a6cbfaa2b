package llm

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/datasets"
)

const plainSummary = `{
  "asset": "BTCUSDT",
  "time": "2024-01-02T00:00:00Z",
  "price": 42345.7,
  "momentum_1w": 0.0123457,
  "momentum_1m": -0.05,
  "volatility": 0.61,
  "regime": "low",
  "liquidity_score": 0.98,
  "funding_rate": 0.0001,
  "order_flow_imbalance": null,
  "composite": 0.75
}`

func TestPromptsShowTheBar(t *testing.T) {
	c := study()
	got := calls(t, c, days(1))[0][0]
	if len(got.Messages) != 2 || got.Messages[0].Role != "system" || got.Messages[1].Role != "user" {
		t.Fatalf("%+v", got.Messages)
	}
	user := got.Messages[1].Content
	if !strings.Contains(user, plainSummary) || !strings.Contains(user, "BTCUSDT at 2024-01-02T00:00:00Z, price 42345.7:") {
		t.Errorf("user prompt:\n%s", user)
	}
	c.Anonymize = true
	user = calls(t, c, days(1))[0][0].Messages[1].Content
	hidden := strings.Replace(plainSummary, `"BTCUSDT",
  "time": "2024-01-02T00:00:00Z",
  "price": 42345.7`, `"the asset"`, 1)
	if !strings.Contains(user, hidden) || !strings.Contains(user, "Factor summary of the asset:") {
		t.Errorf("anonymized:\n%s", user)
	}
}

func TestNumbersAreShortAndStable(t *testing.T) {
	for x, want := range map[float64]string{
		0.1 + 0.2: "0.3", 1e-12: "1e-12", 123456789: "123457000", -0.0000001234567: "-1.23457e-7", math.Copysign(0, -1): "0",
		math.Inf(1): "null", math.Inf(-1): "null",
	} {
		if got := number(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
	if got := number(math.NaN()); got != "null" {
		t.Error(got)
	}
}

func TestOwnTemplates(t *testing.T) {
	p, err := ParsePrompts("Be brief.", `{{.Asset}} {{.Factors.composite}} {{.Factors.regime}}{{if .Time}} {{.Time}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	c := study()
	c.Prompts = p
	got := calls(t, c, days(1))[1][0].Messages
	if diff := cmp.Diff([]Message{{"system", "Be brief."}, {"user", `BTCUSDT 0.75 "low" 2024-01-02T00:00:00Z`}}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []struct{ system, user, want string }{
		{"{{", "", "system prompt: system:1: unclosed action"},
		{"", "{{.Prise}}", "user prompt: user:1:2: executing"},
		{"", "{{.Factors.momentum_2w}}", "momentum_2w"},
		{"", "{{/* nothing */}}", "the text is empty"},
		{"", "{{range 1000000000}}0123456789{{end}}", "grows beyond"},
	} {
		if _, err := ParsePrompts(bad.system, bad.user); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%q, %q: %v, want %q", bad.system, bad.user, err, bad.want)
		}
	}
}

// withUser is a study whose user prompt ends in text.
func withUser(t *testing.T, text string, anonymize bool) Config {
	p, err := ParsePrompts("", "{{.Summary}}\n"+text)
	if err != nil {
		t.Fatal(err)
	}
	c := study()
	c.Prompts, c.Anonymize = p, anonymize
	return c
}

// TestAudit has what gives the span away, over the days from 2024-01-01 to 2024-01-10, with closes
// of 42345.67, 42445.67 … 43245.67.
func TestAudit(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"You trade BTCUSDT.", `the symbol as "BTCUSDT"`},
		{"You trade btc-usdt.", `the symbol as "btc-usdt"`},
		{"You trade BTC/USDT now", `the symbol as "BTC/USDT"`},
		{"The coin is BTC.", `the symbol's coin as "BTC"`},
		{"the price of bitcoin", `the symbol's coin as "bitcoin"`},
		{"XBT", `the symbol's coin as "XBT"`},
		{"listed on Binance.", `the exchange as "Binance"`},
		{"binance_futures", `the exchange as "binance"`},
		{"It is 2024-01-05.", `the date "2024-01-05"`},
		{"It is 2024/1/5.", `the date "2024/1/5"`},
		{"It is 20240105", `the date "20240105"`},
		{"It is 5 Jan 2024", `the date "5 Jan 2024"`},
		{"It is 5th of January.", `the date "5th of January`},
		{"On January 5, 2024 the", `the date "January 5, 2024"`},
		{"On January 5 the", `the date "January 5"`},
		{"05.01.2024", `the date "05.01.2024"`},
		{"1/5/24", `the date "1/5/24"`},
		{"5JAN24", `the date "5JAN24"`},
		{"Jan. 5th, 2024", `the date "Jan. 5th, 2024"`},
		{"in January 2024", `the date "January 2024"`},
		{"2024-01", `the date "2024-01"`},
		{"Q1 2024", `the date "Q1 2024"`},
		{"2024q1", `the date "2024q1"`},
		{"in 2024", `the year 2024`},
		{"at 1704412800", `the date "1704412800"`},
		{"at 1704412800000 ms", `the date "1704412800000"`},
		{"ts=1704412800000000", `the date "1704412800000000"`},
		{"2024-01-05T12:00:00Z", `the date "2024-01-05T12:00`},
		{"last 42345.67", `the price 42345.67`},
		{"last 42,345.67", `the price 42,345.67`},
		{"last $42346", `the price 42346`},
		{"last 42345", `the price 42345`},
		{"about 42300", `the price 42300`},
		{"about 4.235e4", `the price 4.235e4`},
		{"", ""},
		{"Answer in at most 100 words, from 0 to 1; risk 0.5, 2.5 % of 365 days.", ""},
		{"On 2023-05-05, 5 May 2022 and March 3 nothing happened.", ""},
		{"The composite may rise; 1 may do. It is bullish to be near 0 on the link.", ""},
		{"50000 and 41,000.00 are far away, 9999 too, 1504412800", ""},
	} {
		_, err := withUser(t, c.text, true).Calls(days(10))
		if c.want == "" {
			if err != nil {
				t.Errorf("%q: %v", c.text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "mend the user template") ||
			!strings.Contains(err.Error(), "binance-futures:BTCUSDT at 2024-01-02T00:00:00Z") || !strings.Contains(err.Error(), "(and 9 prompts more)") {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
		if _, err := withUser(t, c.text, false).Calls(days(10)[8:]); err != nil {
			t.Errorf("%q is no secret in a plain prompt: %v", c.text, err)
		}
	}
}

// TestAuditOfFactors has factors that look like a price or a year of the span: they are none.
func TestAuditOfFactors(t *testing.T) {
	questions := days(3)
	for i := range questions {
		questions[i].Close = 0.61234
		questions[i].Summary.Volatility = 0.61234
		questions[i].Summary.Composite = -2024
	}
	if _, err := withUser(t, "", true).Calls(questions); err != nil {
		t.Error(err)
	}
	if _, err := withUser(t, "at 0.6123", true).Calls(questions); err == nil || !strings.Contains(err.Error(), "the price 0.6123") {
		t.Error(err)
	}
}

func TestNothingLaterThanTheBar(t *testing.T) {
	for text, later := range map[string]bool{
		"On 2024-01-02 it was.": false, "On 2024-01-03 it will be.": true, "2024-01-02T00:01:00Z": true, "2024-01-02 00:00": false,
		"14 March 2024": true, "March 2024": true, "January 2024": false, "02/01/2024": false, "04/05/2024": true, "1705000000": true,
		"1704067200": false, "In 2030 all will be fine": false, "March 14": false,
	} {
		_, err := withUser(t, text, false).Calls(days(1))
		if (err != nil) != later {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && !strings.Contains(err.Error(), "which is later than the bar") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSpellings(t *testing.T) {
	for _, c := range []struct {
		exchange, symbol string
		hit, miss        []string
	}{
		{"deribit", "BTC-PERPETUAL", []string{"btc perpetual", "BTC", "Deribit"}, []string{"perpetual"}},
		{"okex-swap", "ETH-USDT-SWAP", []string{"eth/usdt", "Ethereum", "OKX", "okex swap", "ETHUSDTSWAP"}, []string{"swap", "usdt"}},
		{"bitmex", "XBTH24", []string{"bitcoin", "XBTH24"}, []string{"bit"}},
		{"cryptofacilities", "PI_XBTUSD", []string{"xbt", "XBTUSD"}, []string{"usd"}},
		{"binance-delivery", "BTCUSD_PERP", []string{"BTCUSD", "btc-usd_perp"}, []string{"perp"}},
		{"binance-futures", "1000PEPEUSDT", []string{"PEPE", "1000pepe-usdt"}, []string{"1000"}},
		{"binance", "NEARUSDT", []string{"NEAR", "near/usdt"}, []string{"near zero"}},
		{"", "", nil, nil},
		{"x", "-", nil, nil},
		{"bullish", "LINKUSDC", []string{"Chainlink"}, []string{"bullish", "the link"}},
	} {
		q := days(1)
		q[0].Instrument = datasets.Instrument{Exchange: c.exchange, Symbol: c.symbol}
		for _, text := range c.hit {
			if _, err := withUser(t, text, true).Calls(q); err == nil {
				t.Errorf("%s: %q passes", c.symbol, text)
			}
		}
		for _, text := range append(c.miss, "") {
			if _, err := withUser(t, text, true).Calls(q); err != nil {
				t.Errorf("%s: %q: %v", c.symbol, text, err)
			}
		}
	}
}

func TestKeyIsOfWhatDeterminesTheAnswer(t *testing.T) {
	c := study()
	first := calls(t, c, days(2))
	base := first[0][0]
	keys := map[Key]string{base.Key(): "base"}
	seed := 7
	for name, change := range map[string]func(*Call){
		"model":       func(c *Call) { c.Model = "m" },
		"message":     func(c *Call) { c.Messages = []Message{c.Messages[0], {"user", c.Messages[1].Content + " "}} },
		"role":        func(c *Call) { c.Messages = []Message{c.Messages[0], {"assistant", c.Messages[1].Content}} },
		"temperature": func(c *Call) { c.Temperature = 0 },
		"max tokens":  func(c *Call) { c.MaxTokens++ },
		"seed":        func(c *Call) { c.Seed = &seed },
		"format":      func(c *Call) { c.ResponseFormat = JSONObject },
		"text":        func(c *Call) { c.ResponseFormat = FreeText },
		"question":    func(c *Call) { *c = first[0][1] },
	} {
		call := base
		change(&call)
		if was, ok := keys[call.Key()]; ok {
			t.Errorf("%s and %s have one key", name, was)
		}
		keys[call.Key()] = name
	}
	c.BaseURL, c.APIKeyEnv, c.Concurrency = "https://example.org/v1", "OTHER", 1
	if calls(t, c, days(1))[0][0].Key() != base.Key() {
		t.Error("the endpoint changes the key")
	}
	zero := Call{Model: "m", Messages: []Message{{"user", "<&>\u2028"}}, MaxTokens: 5, Seed: &seed, ResponseFormat: JSONObject}
	if got, want := string(zero.Body()), `{"model":"m","messages":[{"role":"user","content":"<&>\u2028"}],"temperature":0,"max_tokens":5,"seed":7,"response_format":{"type":"json_object"}}`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
	// sha256sum of the line above
	if got := zero.Key(); got != keyOf(zero.Body()) || !got.valid() {
		t.Error(got)
	}
}

func TestDateOfTheBarItself(t *testing.T) {
	q := days(1)
	q[0].Instrument = datasets.Instrument{Exchange: "deribit", Symbol: "BTC-20240329"} // its expiry is known
	q[0].Time = time.Date(2024, 2, 29, 13, 45, 0, 0, time.UTC).UnixMicro()
	if _, err := study().Calls(q); err != nil {
		t.Error(err)
	}
}

// FuzzAudit checks that no text breaks the audit, and that none hides what stands beside it.
func FuzzAudit(f *testing.F) {
	for _, seed := range []string{"", "5 Jan", "q1 2024", "1,2,3e400", "\xff\u0660 2024-13-45", "BTC", "jan\u00e9", "99999999999999999999"} {
		f.Add(seed)
	}
	a := newAudit(days(10), true)
	q := days(10)[3]
	f.Fuzz(func(t *testing.T, text string) {
		findDates(text, []int{2024})
		findNumbers(text)
		for _, secret := range []string{"2024-01-05", "January 5", "btc/usdt", "binance", "42345.67"} {
			if a.find(q, q.view(true), text+"\n "+secret+" \n"+text) == nil {
				t.Fatalf("%q hides %s", text, secret)
			}
		}
	})
}
