package study

import (
	"math"
	"path/filepath"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// LLM asks language models for an opinion at a cadence and combines it with the composite. A backtest
// reads the answers from the cache and nothing from the network; `qf signals fill` asks.
//
// Where the endpoint and the cache lie, and under which budget and rate it was filled, is no part of
// what a run is named after; the answers are.
type LLMConfig struct {
	BaseURL   string         `yaml:"base_url" doc:"of an OpenAI-compatible endpoint, without /chat/completions"`
	APIKeyEnv string         `yaml:"api_key_env" doc:"environment variable that holds its key; \"\" for an endpoint without keys"`
	Models    LanguageModels `yaml:"models" doc:"names, or mappings with prices, weight and knowledge cut-off"`
	Cadence   factors.Window `yaml:"cadence" doc:"time from one question to the next, counted from 00:00 UTC; calibration looks as far ahead"`
	Combine   CombineConfig  `yaml:"combine" doc:"how opinion and composite become the score that is traded"`
	Ensemble  llm.Ensemble   `yaml:"ensemble" enum:"mean|majority|weights" doc:"how the opinions of several models become one"`
	Summary   SummaryConfig  `yaml:"summary" doc:"factors of the study that a prompt shows instead of those it shows by default"`

	Cache      string   `yaml:"cache" doc:"folder of the answers, relative to this file; it holds no secret and may be committed"`
	BudgetUSD  *float64 `yaml:"budget_usd" range:"[0,1e9]" doc:"most that filling the cache may cost; left out: no limit"`
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
	TokensPerMinute   float64 `yaml:"tokens_per_minute" range:"[0,1e12]" doc:"most tokens, prompts and answers together; 0: no limit"`
	Concurrency       int     `yaml:"concurrency" range:"[1,256]" doc:"requests under way at once"`
	MaxRetries        int     `yaml:"max_retries" range:"[0,20]" doc:"of a request that failed for a reason that may pass"`

	file string // of the study
}

// What a missing answer does.
const (
	MissingFails   = "error"
	MissingNeutral = "neutral"
)

// Combination says how opinion and composite become the score that is traded.
type CombineConfig struct {
	Mode   llm.Combine `yaml:"mode" enum:"blend|gate|replace" doc:"blend: (1 − weight)·F + weight·opinion; gate: F where the opinion has its sign, else 0; replace: the opinion"`
	Weight float64     `yaml:"weight" range:"[0,1]" doc:"of the opinion in a blend"`
}

// Summary says which factors of the study a prompt shows. An empty name is the value that prompts
// show by default: momentum over 7 and 30 days, volatility over 20 days, and vol_regime,
// liquidity_score, funding and ofi with the parameters of the catalogue.
type SummaryConfig struct {
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
func defaultLLM() LLMConfig {
	return LLMConfig{
		BaseURL: "https://api.holysheep.ai/v1", APIKeyEnv: "HOLYSHEEP_API_KEY",
		Models:   LanguageModels{languageModel("deepseek-v3.2"), languageModel("gemini-2.5-flash")},
		Cadence:  factors.Window{Time: datasets.MicrosPerDay * 1000},
		Combine:  CombineConfig{Mode: llm.Blend, Weight: 0.3},
		Ensemble: llm.Mean, Summary: SummaryConfig{Missing: "null"},
		Cache: "./llm-cache", OnMissing: MissingFails, MaxInvalid: 0.05,
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
func (l *LLMConfig) CacheDir() string {
	if filepath.IsAbs(l.Cache) {
		return l.Cache
	}
	return filepath.Join(filepath.Dir(l.file), l.Cache)
}

// Config is the section as package llm takes it. The error is of a template.
func (l *LLMConfig) Config() (llm.Config, error) {
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
