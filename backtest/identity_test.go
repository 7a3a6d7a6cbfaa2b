package backtest

import (
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
)

// What a run is named after holds what its numbers depend on, and not where things lie.
func TestIdentityOfModels(t *testing.T) {
	name := func(set ...string) string {
		s, err := study.Parse("s", []byte("version: 1\ndata: {instruments: [binance-futures:BTCUSDT], from: 2024-01-01, to: 2024-06-01}\n"), append([]string{"signals.llm={}"}, set...))
		if err != nil {
			t.Fatal(err)
		}
		d, err := digest(s, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	plain := name()
	for _, set := range []string{
		"cache=elsewhere", "api_key_env=KEY", "base_url=http://localhost:1", "budget_usd=3", "requests_per_minute=5", "tokens_per_minute=5",
		"concurrency=1", "max_retries=0",
	} {
		if name("signals.llm."+set) != plain {
			t.Errorf("%s gives a run another name", set)
		}
	}
	for _, set := range []string{
		"models=[gpt-4.1]", "cadence=12h", "combine={mode: gate}", "combine={weight: 0.5}", "ensemble=majority", "anonymize=true", "temperature=0",
		"user_template={text: '{{.Summary}}'}", "on_missing=neutral", "summary={missing: zero}", "models=[{name: deepseek-v3.2, knowledge_cutoff: 2024-01-01}, gemini-2.5-flash]",
	} {
		if name("signals.llm."+set) == plain {
			t.Errorf("%s leaves a run's name as it is", set)
		}
	}
}

// From ticks to positions, with everything on at once.
func TestSignalOptionsPassTheAudit(t *testing.T) {
	text := strings.Replace(small, "  - {name: vol,",
		"  - {name: regime, kind: vol_regime, window: 4h, min_periods: 20, lookback: 6h, min_lookback: 20}\n  - {name: vol,", 1)
	lake, s := simulatedLake(t, text, nil, append(strings.Fields(`signals.hysteresis={"strong_long":0.8,"long":0.2,"short":-0.1} signals.min_holding=3h signals.rebalance_every=5 signals.cap=0.9 `+
		`signals.regime_scaling={"factor":"regime","low":1.5,"high":0.5} signals.volatility_target={"factor":"vol","annual":0.4,"max":1.5}`), "execution.spot_short={borrow_bps: 500}",
		"data.instruments=[binance-futures:BTCUSDT, binance:ETHUSDT]", "composite.missing=renormalize")...)
	r, cert := audited(t, production, lake, s, Options{})
	clean(t, cert)
	if len(r.All.Fills) == 0 {
		t.Error("nothing was traded")
	}
}
