package study

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

func TestModelSectionDefaults(t *testing.T) {
	s, err := Parse("dir/s.yaml", []byte(minimal), []string{"signals.llm={}"})
	if err != nil {
		t.Fatal(err)
	}
	l := s.Signals.LLM
	if l.BaseURL != "https://api.holysheep.ai/v1" || l.APIKeyEnv != "HOLYSHEEP_API_KEY" || l.Cadence.String() != "1d" ||
		l.Combine != (CombineConfig{llm.Blend, 0.3}) || l.Ensemble != llm.Mean || l.OnMissing != "error" || l.MaxInvalid != 0.05 ||
		l.Temperature != 0.2 || l.MaxTokens != 500 || l.ResponseFormat != llm.JSONSchema || l.BudgetUSD != nil || l.Seed != nil {
		t.Errorf("defaults %+v", *l)
	}
	if len(l.Models) != 2 || l.Models[0].Name != "deepseek-v3.2" || l.Models[0].Output != 0.42 || l.Models[1].Name != "gemini-2.5-flash" || l.Models[1].Input != 2.5 {
		t.Errorf("models %+v", l.Models)
	}
	if got, want := l.CacheDir(), filepath.Join("dir", "llm-cache"); got != want {
		t.Errorf("the cache lies in %s, want %s: beside the study", got, want)
	}
	if s, err := Parse("s", []byte(minimal), []string{"signals.llm=null"}); err != nil || s.Signals.LLM != nil {
		t.Errorf("llm: null gives %v, %v", s, err)
	}
}

func TestModelSectionReadsBack(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "user.tmpl"), []byte("{{.Asset}} {{.Summary}}"), 0o666); err != nil {
		t.Fatal(err)
	}
	set := []string{
		"signals.llm={models: [gpt-4.1, {name: local, input_usd: 0, output_usd: 0.1, knowledge_cutoff: 2024-02-01, weight: 2, params: {max_completion_tokens: 4000, temperature: none, reasoning_effort: low, top_k: \"3\"}}, {name: unpriced, input_usd: 3}], " +
			"cadence: 4h, combine: {mode: gate}, seed: 7, user_template: user.tmpl, summary: {volatility: volatility_20d, missing: zero}}",
	}
	s, err := Parse(filepath.Join(dir, "s.yaml"), []byte(minimal), set)
	if err != nil {
		t.Fatal(err)
	}
	models := s.Signals.LLM.Models
	cutoff, _ := datasets.ParseDay("2024-02-01")
	if models[0].Input != 8 || models[0].Weight != 1 || !reflect.DeepEqual(models[1], llm.Model{Name: "local", Input: 0, Output: 0.1, Weight: 2, KnowledgeCutoff: cutoff, Params: []llm.Param{
		{Name: "max_completion_tokens", JSON: "4000"}, {Name: "temperature"}, {Name: "reasoning_effort", JSON: `"low"`}, {Name: "top_k", JSON: `"3"`}}}) ||
		models[2].Priced() || models[2].KnowledgeCutoff != 0 {
		t.Errorf("models %+v", models)
	}
	text := document(t, s)
	again, err := Parse("elsewhere/s.yaml", []byte(text), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := document(t, again); got != text {
		t.Errorf("got\n%s\nwant\n%s", got, text)
	}
	if again.Signals.LLM.UserTemplate.Text != "{{.Asset}} {{.Summary}}" {
		t.Errorf("the template's text is %q", again.Signals.LLM.UserTemplate.Text)
	}
	if c, err := s.Signals.LLM.Config(); err != nil || !math.IsNaN(c.BudgetUSD) || *c.Seed != 7 {
		t.Errorf("config %+v, %v", c, err)
	}
	s, err = Parse("s", []byte(minimal), []string{"signals.llm={budget_usd: 1.5}"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Signals.LLM.Config(); err != nil || c.BudgetUSD != 1.5 {
		t.Errorf("config %+v, %v", c, err)
	}
}

func TestModelSectionErrors(t *testing.T) {
	for _, c := range []struct{ section, want string }{
		{"{model: x}", `unknown key "model", did you mean models`},
		{"{models: []}", "want at least one model"},
		{"{models: [a, a]}", `"a" stands here twice`},
		{"{models: [{input_usd: 1}]}", "name is missing"},
		{"{models: [{name: a, input_usd: -1}]}", "want at least 0"},
		{"{cadence: 100}", "want a length of time such as 1d"},
		{"{cadence: 5h}", "want whole days or a part of one that divides it"},
		{"{cadence: 30s}", "not a whole number of 1m bars"},
		{"{combine: {mode: gate, weight: 0.2}}", "gate has no weight"},
		{"{combine: {mode: mix}}", `unknown value "mix"`},
		{"{combine: {weight: 1.5}}", "want at least 0 and at most 1"},
		{"{ensemble: median}", `unknown value "median"`},
		{"{summary: {regime: nosuch}}", `"nosuch", want a factor of the study`},
		{"{user_template: nosuch.tmpl}", "nosuch.tmpl"},
		{"{user_template: {text: '{{.Nosuch}}'}}", "signals.llm"},
		{"{budget_usd: 1, models: [gpt-4.1, unheard-of]}", "signals.llm.models[1]: unheard-of has no price"},
		{"{ensemble: weights, models: [{name: a, weight: 0}]}", "no model has a weight"},
		{"{api_key_env: sk-live-1234}", "api_key_env: want the name of an environment variable"},
		{"{base_url: api.holysheep.ai/v1}", "base_url: want an address"},
		{"{base_url: 'https://me:sk-live-1234@host/v1'}", "base_url: want an address without a key"},
		{"{base_url: 'https://host/v1/chat/completions'}", "want the address without /chat/completions"},
		{"{models: ['*']}", "is no model's name"},
		{"{budget_usd: -1}", "want at least 0"},
		{"{max_invalid: 2}", "want at least 0 and at most 1"},
		{"{concurrency: 0}", "want at least 1"},
	} {
		_, err := Parse("s", []byte(minimal), []string{"signals.llm=" + c.section})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %q", c.section, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "sk-live-1234") {
			t.Errorf("%s: the error shows a key: %v", c.section, err)
		}
	}
}
