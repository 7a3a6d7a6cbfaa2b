package tardistest

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// Days writes day-files as plain CSV. The error wraps datasets.ErrNotFound where there is none; a
// day on which nothing was written is one on which the vendor recorded nothing.
type Days interface {
	WriteDay(w io.Writer, p datasets.Partition) error
}

// DemoKey is an API key for servers that want one and do not care which.
const DemoKey = "demo-key"

// Server answers as the vendor's dataset server does:
//
//	GET /v1/{exchange}/{type}/{YYYY}/{MM}/{DD}/{SYMBOL}.csv.gz
//
// with 200 and a gzip body (an empty gzip where the day has no rows), 400 and 404 for what there is
// not, 401 for a key that is not in Keys and, without a key, for every day but the first of a month.
// HEAD, Range and the default User-Agents of HTTP libraries are refused. Where it has Metadata it answers as the vendor's server of
// metadata too:
//
//	GET /v1/exchanges/{exchange}
//	GET /v1/instruments/{exchange}     with a key
//
// It is an http.Handler; Start
// makes it listen. Fields must not change once it serves.
type Server struct {
	Days Days
	// Metadata is what it says of exchanges; nil: nothing.
	Metadata *Metadata
	Keys     []string // the accepted keys; empty: every day is free and any key is accepted

	// Fault chooses what goes wrong with the n-th request (from 1) of a partition; nil: nothing does.
	Fault func(p datasets.Partition, n int) Fault

	CacheBytes int64 // of compressed files to keep in memory; 0 means 64 MiB

	files cache
	mu    sync.Mutex
	log   []Request
	tries map[datasets.Partition]int
	http  *http.Server
	conns sync.WaitGroup // and the goroutine that accepts them
	url   string
}

// Request is one request as the server saw and answered it.
type Request struct {
	Method, Path, Query  string
	Authorization, Agent string // headers
	Status               int
	Bytes                int64 // of the body, as far as it was written
}

// Start listens on a free port of 127.0.0.1 until Close.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the simulated vendor: %w", err)
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

// URL is the base URL of a started server, with the version: http://127.0.0.1:port/v1.
func (s *Server) URL() string { return s.url }

// Close stops a started server: it cuts what is still being sent and waits for the handlers.
func (s *Server) Close() error {
	err := s.http.Close()
	s.conns.Wait()
	return err
}

// Requests lists the requests answered so far, in the order in which their answers ended.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.log...)
}

// BytesServed is the sum of Request.Bytes over the requests so far.
func (s *Server) BytesServed() int64 {
	var n int64
	for _, r := range s.Requests() {
		n += r.Bytes
	}
	return n
}

// ServeHTTP answers one request and logs it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cw := &countingWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.log = append(s.log, Request{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Authorization: r.Header.Get("Authorization"), Agent: r.UserAgent(),
			Status: cw.status, Bytes: cw.n,
		})
	}()
	s.serve(cw, r)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	agent := r.UserAgent()
	switch {
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, 0, "Only GET is supported.")
		return
	case r.Header.Get("Range") != "":
		refuse(w, http.StatusForbidden, 0, "Range requests are not supported.")
		return
	case agent == "" || strings.HasPrefix(agent, "Go-http-client/"):
		html(w, http.StatusForbidden, "<html><body>Attention Required! Your User-Agent is blocked.</body></html>")
		return
	}
	if s.Metadata != nil && s.describe(w, r) {
		return
	}
	p, status, message := parsePath(r.URL.EscapedPath())
	if status != http.StatusOK {
		refuse(w, status, 20, message)
		return
	}
	if !s.authorize(w, r, p) {
		return
	}
	fault := Fault{}
	if s.Fault != nil {
		fault = s.Fault(p, s.try(p))
	}
	if fault.before(w) {
		return
	}
	f, err := s.files.get(p, orDefaultBytes(s.CacheBytes), func() (*file, error) { return s.compress(p) })
	switch {
	case errors.Is(err, datasets.ErrNotFound):
		refuse(w, http.StatusNotFound, 30, fmt.Sprintf("There is no dataset for %s.", p))
	case err != nil:
		refuse(w, http.StatusInternalServerError, 0, err.Error())
	default:
		fault.send(w, r, f)
	}
}

// authorize applies the vendor's rule and answers 401 itself where it fails.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request, p datasets.Partition) bool {
	known, given := s.key(r)
	switch {
	case known:
		return true
	case given:
		refuse(w, http.StatusUnauthorized, 10, "The API key is invalid.")
		return false
	}
	if p.Day.Time().Day() == 1 {
		return true
	}
	refuse(w, http.StatusUnauthorized, 10, "For unauthorized requests, only the first day of each month is available"+
		" (dataset for '"+p.Day.String()+"' has been requested).")
	return false
}

// key reports whether a request has a key that is accepted, and whether it has one at all.
func (s *Server) key(r *http.Request) (known, given bool) {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	key = strings.TrimSpace(key)
	given = bearer && key != ""
	return len(s.Keys) == 0 || given && slices.Contains(s.Keys, key), given
}

// try counts the requests of p.
func (s *Server) try(p datasets.Partition) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tries == nil {
		s.tries = make(map[datasets.Partition]int)
	}
	s.tries[p]++
	return s.tries[p]
}

// compress makes the file of p.
func (s *Server) compress(p datasets.Partition) (*file, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := s.Days.WriteDay(z, p); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return &file{body: b.Bytes(), md5: md5Hex(b.Bytes())}, nil
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// parsePath reads the partition that a path names; status is 200, or else message is the vendor's.
func parsePath(escaped string) (p datasets.Partition, status int, message string) {
	parts := strings.Split(strings.TrimPrefix(escaped, "/v1/"), "/")
	if !strings.HasPrefix(escaped, "/v1/") || len(parts) != 6 {
		return p, http.StatusNotFound, "Not found."
	}
	for i, part := range parts {
		var err error
		if parts[i], err = url.PathUnescape(part); err != nil {
			return p, http.StatusBadRequest, "The path is not valid."
		}
	}
	symbol, ok := strings.CutSuffix(parts[5], ".csv.gz")
	if !ok {
		return p, http.StatusNotFound, "Not found."
	}
	p.Instrument = datasets.Instrument{Exchange: parts[0], Symbol: symbol}
	var err error
	if p.Type, err = datasets.ParseDataType(parts[1]); err != nil {
		return p, http.StatusBadRequest, "Invalid 'dataType' param: " + parts[1] + "."
	}
	date := strings.Join(parts[2:5], "-")
	if p.Day, err = datasets.ParseDay(date); err != nil {
		return p, http.StatusBadRequest, "Invalid date: " + date + "."
	}
	return p, http.StatusOK, ""
}

// refuse answers with the vendor's JSON body.
func refuse(w http.ResponseWriter, status, code int, message string) {
	body, err := json.Marshal(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, message})
	if err != nil {
		panic("tardistest: error body: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client's business
}

func html(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// countingWriter remembers status and bytes of an answer.
type countingWriter struct {
	http.ResponseWriter
	status int
	n      int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.n += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
