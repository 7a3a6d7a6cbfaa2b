package backtest

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// LLM asks language models for an opinion at a cadence and combines it with the composite. A backtest
// reads the answers from the cache and nothing from the network; `qf signals fill` asks.
//
// Where the endpoint and the cache lie, and under which budget and rate it was filled, is no part of
// what a run is named after; the answers are.
type LLM struct {
	BaseURL   string         `yaml:"base_url" doc:"of an OpenAI-compatible endpoint, without /chat/completions"`
	APIKeyEnv string         `yaml:"api_key_env" doc:"environment variable that holds its key; \"\" for an endpoint without keys"`
	Models    LanguageModels `yaml:"models" doc:"names, or mappings with prices, weight and knowledge cut-off"`
	Cadence   factors.Window `yaml:"cadence" doc:"time from one question to the next, counted from 00:00 UTC; calibration looks as far ahead"`
	Combine   Combination    `yaml:"combine" doc:"how opinion and composite become the score that is traded"`
	Ensemble  llm.Ensemble   `yaml:"ensemble" enum:"mean|majority|weights" doc:"how the opinions of several models become one"`
	Summary   Summary        `yaml:"summary" doc:"factors of the study that a prompt shows instead of those it shows by default"`

	Cache      string   `yaml:"cache" doc:"folder of the answers, relative to this file; it holds no secret and may be committed"`
	BudgetUSD  *float64 `yaml:"budget_usd" range:"[0,)" doc:"most that filling the cache may cost; left out: no limit"`
	OnMissing  string   `yaml:"on_missing" enum:"error|neutral" doc:"where the cache lacks an answer"`
	MaxInvalid float64  `yaml:"max_invalid" range:"[0,1]" doc:"share of answers that may be invalid, which trade as neutral; more of them fail the run"`

	Anonymize      bool               `yaml:"anonymize" doc:"keeps symbol, dates and price level out of prompts"`
	Temperature    float64            `yaml:"temperature" range:"[0,2]" doc:"of the models"`
	MaxTokens      int                `yaml:"max_tokens" range:"[1,1000000]" doc:"of an answer"`
	Seed           *int               `yaml:"seed" doc:"sent with each request; left out: none is"`
	ResponseFormat llm.ResponseFormat `yaml:"response_format" enum:"json_schema|json_object|text" doc:"what the endpoint is told about the form of an answer"`
	SystemTemplate Template           `yaml:"system_template" doc:"file of the system message's template, relative to this file, or {text: …}; left out: the built-in one"`
	UserTemplate   Template           `yaml:"user_template" doc:"the same of the user message"`

	RequestsPerMinute float64 `yaml:"requests_per_minute" range:"(0,1000000]" doc:"most requests that filling sends"`
	TokensPerMinute   float64 `yaml:"tokens_per_minute" range:"[0,)" doc:"most tokens, prompts and answers together; 0: no limit"`
	Concurrency       int     `yaml:"concurrency" range:"[1,256]" doc:"requests under way at once"`
	MaxRetries        int     `yaml:"max_retries" range:"[0,20]" doc:"of a request that failed for a reason that may pass"`

	file string // of the study
}

// What a missing answer does.
const (
	missingFails   = "error"
	missingNeutral = "neutral"
)

// Combination says how opinion and composite become the score that is traded.
type Combination struct {
	Mode   llm.Combine `yaml:"mode" enum:"blend|gate|replace" doc:"blend: (1 − weight)·F + weight·opinion; gate: F where the opinion has its sign, else 0; replace: the opinion"`
	Weight float64     `yaml:"weight" range:"[0,1]" doc:"of the opinion in a blend"`
}

// Summary says which factors of the study a prompt shows. An empty name is the value that prompts
// show by default: momentum over 7 and 30 days, volatility over 20 days, and vol_regime,
// liquidity_score, funding and ofi with the parameters of the catalogue.
type Summary struct {
	Momentum1W         string `yaml:"momentum_1w" doc:"factor shown as momentum of 1 week; left out: momentum over 7d"`
	Momentum1M         string `yaml:"momentum_1m" doc:"factor shown as momentum of 1 month; left out: momentum over 30d"`
	Volatility         string `yaml:"volatility" doc:"factor shown as volatility; left out: volatility over 20d"`
	Regime             string `yaml:"regime" doc:"factor shown as volatility regime; left out: vol_regime"`
	LiquidityScore     string `yaml:"liquidity_score" doc:"factor shown as liquidity score; left out: liquidity_score"`
	FundingRate        string `yaml:"funding_rate" doc:"factor shown as funding rate; left out: funding"`
	OrderFlowImbalance string `yaml:"order_flow_imbalance" doc:"factor shown as order-flow imbalance; left out: ofi"`
	Missing            string `yaml:"missing" enum:"null|zero" doc:"what a prompt shows where a value is missing"`
}

// LanguageModels is the list of a study, prices of the built-in list filled in.
type LanguageModels []llm.Model

// Template is a prompt template: a file, whose text is read with the study. The text is what counts.
type Template struct {
	Path string // as the study gives it; empty where it gives the text itself
	Text string // empty: the built-in template
}

// defaultLLM is the section with every default; the models' prices come with them.
func defaultLLM() LLM {
	return LLM{
		BaseURL: "https://api.holysheep.ai/v1", APIKeyEnv: "HOLYSHEEP_API_KEY",
		Models:   LanguageModels{languageModel("deepseek-v3.2"), languageModel("gemini-2.5-flash")},
		Cadence:  factors.Window{Time: datasets.MicrosPerDay * 1000},
		Combine:  Combination{Mode: llm.Blend, Weight: 0.3},
		Ensemble: llm.Mean, Summary: Summary{Missing: "null"},
		Cache: "./llm-cache", OnMissing: missingFails, MaxInvalid: 0.05,
		Temperature: 0.2, MaxTokens: 500, ResponseFormat: llm.JSONSchema,
		RequestsPerMinute: 60, Concurrency: 4, MaxRetries: 3,
	}
}

// languageModel is a model by its name alone: the prices are those of the built-in list, if it has it.
func languageModel(name string) llm.Model {
	for _, m := range llm.Prices() {
		if m.Name == name {
			m.Weight = 1
			return m
		}
	}
	return llm.Model{Name: name, Input: math.NaN(), Output: math.NaN(), Weight: 1}
}

// CacheDir is the folder of the answers.
func (l *LLM) CacheDir() string {
	if filepath.IsAbs(l.Cache) {
		return l.Cache
	}
	return filepath.Join(filepath.Dir(l.file), l.Cache)
}

// Config is the section as package llm takes it. The error is of a template.
func (l *LLM) Config() (llm.Config, error) {
	prompts, err := llm.ParsePrompts(l.SystemTemplate.Text, l.UserTemplate.Text)
	c := llm.Config{
		BaseURL: l.BaseURL, APIKeyEnv: l.APIKeyEnv, Models: slices.Clone(l.Models), Ensemble: l.Ensemble,
		Temperature: l.Temperature, MaxTokens: l.MaxTokens, Seed: l.Seed, ResponseFormat: l.ResponseFormat,
		Anonymize: l.Anonymize, Prompts: prompts,
		RequestsPerMinute: l.RequestsPerMinute, TokensPerMinute: l.TokensPerMinute,
		Concurrency: l.Concurrency, MaxRetries: l.MaxRetries, BudgetUSD: math.NaN(),
	}
	if l.BudgetUSD != nil {
		c.BudgetUSD = *l.BudgetUSD
	}
	return c, err
}

// variableName is the form of an environment variable's name; empty for none.
var variableName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)?$`)

// checkLLM reads the templates and checks the section against the factors and the bars. file is
// where the study stands.
func (s *Study) checkLLM(p *yamlconf.Positions, g *factors.Grid, file string) {
	l := s.Signals.LLM
	if l == nil {
		return
	}
	l.file = file
	const at = "signals.llm"
	switch w := l.Cadence; {
	case w.Time <= 0:
		p.Errorf(at+".cadence", "%v, want a length of time such as 1d", w)
	case w.Time%(24*3600*1e9) != 0 && (24*3600*1e9)%w.Time != 0:
		p.Errorf(at+".cadence", "%v, want whole days or a part of one that divides it", w)
	case g.Every > 0:
		if _, err := w.In(g); err != nil {
			p.Errorf(at+".cadence", "%v", err)
		}
	}
	if !variableName.MatchString(l.APIKeyEnv) { // it may be a key: neither it nor its line is shown
		p.Errorf("", "%s.api_key_env: want the name of an environment variable, such as HOLYSHEEP_API_KEY, and never a key itself", at)
	}
	if u, err := url.Parse(l.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		p.Errorf("", "%s.base_url: want an address without a key, such as %s", at, defaultLLM().BaseURL)
	} else if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/chat/completions") {
		p.Errorf(at+".base_url", "want the address without /chat/completions, which requests add")
	}
	weights := 0.0
	for i, m := range l.Models {
		weights += m.Weight
		if l.BudgetUSD != nil && !m.Priced() {
			p.Errorf(fmt.Sprintf("%s.models[%d]", at, i), "%s has no price, and there is a budget: give its input_usd and output_usd, or leave budget_usd out", m.Name)
		}
	}
	if l.Ensemble == llm.Weighted && weights == 0 {
		p.Errorf(at+".models", "no model has a weight: want one of more than 0")
	}
	if l.Combine.Mode != llm.Blend {
		if p.Has(at+".combine.weight") && l.Combine.Weight != 0 {
			p.Errorf(at+".combine.weight", "%s has no weight: want it with mode: blend", l.Combine.Mode)
		}
		l.Combine.Weight = 0
	}
	for _, f := range []struct{ key, factor string }{
		{"momentum_1w", l.Summary.Momentum1W}, {"momentum_1m", l.Summary.Momentum1M}, {"volatility", l.Summary.Volatility},
		{"regime", l.Summary.Regime}, {"liquidity_score", l.Summary.LiquidityScore}, {"funding_rate", l.Summary.FundingRate},
		{"order_flow_imbalance", l.Summary.OrderFlowImbalance},
	} {
		if f.factor != "" {
			s.checkFactorOf(p, at+".summary."+f.key, f.factor, "one at all", func(factors.Kind) bool { return true })
		}
	}
	for _, t := range []struct {
		key string
		*Template
	}{{at + ".system_template", &l.SystemTemplate}, {at + ".user_template", &l.UserTemplate}} {
		if t.Path == "" {
			continue
		}
		path := t.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			p.Errorf(t.key, "%v", err)
			continue
		}
		if t.Text = string(text); t.Text == "" {
			p.Errorf(t.key, "%s is empty", path)
		}
	}
	if _, err := l.Config(); err != nil {
		p.Errorf(at, "%v", err)
	}
}

// DecodeNode reads the section over its defaults.
func (l *LLM) DecodeNode(c *yamlconf.Cursor) {
	type form LLM
	f := form(defaultLLM())
	c.Decode(&f)
	*l = LLM(f)
}

// JSONSchema describes the section, defaults included.
func (l LLM) JSONSchema() map[string]any {
	type form LLM
	return yamlconf.Object(form(defaultLLM()))
}

// modelForm is the long form of a model.
type modelForm struct {
	Name            string       `yaml:"name" doc:"as the endpoint calls it"`
	InputUSD        *float64     `yaml:"input_usd" range:"[0,)" doc:"USD per million tokens of prompts"`
	OutputUSD       *float64     `yaml:"output_usd" range:"[0,)" doc:"USD per million tokens of answers"`
	KnowledgeCutoff datasets.Day `yaml:"knowledge_cutoff" doc:"first day that the model cannot have read about"`
	Weight          float64      `yaml:"weight" range:"[0,)" doc:"in an ensemble by weights"`
}

// DecodeNode reads a list of names or mappings.
func (list *LanguageModels) DecodeNode(c *yamlconf.Cursor) {
	if !c.Want(yamlconf.List) {
		return
	}
	*list = nil
	var names []string
	for i := range c.Items {
		at := c.Item(i)
		f := modelForm{Weight: 1}
		if at.Kind == yamlconf.Map {
			at.Decode(&f)
		} else if at.Want(yamlconf.Scalar) {
			f.Name = at.Text
		}
		switch {
		case f.Name == "":
			at.Errorf("name is missing: want a model such as deepseek-v3.2")
			continue
		case f.Name == "*" || strings.ContainsFunc(f.Name, unicode.IsControl):
			at.Errorf("%q is no model's name", f.Name)
		case slices.Contains(names, f.Name):
			at.Errorf("%q stands here twice", f.Name)
		}
		names = append(names, f.Name)
		m := languageModel(f.Name)
		m.KnowledgeCutoff, m.Weight = f.KnowledgeCutoff, f.Weight
		if f.InputUSD != nil {
			m.Input = *f.InputUSD
		}
		if f.OutputUSD != nil {
			m.Output = *f.OutputUSD
		}
		*list = append(*list, m)
	}
	if len(c.Items) == 0 {
		c.Errorf("empty: want at least one model, such as [deepseek-v3.2]")
	}
}

// EncodeNode writes the long form; what is not known is null.
func (list LanguageModels) EncodeNode() *yamlconf.Node {
	out := &yamlconf.Node{Kind: yamlconf.List}
	for _, m := range list {
		f := modelForm{Name: m.Name, KnowledgeCutoff: m.KnowledgeCutoff, Weight: m.Weight}
		if !math.IsNaN(m.Input) {
			f.InputUSD = &m.Input
		}
		if !math.IsNaN(m.Output) {
			f.OutputUSD = &m.Output
		}
		n := yamlconf.Encode(f)
		if m.KnowledgeCutoff == 0 {
			n = without(n, "knowledge_cutoff")
		}
		out.Items = append(out.Items, n)
	}
	return out
}

// JSONSchema describes both forms of a model.
func (list LanguageModels) JSONSchema() map[string]any {
	var names []any
	for _, m := range llm.Prices() {
		names = append(names, m.Name)
	}
	return map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"anyOf": []any{
		map[string]any{"type": "string", "description": "as the endpoint calls it", "examples": names},
		yamlconf.Object(modelForm{Weight: 1}),
	}}}
}

// DecodeNode reads a file's name or {text: …}.
func (t *Template) DecodeNode(c *yamlconf.Cursor) {
	var f templateForm
	switch c.Kind {
	case yamlconf.Null:
	case yamlconf.Map:
		c.Decode(&f)
		*t = Template{Text: f.Text}
	default:
		if c.Want(yamlconf.Scalar) {
			*t = Template{Path: c.Text}
		}
	}
}

// EncodeNode writes the text: a resolved study says what its prompts are, not where they lay.
func (t Template) EncodeNode() *yamlconf.Node {
	if t.Text == "" {
		return &yamlconf.Node{}
	}
	return yamlconf.Encode(templateForm(struct{ Text string }{t.Text}))
}

type templateForm struct {
	Text string `yaml:"text"`
}

// JSONSchema describes both forms of a template.
func (t Template) JSONSchema() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, yamlconf.Object(templateForm{})}}
}

// identity is the section without where things lie and how the cache is filled. A study without models is named
// as if there were no such section.
func (o Signals) identity(section *yamlconf.Node) *yamlconf.Node {
	models := section.Get("llm")
	section = without(section, "llm")
	if o.LLM == nil {
		return section
	}
	for _, key := range []string{
		"base_url", "api_key_env", "cache", "budget_usd", "requests_per_minute", "tokens_per_minute", "concurrency", "max_retries",
	} {
		models = without(models, key)
	}
	return section.Add("llm", models)
}
