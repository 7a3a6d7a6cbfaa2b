package tardistest

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// Fault is what goes wrong with one answer. The zero Fault is none.
type Fault struct {
	Kind FaultKind
	// After is the number of body bytes that still arrive (Cut), the byte that is changed
	// (CorruptBody; modulo the length), or the number of bytes missing at the end (Truncated; 0: 8).
	After int64
	// RetryAfter is the header's value, in seconds or as a date; empty leaves it out (TooManyRequests, Unavailable).
	RetryAfter string
	Pause      time.Duration // between two pieces of 1 KiB (Slow)
}

// FaultKind names a fault.
type FaultKind uint8

const (
	NoFault         FaultKind = iota
	TooManyRequests           // 429
	ServerError               // 500
	Unavailable               // 503
	Cut                       // the connection breaks within the body
	CorruptBody               // one bit of the body is flipped; md5 and length are those of the whole file
	WrongLength               // Content-Length is one more than what comes; the connection then closes
	WrongMD5                  // x-md5 is that of another file
	HTML                      // 200 with a web page
	Truncated                 // the body lacks its end, and Content-Length and md5 agree with that
	Slow                      // the body dribbles
)

// FirstTries gives a Server.Fault under which the first n requests of every partition suffer f.
func FirstTries(n int, f Fault) func(datasets.Partition, int) Fault {
	return func(_ datasets.Partition, try int) Fault {
		if try > n {
			return Fault{}
		}
		return f
	}
}

// RandomFaults gives a Server.Fault under which a share of the requests suffers one of the kinds, or
// any that a second try heals where none is given. It depends on the seed, the partition and the
// number of the try, not on the order of requests.
func RandomFaults(seed uint64, share float64, kinds ...FaultKind) func(datasets.Partition, int) Fault {
	if len(kinds) == 0 {
		kinds = []FaultKind{TooManyRequests, ServerError, Unavailable, Cut, CorruptBody, WrongLength, WrongMD5}
	}
	return func(p datasets.Partition, try int) Fault {
		h := fnv.New64a()
		_, _ = io.WriteString(h, p.String()+"|"+strconv.Itoa(try))
		r := rand.New(rand.NewPCG(seed, h.Sum64()))
		if r.Float64() >= share {
			return Fault{}
		}
		return Fault{Kind: kinds[r.IntN(len(kinds))], After: r.Int64N(10_000)}
	}
}

// before answers with the faults that need no file, and reports whether it did.
func (f Fault) before(w http.ResponseWriter) bool {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch f.Kind {
	case TooManyRequests:
		refuse(w, http.StatusTooManyRequests, 0, "Too many requests. Please slow down.")
	case ServerError:
		refuse(w, http.StatusInternalServerError, 0, "Internal server error.")
	case Unavailable:
		refuse(w, http.StatusServiceUnavailable, 0, "Service unavailable.")
	case HTML:
		html(w, http.StatusOK, "<html><body>Please sign in.</body></html>")
	default:
		return false
	}
	return true
}

// send answers with the file, or with what the fault makes of it.
func (f Fault) send(w http.ResponseWriter, r *http.Request, whole *file) {
	body, sum, length := whole.body, whole.md5, len(whole.body)
	switch f.Kind {
	case CorruptBody:
		body = append([]byte(nil), body...)
		body[int(f.After%int64(length))] ^= 0x10
	case WrongLength:
		length++
	case WrongMD5:
		sum = "00000000000000000000000000000000"
	case Truncated:
		missing := int(f.After)
		if missing == 0 {
			missing = 8
		}
		body = body[:max(0, length-missing)]
		length, sum = len(body), md5Hex(body)
	}
	h := w.Header()
	h.Set("Content-Type", "application/gzip")
	h.Set("Content-Length", strconv.Itoa(length))
	h.Set("x-md5", sum)
	switch f.Kind {
	case Cut:
		_, _ = w.Write(body[:min(f.After, int64(length-1))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case Slow:
		dribble(w, r, body, f.Pause)
	default:
		_, _ = w.Write(body) // an error is the client's business
	}
}

// dribble writes body in small pieces until it is all written or the client has gone.
func dribble(w http.ResponseWriter, r *http.Request, body []byte, pause time.Duration) {
	const piece = 1 << 10
	control := http.NewResponseController(w)
	for len(body) > 0 {
		n := min(piece, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
		body = body[n:]
		select {
		case <-r.Context().Done():
			return
		case <-time.After(pause):
		}
	}
}
