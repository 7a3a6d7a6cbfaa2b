package llm

import (
	"math"

	"github.com/qf-dev/qf/datasets"
)

// Config is what a study says about its models, with every default filled in.
type Config struct {
	BaseURL   string // of an OpenAI-compatible endpoint, without /chat/completions
	APIKeyEnv string // the variable that holds the key
	Models    []Model
	Ensemble  Ensemble

	Temperature    float64
	MaxTokens      int
	Seed           *int // nil: none is sent
	ResponseFormat ResponseFormat
	Anonymize      bool // symbol, dates and price level stay out of prompts
	Prompts        *Prompts

	RequestsPerMinute float64
	TokensPerMinute   float64 // 0: no limit
	Concurrency       int
	MaxRetries        int
	BudgetUSD         float64 // NaN: no budget
}

// Model is one model of an ensemble.
type Model struct {
	Name   string  // as the endpoint calls it
	Input  float64 // USD per million tokens of the prompt; NaN where the price is not known
	Output float64 // USD per million tokens of the answer
	Weight float64 // in an ensemble by weights; 1 by default
	// KnowledgeCutoff is the first day that the model cannot have read about; 0 where it is not known.
	KnowledgeCutoff datasets.Day
	Params          []Param // of its requests
}

// Priced reports whether the model's prices are known.
func (m Model) Priced() bool { return !math.IsNaN(m.Input) && !math.IsNaN(m.Output) }

// Combine says how opinions and composite become the score that is traded.
type Combine string

const (
	Blend   Combine = "blend"   // (1 − λ)·F + λ·opinion
	Gate    Combine = "gate"    // F where the opinion has its sign, else 0
	Replace Combine = "replace" // the opinion
)
