package llm

import (
	"context"
	"net/http"
	"time"
)

// FillOptions says how to fill, never what.
type FillOptions struct {
	Key       string            // of the endpoint
	UserAgent string            // of requests
	Transport http.RoundTripper // nil: http.DefaultTransport
	Progress  func(Progress)    // after each call; nil for none
}

// Progress is how far a fill is.
type Progress struct {
	Done, Total    int // calls
	Prompt, Answer int // tokens
	USD            float64
	ETA            time.Duration
}

// FillReport is what a fill did.
type FillReport struct {
	Asked, Valid, Invalid, Failed, Held int // Held: they were in the cache already
	Prompt, Answer                      int
	USD                                 float64
	Failures                            []error // each names its call
}

// Fill asks for what the cache lacks of the questions and stores each answer as soon as it is there.
func Fill(ctx context.Context, cache *Cache, cfg Config, questions []Question, o FillOptions) (FillReport, error) {
	panic("llm: Fill")
}
