// Package llmtest is an OpenAI-compatible endpoint for tests: it answers by a rule, goes wrong on
// request, and keeps the books.
package llmtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server answers
//
//	POST /v1/chat/completions
//
// as an OpenAI-compatible endpoint does. It is an http.Handler; Start makes it listen, and Transport
// serves without a socket. Fields must not change once it serves.
type Server struct {
	Key  string // the accepted key; "": any, or none
	Rule Rule   // what it answers; nil: neutral, always
	// Fault chooses what goes wrong with a request; nil: nothing does.
	Fault func(Request) Fault
	// Formats are the response formats that it takes, beside none; nil: all.
	Formats []string
	// Idempotent makes it honour Idempotency-Key: a request that was answered before gets the same
	// answer and is not billed again.
	Idempotent bool

	mu    sync.Mutex
	log   []Entry
	tries map[string]int
	given map[string][]byte // bodies by idempotency key
	http  *http.Server
	conns sync.WaitGroup
	url   string
}

// Message is one turn of a conversation.
type Message struct{ Role, Content string }

// Request is one request as the server understands it.
type Request struct {
	ID          string // SHA-256 of the body, in hexadecimal
	N, Try      int    // its number, from 1: of all requests and of those with this body
	Model       string
	Messages    []Message
	Temperature *float64
	MaxTokens   int
	Seed        *int
	Format      string // response_format's type
	Body        string
}

// Rule is a model: the text that it answers.
type Rule func(Request) string

// Entry is one line of the books.
type Entry struct {
	Request
	Header     http.Header
	Status     int // 0: the connection was cut before any
	Billed     bool
	Prompt     int // tokens billed
	Complete   int
	Delivered  bool // the answer went out whole
	Concurrent int  // requests being served when this one came, itself included
}

// Start listens on a free port of 127.0.0.1 until Close.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the simulated endpoint: %w", err)
	}
	s.url = "http://" + l.Addr().String() + "/v1"
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ConnState: func(_ net.Conn, c http.ConnState) {
		switch c {
		case http.StateNew:
			s.conns.Add(1)
		case http.StateClosed:
			s.conns.Done()
		}
	}}
	s.conns.Go(func() {
		_ = s.http.Serve(l) // ErrServerClosed
	})
	return nil
}

// URL is the base URL of a started server: http://127.0.0.1:port/v1.
func (s *Server) URL() string { return s.url }

// Close stops a started server: it cuts what is still being sent and waits for the handlers.
func (s *Server) Close() error {
	err := s.http.Close()
	s.conns.Wait()
	return err
}

// Log lists the requests so far, in the order in which they came.
func (s *Server) Log() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entry(nil), s.log...)
}

// Requests is the number of requests so far.
func (s *Server) Requests() int { return len(s.Log()) }

// Billed counts the billed requests by their ID.
func (s *Server) Billed() map[string]int {
	n := map[string]int{}
	for _, e := range s.Log() {
		if e.Billed {
			n[e.ID]++
		}
	}
	return n
}

// Bill is what has been billed, at prices in USD per million tokens by model.
func (s *Server) Bill(price func(model string) (prompt, complete float64)) float64 {
	var usd float64
	for _, e := range s.Log() {
		if e.Billed {
			p, c := price(e.Model)
			usd += (float64(e.Prompt)*p + float64(e.Complete)*c) / 1e6
		}
	}
	return usd
}

// ServeHTTP answers one request and books it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" {
		refuse(w, http.StatusNotFound, "not_found", "Unknown path "+r.URL.Path)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", "The body cannot be read.")
		return
	}
	req, err := parse(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	at := s.arrive(&req, r.Header)
	defer s.leave()
	s.answer(&books{s, at}, w, r, req)
}

// arrive books a request and numbers it.
func (s *Server) arrive(req *Request, h http.Header) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tries == nil {
		s.tries, s.given = map[string]int{}, map[string][]byte{}
	}
	s.tries[req.ID]++
	s.tries[serving]++
	req.N, req.Try = len(s.log)+1, s.tries[req.ID]
	s.log = append(s.log, Entry{Request: *req, Header: h.Clone(), Concurrent: s.tries[serving]})
	return len(s.log) - 1
}

// serving counts the requests being served among tries.
const serving = ""

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[serving]--
}

// books writes to one entry of the log.
type books struct {
	*Server
	at int
}

func (b *books) note(f func(*Entry)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.log[b.at])
}

func (s *Server) answer(b *books, w http.ResponseWriter, r *http.Request, req Request) {
	status := func(code int) { b.note(func(e *Entry) { e.Status = code }) }
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.Key != "" && (!bearer || key != s.Key) {
		status(http.StatusUnauthorized)
		refuse(w, http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided: "+key)
		return
	}
	fault := Fault{}
	if s.Fault != nil {
		fault = s.Fault(req)
	}
	if code := fault.before(w, r); code != 0 {
		status(code)
		return
	}
	if s.Formats != nil && req.Format != "" && !strings.Contains(" "+strings.Join(s.Formats, " ")+" ", " "+req.Format+" ") {
		status(http.StatusBadRequest)
		refuse(w, http.StatusBadRequest, "invalid_request_error", "response_format "+req.Format+" is not supported by this model")
		return
	}
	status(http.StatusOK)
	again := r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	out, known := s.given[again]
	s.mu.Unlock()
	if !known || !s.Idempotent || again == "" {
		rule := s.Rule
		if rule == nil {
			rule = Always("neutral", 0.5)
		}
		text := fault.spoil(rule(req))
		prompt, complete := len(req.Body)/4, len(text)/4+1
		if req.MaxTokens > 0 {
			complete = min(complete, req.MaxTokens)
		}
		out = completion(req, text, prompt, complete, fault)
		s.mu.Lock()
		s.given[again] = out
		s.mu.Unlock()
		b.note(func(e *Entry) { e.Billed, e.Prompt, e.Complete = true, prompt, complete })
	}
	fault.send(w, r, out)
	b.note(func(e *Entry) { e.Delivered = true })
}

// completion is the body of an answer.
func completion(req Request, text string, prompt, complete int, f Fault) []byte {
	out := map[string]any{
		"id": "chatcmpl-" + req.ID[:12], "object": "chat.completion", "created": 1700000000, "model": req.Model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text}}},
	}
	switch f.Kind {
	case NoUsage:
	case NoChoices:
		out["choices"] = []any{}
		fallthrough
	default:
		out["usage"] = map[string]int{"prompt_tokens": prompt, "completion_tokens": complete, "total_tokens": prompt + complete}
	}
	return encode(out)
}

// parse reads a request.
func parse(body []byte) (Request, error) {
	var in struct {
		Model          string    `json:"model"`
		Messages       []Message `json:"messages"`
		Temperature    *float64  `json:"temperature"`
		MaxTokens      int       `json:"max_tokens"`
		Seed           *int      `json:"seed"`
		ResponseFormat struct {
			Type string `json:"type"`
		} `json:"response_format"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return Request{}, fmt.Errorf("the body is not JSON: %w", err)
	}
	if in.Model == "" || len(in.Messages) == 0 {
		return Request{}, fmt.Errorf("model and messages are required")
	}
	sum := sha256.Sum256(body)
	return Request{ID: hex.EncodeToString(sum[:]), Model: in.Model, Messages: in.Messages, Temperature: in.Temperature,
		MaxTokens: in.MaxTokens, Seed: in.Seed, Format: in.ResponseFormat.Type, Body: string(body)}, nil
}

// refuse answers with an error as the original endpoint words it.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(map[string]any{"error": map[string]any{"message": message, "type": code, "param": nil, "code": code}}))
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("llmtest: a value that JSON cannot hold")
	}
	return b
}
