package llm

import (
	"math"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

var btc = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}

// days gives one question a day from 2024-01-02, with values and closes that differ.
func days(n int) []Question {
	out := make([]Question, n)
	for i := range out {
		x := float64(i)
		out[i] = Question{Instrument: btc, Row: i * 1440, Close: 42345.67 + 100*x,
			Time: time.Date(2024, 1, 2+i, 0, 0, 0, 0, time.UTC).UnixMicro(),
			Summary: Summary{Momentum1W: 0.01234567 + x/1000, Momentum1M: -0.05, Volatility: 0.61, Regime: float64(i%3 - 1),
				LiquidityScore: 0.98, FundingRate: 0.0001, OrderFlowImbalance: math.NaN(), Composite: 0.75 - x/100}}
	}
	return out
}

// study is a Config with two models.
func study() Config {
	prices := Prices()
	return Config{BaseURL: "http://127.0.0.1:1/v1", APIKeyEnv: "QF_TEST_KEY", Models: prices[:2], Ensemble: Mean,
		Temperature: 0.2, MaxTokens: 500, ResponseFormat: JSONSchema,
		RequestsPerMinute: 1e9, Concurrency: 4, MaxRetries: 3, BudgetUSD: math.NaN()}
}

func calls(t *testing.T, c Config, questions []Question) [][]Call {
	t.Helper()
	out, err := c.Calls(questions)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fits is an answer in the form asked for.
const fits = `{"action":"long","confidence":0.8,"position_size":0.5,"reasoning":"momentum"}`

// entry is a finished one whose single exchange said text.
func entry(c Call, text string) *Entry {
	e := newEntry(c, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	e.add(Exchange{ResponseFormat: c.ResponseFormat, Served: c.Model, Text: text, Finish: "stop",
		Usage: Usage{Prompt: 400, Complete: 60}, LatencyMS: 1500})
	return e
}
