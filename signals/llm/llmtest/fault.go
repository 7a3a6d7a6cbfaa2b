package llmtest

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is what goes wrong with one request. The zero Fault is none.
type Fault struct {
	Kind       FaultKind
	RetryAfter string        // the header's value, in seconds or as a date; empty leaves it out
	Pause      time.Duration // before the answer (Slow)
	Text       string        // the answer (Says), or the message of the error (BadRequest)
}

// FaultKind names a fault.
type FaultKind uint8

const (
	NoFault FaultKind = iota

	// Answers that are billed.
	Fenced      // the object stands in a code fence
	Prose       // the object stands between sentences
	InvalidJSON // the object lacks its end
	NoObject    // a sentence and no object
	OutOfRange  // a confidence of 7
	Says        // Text
	Huge        // a megabyte before the object
	NoUsage     // no usage is reported
	NoChoices   // no choice is given
	Slow        // the answer takes Pause
	Cut         // the connection breaks within the answer

	// Refusals and failures that are not.
	TooManyRequests // 429
	OutOfCredit     // 429 with code insufficient_quota
	ServerError     // 500
	Unavailable     // 503
	BadRequest      // 400
	Unauthorized    // 401, with the key in the message
	Forbidden       // 403
	PaymentRequired // 402
	NotFound        // 404
	Redirect        // 307 to elsewhere
	HTML            // 200 with a web page
	ErrorInside     // 200 with an error object in place of choices
	Dropped         // the connection breaks before any answer
)

// FirstTries gives a Server.Fault under which the first n requests with each body suffer f.
func FirstTries(n int, f Fault) func(Request) Fault {
	return func(r Request) Fault {
		if r.Try > n {
			return Fault{}
		}
		return f
	}
}

// Numbers gives a Server.Fault under which the requests of those numbers, from 1, suffer f.
func Numbers(f Fault, numbers ...int) func(Request) Fault {
	return func(r Request) Fault {
		for _, n := range numbers {
			if r.N == n {
				return f
			}
		}
		return Fault{}
	}
}

// RandomFaults gives a Server.Fault under which a share of the requests suffers one of the kinds. It
// depends on the seed, the body and the number of the try, not on the order of requests.
func RandomFaults(seed uint64, share float64, kinds ...FaultKind) func(Request) Fault {
	return func(req Request) Fault {
		r := random(seed, req.ID+"|"+strconv.Itoa(req.Try))
		if r.Float64() >= share {
			return Fault{}
		}
		return Fault{Kind: kinds[r.IntN(len(kinds))]}
	}
}

// random is a source that depends on the seed and a text.
func random(seed uint64, text string) *rand.Rand {
	h := fnv.New64a()
	_, _ = io.WriteString(h, text)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// before answers with the faults that need no model, and gives the status, or 0 where it did not.
func (f Fault) before(w http.ResponseWriter, r *http.Request) int {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	fail := func(status int, code, message string) int {
		refuse(w, status, code, message)
		return status
	}
	switch f.Kind {
	case TooManyRequests:
		return fail(http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached. Please slow down.")
	case OutOfCredit:
		return fail(http.StatusTooManyRequests, "insufficient_quota", "You exceeded your current quota.")
	case ServerError:
		return fail(http.StatusInternalServerError, "server_error", "The server had an error.")
	case Unavailable:
		return fail(http.StatusServiceUnavailable, "overloaded", "The engine is overloaded.")
	case BadRequest:
		return fail(http.StatusBadRequest, "invalid_request_error", f.Text)
	case Unauthorized:
		return fail(http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided: "+r.Header.Get("Authorization"))
	case Forbidden:
		return fail(http.StatusForbidden, "forbidden", "This key may not use the model.")
	case PaymentRequired:
		return fail(http.StatusPaymentRequired, "insufficient_balance", "Insufficient Balance")
	case NotFound:
		return fail(http.StatusNotFound, "model_not_found", "The model does not exist.")
	case Redirect:
		w.Header().Set("Location", "https://elsewhere.example/v1/chat/completions")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return http.StatusTemporaryRedirect
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>Please sign in.</body></html>")
		return http.StatusOK
	case ErrorInside:
		_, _ = io.WriteString(w, `{"error":{"message":"Provider returned error","code":502}}`)
		return http.StatusOK
	case Dropped:
		panic(http.ErrAbortHandler)
	}
	return 0
}

// spoil is what becomes of the model's text.
func (f Fault) spoil(text string) string {
	switch f.Kind {
	case Fenced:
		return "```json\n" + text + "\n```"
	case Prose:
		return "Here is my opinion, in {JSON}:\n\n" + text + "\n\nThis is no advice."
	case InvalidJSON:
		return strings.TrimSuffix(text, "}")
	case NoObject:
		return "I would rather not say."
	case OutOfRange:
		return `{"action":"long","confidence":7,"position_size":0.5,"reasoning":"sure"}`
	case Says:
		return f.Text
	case Huge:
		return strings.Repeat("z", 1<<20) + text
	}
	return text
}

// send writes the answer, or what the fault leaves of it.
func (f Fault) send(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	switch f.Kind {
	case Slow:
		select {
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-time.After(f.Pause):
		}
	case Cut:
		_, _ = w.Write(body[:len(body)/2])
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	if _, err := w.Write(body); err != nil {
		panic(http.ErrAbortHandler)
	}
}
