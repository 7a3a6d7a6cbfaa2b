package llmtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
)

// Transport serves requests in the caller's process without a socket, under any clock: a cut
// connection is an io.ErrUnexpectedEOF.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ *Server }

// RoundTrip serves the request, or gives up with its context.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	type result struct {
		response *http.Response
		err      error
	}
	done := make(chan result, 1)
	go func() {
		w := httptest.NewRecorder()
		defer func() {
			if cut := recover(); cut == http.ErrAbortHandler {
				done <- result{nil, io.ErrUnexpectedEOF}
			} else if cut != nil {
				panic(cut)
			}
		}()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			done <- result{nil, err}
			return
		}
		served := r.Clone(r.Context())
		served.Body = io.NopCloser(bytes.NewReader(body))
		served.RequestURI = r.URL.RequestURI()
		t.ServeHTTP(w, served)
		response := w.Result()
		response.Request = r
		done <- result{response, nil}
	}()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case got := <-done:
		return got.response, got.err
	}
}
