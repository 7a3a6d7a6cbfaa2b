package tardis

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/datasets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func gz(text string) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func hexMD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// someTrades is a valid trades file of BTCUSDT on day.
func someTrades(rows int) string {
	return string(marketFile(part(datasets.Trades, "BTCUSDT"), rows))
}

// serve starts a server and a client of it that waits next to nothing between attempts.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	server := httptest.NewServer(h)
	c := &Client{BaseURL: server.URL + "/v1", MinWait: time.Microsecond, Attempts: 4}
	t.Cleanup(func() {
		c.Close()
		server.Close()
	})
	return c
}

// read opens p and drains it.
func read(c datasets.Source, p datasets.Partition) ([][]any, datasets.SourceMeta, error) {
	s, err := c.Open(context.Background(), p)
	if err != nil {
		return nil, datasets.SourceMeta{}, err
	}
	s.Retain()
	defer s.Release()
	rows, err := readAll(s)
	return rows, s.Meta(), err
}

func TestDownload(t *testing.T) {
	p := part(datasets.Trades, "BTCUSDT")
	text := someTrades(50_000)
	body := gz(text)
	var got *http.Request
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("x-md5", strings.ToUpper(hexMD5(body)))
		w.Header().Set("Content-Encoding", "gzip") // must not be undone on the way
		w.Write(body)
	})
	c.Key, c.Version, c.KeepRaw = " KEY ", "1.2.3", filepath.Join(t.TempDir(), "raw")
	rows, meta, err := read(c, p)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := naive([]byte(text), p)
	sameRows(t, p, rows, want)
	sum := sha256.Sum256(body)
	if want := (datasets.SourceMeta{Path: "binance-futures/trades/2024/03/01/BTCUSDT.csv.gz", Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:])}); meta != want {
		t.Errorf("meta %+v, want %+v", meta, want)
	}
	if got.Method != "GET" || got.URL.Path != "/v1/binance-futures/trades/2024/03/01/BTCUSDT.csv.gz" || got.URL.RawQuery != "" {
		t.Errorf("asked for %s %s", got.Method, got.URL)
	}
	for name, want := range map[string]string{"User-Agent": "qf/1.2.3 (+https://github.com/qf-dev/qf)", "Authorization": "Bearer KEY", "Accept-Encoding": "gzip", "Range": ""} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	kept, err := os.ReadDir(c.KeepRaw)
	if err != nil || len(kept) != 1 || kept[0].Name() != "binance-futures_trades_2024-03-01_BTCUSDT.csv.gz" {
		t.Fatalf("kept %v, %v", kept, err)
	}
	if raw, err := os.ReadFile(filepath.Join(c.KeepRaw, kept[0].Name())); err != nil || !bytes.Equal(raw, body) {
		t.Errorf("the kept file differs, %v", err)
	}
}

func TestProgress(t *testing.T) {
	body := gz(someTrades(100_000))
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	s, err := c.Open(context.Background(), part(datasets.Trades, "BTCUSDT"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	last := int64(-1)
	for s.Next() {
		done, total := s.Progress()
		if done < last || total != int64(len(body)) {
			t.Fatalf("%d of %d after %d", done, total, last)
		}
		last = done
	}
	if done, total := s.Progress(); s.Err() != nil || done != total {
		t.Errorf("%d of %d at the end, %v", done, total, s.Err())
	}
}

func TestNothingRecorded(t *testing.T) {
	empty := gz("")
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(empty) })
	rows, meta, err := read(c, part(datasets.Trades, "BTCUSDT"))
	if err != nil || len(rows) != 0 || meta.Bytes != int64(len(empty)) || meta.SHA256 == "" {
		t.Fatalf("%d rows, %+v, %v", len(rows), meta, err)
	}
}

// TestBadBodies has answers with status 200 that must not count, and whether asking again may help.
func TestBadBodies(t *testing.T) {
	body := gz(someTrades(20_000))
	flipped := bytes.Clone(body)
	flipped[len(flipped)-100] ^= 4
	short := fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,1,buy\n", noon, noon)
	for _, c := range []struct {
		name   string
		body   []byte
		length int // 0: chunked
		md5    string
		again  bool
		want   string
	}{
		{"html", []byte("<!DOCTYPE html>\n<title>Just a\x00 moment…</title>" + strings.Repeat("x", 9999)), 0, "", false, `not a gzip file, it starts with "<!DOCTYPE html> <title>Just a moment…<"…`},
		{"plain text", []byte(tradesHeader), 0, "", false, `not a gzip file, it starts with "exchange,symbol,timestamp,local_timestam"…`},
		{"nothing", nil, 0, "", true, "0 bytes where a gzip file was expected: unexpected EOF"},
		{"cut in the gzip header", body[:7], 0, "", true, "gzip header: unexpected EOF"},
		{"cut, chunked", body[:len(body)/2], 0, "", true, "gunzip: unexpected EOF"},
		{"cut before the trailer", body[:len(body)-4], 0, "", true, "gunzip: unexpected EOF"},
		{"cut, length known", body[:len(body)/2], len(body), "", true, "body: unexpected EOF"},
		{"wrong md5", body, 0, hexMD5(flipped), true, "the bytes have MD5 " + hexMD5(body) + ", the server says " + hexMD5(flipped)},
		{"damaged on the way", flipped, 0, hexMD5(body), true, "the bytes have MD5"},
		{"damaged on the way, no md5", flipped, 0, "", true, "gunzip: "},
		{"damaged at home", flipped, 0, hexMD5(flipped), false, "gunzip: "},
		{"wrong gzip checksum", append(bytes.Clone(body[:len(body)-8]), 1, 2, 3, 4, 5, 6, 7, 8), 0, "", true, "gunzip: gzip checksum differs"},
		{"trailing garbage", append(bytes.Clone(body), "garbage that goes on"...), 0, "", true, "gunzip: invalid gzip header"},
		{"trailing garbage at home", append(bytes.Clone(body), "garbage that goes on"...), 0, hexMD5(append(bytes.Clone(body), "garbage that goes on"...)), false, "gunzip: invalid gzip header"},
		{"malformed", gz(tradesHeader + short), 0, "", false, "binance-futures/trades/2024/03/01/BTCUSDT.csv.gz:2: the row has 6 cells, the header 8"},
		{"malformed and damaged", append(gz(tradesHeader + short)[:60], 9), 0, "", true, "gunzip: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			requests := atomic.Int32{}
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if c.md5 != "" {
					w.Header().Set("x-md5", c.md5)
				}
				if c.length > 0 {
					w.Header().Set("Content-Length", fmt.Sprint(c.length))
				} else {
					w.(http.Flusher).Flush()
				}
				w.Write(c.body)
			})
			client.KeepRaw = t.TempDir()
			_, _, err := read(client, part(datasets.Trades, "BTCUSDT"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			var again datasets.Retryable
			if errors.As(err, &again) != c.again {
				t.Errorf("retryable: %t, want %t (%v)", !c.again, c.again, err)
			}
			if requests.Load() != 1 {
				t.Errorf("%d requests, want 1", requests.Load())
			}
			if kept, _ := os.ReadDir(client.KeepRaw); len(kept) != 0 {
				t.Errorf("kept %v", kept)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	paid := part(datasets.Trades, "BTCUSDT")
	paid.Day++
	free := part(datasets.Trades, "BTCUSDT")
	for _, c := range []struct {
		status int
		key    string
		p      datasets.Partition
		body   string
		is     error
		want   string
	}{
		{404, "", free, `{"code":404,"message":"no such symbol"}`, datasets.ErrNotFound, `not found (404 Not Found: "no such symbol")`},
		{401, "", paid, `{"message":"For unauthorized requests, only…"}`, datasets.ErrKeyNeeded, "needs an API key: without one only the first day of each month is free (401 Unauthorized"},
		{403, "", paid, "", datasets.ErrKeyNeeded, "(403 Forbidden)"},
		{401, "SECRET-KEY", paid, `{"message":"key SECRET-KEY is \u0007 not valid"}`, datasets.ErrKeyRefused, `API key refused: check it at https://tardis.dev/api-tokens (401 Unauthorized: "key [key] is not valid")`},
		{403, "SECRET-KEY", free, "", datasets.ErrKeyRefused, "403 Forbidden"},
		{403, "", free, "<html>blocked</html>", nil, `403 Forbidden: "<html>blocked</html>"`},
		{400, "", free, `{"code":1,"message":"invalid data type"}`, nil, `400 Bad Request: "invalid data type"`},
		{204, "", free, "", nil, "204 No Content"},
	} {
		requests := atomic.Int32{}
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		client.Key = c.key
		_, err := client.Open(context.Background(), c.p)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%d: got %v, want %s", c.status, err, c.want)
			continue
		}
		for _, known := range []error{datasets.ErrNotFound, datasets.ErrKeyNeeded, datasets.ErrKeyRefused} {
			if errors.Is(err, known) != (known == c.is) {
				t.Errorf("%d: %v is %v", c.status, err, known)
			}
		}
		if strings.Contains(err.Error(), "SECRET") || requests.Load() != 1 {
			t.Errorf("%d: %v after %d requests", c.status, err, requests.Load())
		}
	}
}

func TestPaidDaysAreNotAskedForWithoutAKey(t *testing.T) {
	c := &Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("asked")
	}), Attempts: 1}
	p := part(datasets.Trades, "BTCUSDT")
	if !c.Reachable(p) || !Free(p) {
		t.Error("the first of a month is not free")
	}
	p.Day++
	if _, err := c.Open(context.Background(), p); !errors.Is(err, datasets.ErrKeyNeeded) || c.Reachable(p) {
		t.Errorf("got %v", err)
	}
	for _, c := range []*Client{{Key: "k"}, {BaseURL: "http://127.0.0.1/v1"}} {
		if !c.Reachable(p) {
			t.Errorf("%+v is not asked for paid days", c)
		}
	}
}

func TestFailuresBeforeTheBodyAreRepeated(t *testing.T) {
	body := gz(someTrades(10))
	for _, status := range []int{500, 502, 503, 429} {
		requests := atomic.Int32{}
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch requests.Add(1) {
			case 1:
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
			case 2:
				panic(http.ErrAbortHandler)
			default:
				w.Write(body)
			}
		})
		rows, _, err := read(c, part(datasets.Trades, "BTCUSDT"))
		if err != nil || len(rows) != 10 || requests.Load() != 3 {
			t.Errorf("%d: %d rows after %d requests, %v", status, len(rows), requests.Load(), err)
		}
	}
	requests := atomic.Int32{}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.WriteHeader(500)
		io.WriteString(w, "out\nof order")
	})
	_, _, err := read(c, part(datasets.Trades, "BTCUSDT"))
	var again datasets.Retryable
	if err == nil || !strings.HasSuffix(err.Error(), `500 Internal Server Error: "out of order"`) || requests.Load() != 4 || errors.As(err, &again) {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

// roundTrip is a transport without a network, for tests on synctest's clock.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header string, body io.Reader) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1}
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	return r
}

func TestWaits(t *testing.T) {
	body := gz(someTrades(10))
	for _, c := range []struct {
		status      int
		header      string
		least, most time.Duration
	}{
		{429, "", time.Minute, time.Minute},
		{429, "Retry-After: 7", 7 * time.Second, 7 * time.Second},
		{429, "Retry-After: Sat, 01 Jan 2000 00:01:30 GMT", 90 * time.Second, 90 * time.Second},
		{503, "Retry-After: 11", 11 * time.Second, 11 * time.Second},
		{500, "", time.Second / 2, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			start, requests := time.Now(), 0
			client := &Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				if requests++; requests == 1 {
					return answer(c.status, c.header, strings.NewReader("")), nil
				}
				return answer(200, "", bytes.NewReader(body)), nil
			})}
			rows, _, err := read(client, part(datasets.Trades, "BTCUSDT"))
			if err != nil || len(rows) != 10 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			if waited := time.Since(start); waited < c.least || waited > c.most {
				t.Errorf("%d %s: waited %s, want %s to %s", c.status, c.header, waited, c.least, c.most)
			}
		})
	}
}

func TestServerWantsToBeLeftAlone(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(429)
	})
	_, err := c.Open(context.Background(), part(datasets.Trades, "BTCUSDT"))
	if err == nil || !strings.HasSuffix(err.Error(), ": 429 Too Many Requests, to be asked again in 24h0m0s") {
		t.Errorf("got %v", err)
	}
}

func TestWaitsGrow(t *testing.T) {
	for n := range 70 {
		want := min(time.Second<<min(n, 20), 2*time.Minute)
		if w := backoff(time.Second, 2*time.Minute, n, nil); w < want/2 || w > want {
			t.Errorf("wait %d is %s, want %s to %s", n, w, want/2, want)
		}
	}
}

// TestStuckServer has a server that goes silent in the middle of the body.
func TestStuckServer(t *testing.T) {
	body := gz(someTrades(100_000))
	synctest.Test(t, func(t *testing.T) {
		silent, out := io.Pipe()
		go func() {
			out.Write(body[:len(body)/2])
		}()
		c := &Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			context.AfterFunc(r.Context(), func() { out.CloseWithError(context.Cause(r.Context())) })
			return answer(200, "", silent), nil
		})}
		start := time.Now()
		s, err := c.Open(context.Background(), part(datasets.Trades, "BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Release()
		for s.Next() {
			time.Sleep(time.Hour) // a slow consumer is not a silent server
		}
		var again datasets.Retryable
		if err := s.Err(); !errors.As(err, &again) || err.Error() != "the server has sent nothing for 1m0s" {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(start) % time.Hour; waited != time.Minute {
			t.Errorf("gave up after %s", waited)
		}
	})
}

// A transfer that trickles is given up; one that is slow in between is not.
func TestSlowServer(t *testing.T) {
	body := gz(someTrades(20_000))
	for _, c := range []struct {
		every time.Duration // between two pieces
		piece int
		want  string
	}{{time.Second, 100, "body: 6000 bytes in 1m0s, less than 1000 a second"}, {30 * time.Second, 64 << 10, ""}} {
		synctest.Test(t, func(t *testing.T) {
			from, out := io.Pipe()
			go func() {
				for rest := body; len(rest) > 0; rest = rest[min(c.piece, len(rest)):] {
					time.Sleep(c.every)
					if _, err := out.Write(rest[:min(c.piece, len(rest))]); err != nil {
						return
					}
				}
				out.Close()
			}()
			client := &Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				context.AfterFunc(r.Context(), func() { out.CloseWithError(context.Cause(r.Context())) })
				return answer(200, "", from), nil
			})}
			_, _, err := read(client, part(datasets.Trades, "BTCUSDT"))
			var again datasets.Retryable
			if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &again) || err.Error() != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			time.Sleep(time.Hour) // until the server has noticed
		})
	}
}

// What another attempt cannot heal is asked for once; a server that was never there three times, with the
// reason and the wait before each; one that has answered, as often as Attempts says.
func TestAttempts(t *testing.T) {
	gone := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, c := range map[string]struct {
		answer   func(n int) (*http.Response, error)
		requests int
		want     string
		told     string // of the first repetition
		nobody   bool
	}{
		"nobody there": {func(int) (*http.Response, error) { return nil, gone }, 3, "nobody answers at datasets.tardis.dev: connection refused", "connection refused", true},
		"no such name": {func(int) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "x.invalid", IsNotFound: true}
		}, 3, "nobody answers at datasets.tardis.dev: x.invalid: no such host", "x.invalid: no such host", true},
		"gone in between": {func(n int) (*http.Response, error) {
			if n == 1 {
				return answer(503, "", strings.NewReader("")), nil
			}
			return nil, gone
		}, 8, "connection refused", "503 Service Unavailable", false},
		"malformed": {func(int) (*http.Response, error) {
			return nil, errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0"`)
		}, 1, `malformed HTTP response "SSH-2.0"`, "", true},
		"redirects": {func(int) (*http.Response, error) {
			r := answer(302, "", strings.NewReader(""))
			r.Header.Set("Location", "/again")
			return r, nil
		}, 10, "more than 10 redirects", "", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			requests, told := 0, ""
			client := &Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				requests++
				resp, err := c.answer(requests)
				if resp != nil {
					resp.Request = r
				}
				return resp, err
			}), Retrying: func(path string, attempt int, wait time.Duration, why error) {
				if told == "" {
					told = why.Error()
				}
				if attempt < 2 || wait < time.Second/2 || !strings.HasSuffix(path, "BTCUSDT.csv.gz") {
					t.Errorf("%s: %s, attempt %d in %s", name, path, attempt, wait)
				}
			}}
			_, err := client.Open(context.Background(), part(datasets.Trades, "BTCUSDT"))
			if err == nil || !strings.HasSuffix(err.Error(), c.want) || errors.Is(err, datasets.ErrUnreachable) != c.nobody {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
			if requests != c.requests || told != c.told {
				t.Errorf("%s: %d requests, told of %q, want %d and %q", name, requests, told, c.requests, c.told)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	body := gz(someTrades(100_000))
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	s, err := c.Open(ctx, part(datasets.Trades, "BTCUSDT"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	if !s.Next() {
		t.Fatal(s.Err())
	}
	time.AfterFunc(10*time.Millisecond, func() { cancel(stop) })
	for s.Next() {
	}
	var again datasets.Retryable
	if err := s.Err(); err != stop || errors.As(err, &again) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Open(ctx, part(datasets.Trades, "BTCUSDT")); err != stop {
		t.Errorf("Open on a cancelled context: %v", err)
	}
}

func TestKeyStaysWithItsHost(t *testing.T) {
	body := gz(someTrades(10))
	var there string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there = r.Header.Get("Authorization")
		w.Write(body)
	}))
	defer other.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1") {
			http.Redirect(w, r, "/moved"+r.URL.Path, http.StatusFound)
			return
		}
		if r.Header.Get("Authorization") != "Bearer SECRET" {
			t.Error("the key is lost on the same host")
		}
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c.Key = "SECRET"
	rows, _, err := read(c, part(datasets.Trades, "BTCUSDT"))
	if err != nil || len(rows) != 10 || there != "" {
		t.Errorf("%d rows, key %q, %v", len(rows), there, err)
	}
	c = &Client{BaseURL: "http://127.0.0.1:1/SECRET", Key: "SECRET", Attempts: 1}
	if _, err := c.Open(context.Background(), part(datasets.Trades, "BTCUSDT")); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("got %v", err)
	}
	c = &Client{BaseURL: other.URL, Key: "SEC\nRET", Attempts: 1}
	if _, err := c.Open(context.Background(), part(datasets.Trades, "BTCUSDT")); err == nil || strings.Contains(err.Error(), "RET") {
		t.Errorf("got %v", err)
	}
}

func TestNamesAreCheckedBeforeTheyAreAskedFor(t *testing.T) {
	c := &Client{BaseURL: "http://127.0.0.1:1", Attempts: 1}
	for _, p := range []datasets.Partition{part("bars", "BTCUSDT"), part(datasets.Trades, "../BTCUSDT"), part(datasets.Trades, "")} {
		if _, err := c.Open(context.Background(), p); err == nil || strings.Contains(err.Error(), "GET") || strings.Contains(err.Error(), "dial") {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestEscapedPath(t *testing.T) {
	p := part(datasets.Trades, "A+B #%ü@=&$.~_")
	if got, want := escapedPath(p), "binance-futures/trades/2024/03/01/A%2BB%20%23%25%C3%BC%40%3D%26%24.~_.csv.gz"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var path string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { path = r.RequestURI })
	c.Open(context.Background(), p)
	if want := "/v1/" + escapedPath(p); path != want {
		t.Errorf("asked for %s, want %s", path, want)
	}
}

func TestFileName(t *testing.T) {
	p := datasets.Partition{Instrument: datasets.Instrument{Exchange: "deribit", Symbol: "BTC/USDT:PERP"}, Type: datasets.Trades, Day: 19723}
	if got, want := FileName(p), "deribit_trades_2024-01-01_BTC-USDT-PERP.csv.gz"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.Symbol = `a?b/c:d*e<f>g|h"i\j`
	if got, want := FileName(p), "deribit_trades_2024-01-01_a-b-c-d-e-f-g-h-i-j.csv.gz"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestFaultStorm reads 500 files from a server that cuts, damages, delays and refuses at random. A
// consumer that starts a partition again on Retryable errors gets every row once.
func TestFaultStorm(t *testing.T) {
	files := map[string][]byte{}
	var parts []datasets.Partition
	for i := range 500 {
		p := part(datasets.Trades, fmt.Sprintf("S%d", i))
		parts = append(parts, p)
		files["/v1/"+escapedPath(p)] = gz(string(marketFile(p, 1+i%7*40)))
	}
	var lock sync.Mutex
	rng := rand.New(rand.NewPCG(11, 12))
	next := func(n int) int { // the handler is called from many goroutines
		lock.Lock()
		defer lock.Unlock()
		return rng.IntN(n)
	}
	faults := atomic.Int32{}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := files[r.URL.Path]
		if next(2) == 0 {
			w.Header().Set("x-md5", hexMD5(body))
		}
		if next(2) == 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		fault := next(14)
		if fault < 7 {
			faults.Add(1)
		}
		switch fault {
		case 0:
			w.Header().Del("Content-Length")
			w.WriteHeader(500 + next(4))
		case 1:
			w.Header().Del("Content-Length")
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			w.Write(body[:next(len(body))])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case 4:
			w.Write(body[:next(len(body))])
		case 5:
			body = bytes.Clone(body)
			body[10+next(len(body)-10)] ^= 1 << next(8) // not in the gzip header, whose fields nothing protects
			w.Write(body)
		case 6:
			w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
			w.Write(body[len(body)/2:])
		default:
			w.Write(body)
		}
	})
	c.Attempts = 12
	fetch := func(p datasets.Partition, want int) {
		for attempt := 1; ; attempt++ {
			rows, meta, err := read(c, p)
			var again datasets.Retryable
			if errors.As(err, &again) && attempt < 30 {
				continue
			}
			if err != nil || len(rows) != want || meta.Bytes != int64(len(files["/v1/"+escapedPath(p)])) {
				t.Errorf("%s: %d rows, want %d; %+v, %v", p, len(rows), want, meta, err)
			}
			return
		}
	}
	var workers sync.WaitGroup
	var taken atomic.Int32
	for range 4 {
		workers.Go(func() {
			for i := int(taken.Add(1)) - 1; i < len(parts); i = int(taken.Add(1)) - 1 {
				fetch(parts[i], 1+i%7*40)
			}
		})
	}
	workers.Wait()
	if faults.Load() < 200 {
		t.Errorf("only %d faults", faults.Load())
	}
}
