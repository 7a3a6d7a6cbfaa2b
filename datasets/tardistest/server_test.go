package tardistest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

func startServer(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
}

// request sends one request; header lines are "Name: value".
func request(t *testing.T, method, url string, header ...string) (res *http.Response, body []byte, err error) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "qf-test")
	for _, h := range header {
		if name, value, ok := strings.Cut(h, ": "); ok {
			req.Header.Set(name, value)
		}
	}
	req.Header.Set("Accept-Encoding", "gzip") // no transparent gunzip
	res, err = http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res, body, err
}

func TestServerServesDays(t *testing.T) {
	m := testMarket(1, 0)
	s := &Server{Days: m}
	startServer(t, s)
	url := s.URL() + "/binance-futures/trades/2024/01/02/BTCUSDT.csv.gz"
	res, body, err := request(t, "GET", url)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	h := res.Header
	if h.Get("Content-Type") != "application/gzip" || h.Get("Content-Encoding") != "" ||
		res.ContentLength != int64(len(body)) || h.Get("x-md5") != md5Hex(body) {
		t.Errorf("headers %v for %d bytes", h, len(body))
	}
	if got := gunzip(t, body); got != m.text(t, btc, datasets.Trades, 1) {
		t.Error("the body is not the market's day")
	}
	want := Request{Method: "GET", Path: "/v1/binance-futures/trades/2024/01/02/BTCUSDT.csv.gz", Agent: "qf-test", Status: 200, Bytes: int64(len(body))}
	if log := s.Requests(); len(log) != 1 || log[0] != want {
		t.Errorf("log %+v, want %+v", log, want)
	}
	if s.BytesServed() != int64(len(body)) {
		t.Errorf("%d bytes served, want %d", s.BytesServed(), len(body))
	}
}

func gunzip(t *testing.T, body []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestServerStatuses(t *testing.T) {
	s := &Server{Days: testMarket(1, 0), Keys: []string{DemoKey}}
	startServer(t, s)
	const first, second = "/binance-futures/trades/2024/02/01/BTCUSDT.csv.gz", "/binance-futures/trades/2024/02/02/BTCUSDT.csv.gz"
	const good = "Authorization: Bearer " + DemoKey
	for _, c := range []struct {
		method, path, header string
		want                 int
		message              string
	}{
		{"GET", first, "", 200, ""},
		{"GET", first, "Authorization: ", 200, ""},
		{"GET", second, "", 401, "dataset for '2024-02-02' has been requested"},
		{"GET", second, good, 200, ""},
		{"GET", second, "Authorization: Bearer other", 401, "invalid"},
		{"GET", first, "Authorization: Bearer other", 401, "invalid"},
		{"HEAD", first, good, 404, ""},
		{"POST", first, good, 405, "GET"},
		{"GET", first, "Range: bytes=0-9", 403, "Range"},
		{"GET", first, "User-Agent: Go-http-client/1.1", 403, ""},
		{"GET", "/binance-futures/candles/2024/02/01/BTCUSDT.csv.gz", good, 400, "dataType"},
		{"GET", "/binance-futures/trades/2024/02/30/BTCUSDT.csv.gz", good, 400, "date"},
		{"GET", "/binance-futures/trades/2024/2/01/BTCUSDT.csv.gz", good, 400, "date"},
		{"GET", "/binance-futures/trades/2024/02/01/NOUSDT.csv.gz", good, 404, "NOUSDT"},
		{"GET", "/binance-futures/trades/2024/02/01/%42TCUSDT.csv.gz", good, 200, ""},
		{"GET", "/binance-futures/trades/2023/02/01/BTCUSDT.csv.gz", good, 404, "2023"},
		{"GET", "/binance-futures/trades/2024/02/01/BTCUSDT.csv", good, 404, ""},
		{"GET", "/nothing", good, 404, ""},
	} {
		res, body, err := request(t, c.method, s.URL()+c.path, c.header)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != c.want {
			t.Errorf("%s %s (%s): status %d, want %d", c.method, c.path, c.header, res.StatusCode, c.want)
		}
		if c.message != "" {
			var e struct {
				Code    int
				Message string
			}
			if err := json.Unmarshal(body, &e); err != nil || !strings.Contains(e.Message, c.message) {
				t.Errorf("%s %s: body %s, want a message with %q", c.method, c.path, body, c.message)
			}
		}
	}
}

// nothing writes a day without rows.
type nothing struct{}

func (nothing) WriteDay(io.Writer, datasets.Partition) error { return nil }

func TestServerSendsEmptyGzip(t *testing.T) {
	s := &Server{Days: nothing{}}
	startServer(t, s)
	res, body, err := request(t, "GET", s.URL()+"/binance/trades/2024/01/01/BTCUSDT.csv.gz")
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	if len(body) > 32 || gunzip(t, body) != "" {
		t.Errorf("%d bytes that unpack to %q", len(body), gunzip(t, body))
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault Fault
		check func(res *http.Response, body []byte, err error, whole []byte) error
	}{
		{"429", Fault{Kind: TooManyRequests}, status(429, "")},
		{"429 with Retry-After", Fault{Kind: TooManyRequests, RetryAfter: "7"}, status(429, "7")},
		{"500", Fault{Kind: ServerError}, status(500, "")},
		{"503", Fault{Kind: Unavailable, RetryAfter: "1"}, status(503, "1")},
		{"cut", Fault{Kind: Cut, After: 1000}, func(_ *http.Response, body []byte, err error, whole []byte) error {
			return expect(errors.Is(err, io.ErrUnexpectedEOF) && len(body) == 1000)
		}},
		{"corrupt", Fault{Kind: CorruptBody, After: 5000}, func(res *http.Response, body []byte, err error, whole []byte) error {
			differ := 0
			for i := range body {
				if body[i] != whole[i] {
					differ++
				}
			}
			return expect(err == nil && len(body) == len(whole) && differ == 1 && res.Header.Get("x-md5") == md5Hex(whole))
		}},
		{"wrong length", Fault{Kind: WrongLength}, func(res *http.Response, body []byte, err error, whole []byte) error {
			return expect(errors.Is(err, io.ErrUnexpectedEOF) && bytes.Equal(body, whole))
		}},
		{"wrong md5", Fault{Kind: WrongMD5}, func(res *http.Response, body []byte, err error, whole []byte) error {
			return expect(err == nil && bytes.Equal(body, whole) && res.Header.Get("x-md5") != md5Hex(whole))
		}},
		{"html", Fault{Kind: HTML}, func(res *http.Response, body []byte, err error, whole []byte) error {
			return expect(err == nil && res.StatusCode == 200 && bytes.HasPrefix(body, []byte("<html>")))
		}},
		{"truncated", Fault{Kind: Truncated}, func(res *http.Response, body []byte, err error, whole []byte) error {
			return expect(err == nil && bytes.Equal(body, whole[:len(whole)-8]) && res.Header.Get("x-md5") == md5Hex(body))
		}},
		{"slow", Fault{Kind: Slow, Pause: time.Microsecond}, func(res *http.Response, body []byte, err error, whole []byte) error {
			return expect(err == nil && bytes.Equal(body, whole))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Server{Days: testMarket(1, 0), Fault: FirstTries(1, c.fault)}
			startServer(t, s)
			url := s.URL() + "/binance-futures/trades/2024/01/01/BTCUSDT.csv.gz"
			res, body, err := request(t, "GET", url)
			if res == nil {
				t.Fatal(err)
			}
			healed, whole, errHealed := request(t, "GET", url)
			if errHealed != nil || healed.StatusCode != 200 {
				t.Fatal(healed, errHealed)
			}
			if problem := c.check(res, body, err, whole); problem != nil {
				t.Errorf("%v: status %v, %d of %d bytes, error %v", problem, res.Status, len(body), len(whole), err)
			}
		})
	}
}

func expect(ok bool) error {
	if !ok {
		return errors.New("not the fault that was asked for")
	}
	return nil
}

func status(code int, retryAfter string) func(*http.Response, []byte, error, []byte) error {
	return func(res *http.Response, _ []byte, err error, _ []byte) error {
		return expect(err == nil && res.StatusCode == code && res.Header.Get("Retry-After") == retryAfter)
	}
}

func TestRandomFaults(t *testing.T) {
	f := RandomFaults(1, 0.3)
	p := datasets.Partition{Instrument: btc, Type: datasets.Trades}
	n := 0
	kinds := map[FaultKind]int{}
	for day := range 1000 {
		p.Day = datasets.Day(day)
		a, b := f(p, 1), f(p, 1)
		if a != b {
			t.Fatal("not the same twice")
		}
		if a.Kind != NoFault {
			n++
			kinds[a.Kind]++
		}
	}
	if n < 250 || n > 350 || len(kinds) != 7 {
		t.Errorf("%d faults of 1000, by kind %v", n, kinds)
	}
}

// Close cuts an answer that still dribbles and leaves no goroutine behind (TestMain looks).
func TestCloseWhileSending(t *testing.T) {
	s := &Server{Days: testMarket(1, 0), Fault: FirstTries(1, Fault{Kind: Slow, Pause: time.Hour})}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("GET", s.URL()+"/binance-futures/trades/2024/01/01/BTCUSDT.csv.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "qf-test")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the whole body came")
	}
}

// The cache makes a file once and stays within its bound.
func TestCache(t *testing.T) {
	var c cache
	var mu sync.Mutex
	made := map[datasets.Day]int{}
	get := func(day datasets.Day) {
		f, err := c.get(datasets.Partition{Day: day}, 100, func() (*file, error) {
			mu.Lock()
			defer mu.Unlock()
			made[day]++
			return &file{body: make([]byte, 40)}, nil
		})
		if err != nil || len(f.body) != 40 {
			t.Error(f, err)
		}
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { get(1) })
	}
	wg.Wait()
	get(2)
	get(3) // drops 1
	get(2)
	get(1)
	if got := fmt.Sprint(made); got != "map[1970-01-02:2 1970-01-03:1 1970-01-04:1]" {
		t.Errorf("made %s", got)
	}
	if c.bytes > 100 || len(c.entries) != len(c.order) {
		t.Errorf("%d bytes in %d entries, order %d", c.bytes, len(c.entries), len(c.order))
	}
}
