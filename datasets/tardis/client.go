package tardis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/qf-dev/qf/datasets"
)

// DefaultBaseURL is the vendor's server.
const DefaultBaseURL = "https://datasets.tardis.dev/v1"

// Client downloads day-files. The zero Client gets the free ones from the vendor's server. It is
// safe for concurrent use; its fields are not to be changed after the first Open.
//
// A request that fails before its answer's first byte (connection, 5xx, 429) is repeated inside
// Open. A failure in the middle of the body, or bytes that do not match length or checksum, end the
// stream with an error that implements datasets.Retryable, since the rows already given out are
// then void.
type Client struct {
	BaseURL string // a mirror; "" means DefaultBaseURL
	Key     string // the API key, "" for none; sent to BaseURL's host only and never shown
	Version string // of qf, for the User-Agent; "" means dev

	MaxBadRows int64  // malformed rows a file may have; they are set aside
	KeepRaw    string // folder that also gets the .csv.gz files (see FileName), "" for none

	Attempts    int           // requests for one file before Open gives up; 0 means 8
	MinWait     time.Duration // before the second attempt, doubled for each further one; 0 means 1 s
	MaxWait     time.Duration // 0 means 2 min
	IdleTimeout time.Duration // without a byte from the server; 0 means 1 min
	MinRate     int64         // bytes a second, below which a transfer is given up after a minute; 0 means 1,000

	// Retrying, where it is not nil, is told of each request that failed and is to be repeated, from many
	// goroutines: the URL's path, which attempt comes next, after which wait, and why.
	Retrying func(path string, attempt int, wait time.Duration, why error)

	// Transport replaces the HTTP transport, for tests; nil means one that takes the proxy from the
	// environment.
	Transport http.RoundTripper

	once     sync.Once
	http     *http.Client
	answered atomic.Bool // the server has answered something
}

// firstAttempts bounds the requests to a server that has never answered: it may not be there at all.
const firstAttempts = 3

// freeDays says what there is without a key.
const freeDays = "without one only the first day of each month is free"

// Free reports whether p can be had without an API key: the first day of every month.
func Free(p datasets.Partition) bool { return p.Day.Time().Day() == 1 }

// Reachable reports whether the client may ask for p: it is free, there is a key, or the server is
// not the vendor's.
func (c *Client) Reachable(p datasets.Partition) bool {
	return Free(p) || c.key() != "" || c.baseURL() != DefaultBaseURL
}

func (c *Client) key() string { return strings.TrimSpace(c.Key) }

func (c *Client) baseURL() string {
	return strings.TrimRight(cmp.Or(c.BaseURL, DefaultBaseURL), "/")
}

// URL is the address of p's file.
func (c *Client) URL(p datasets.Partition) string { return c.baseURL() + "/" + escapedPath(p) }

// Open asks for p's file; see datasets.Source.
func (c *Client) Open(ctx context.Context, p datasets.Partition) (datasets.Stream, error) {
	c.once.Do(c.init)
	if err := p.Instrument.Validate(); err != nil {
		return nil, err
	}
	if _, err := datasets.ParseDataType(string(p.Type)); err != nil {
		return nil, err
	}
	if !c.Reachable(p) {
		return nil, fmt.Errorf("%w: %s", datasets.ErrKeyNeeded, freeDays)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s, err := c.open(ctx, cancel, p)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	return s, nil
}

func (c *Client) open(ctx context.Context, cancel context.CancelCauseFunc, p datasets.Partition) (_ *stream, err error) {
	resp, shown, err := c.get(ctx, c.URL(p))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			resp.Body.Close()
		}
	}()
	fail := func(err error) (*stream, error) {
		return nil, fmt.Errorf("GET %s: %w", shown, err)
	}
	if resp.StatusCode != http.StatusOK {
		without := freeDays
		if Free(p) {
			without = ""
		}
		return fail(c.refusal(resp, without))
	}
	body := newIdleBody(ctx, cancel, resp.Body, c.idleTimeout(), cmp.Or(c.MinRate, 1000))
	sum := strings.ToLower(strings.Trim(resp.Header.Get("X-Md5"), `" `))
	s := &stream{
		ctx:    ctx,
		meter:  newMeter(body, sum != ""),
		path:   sourcePath(p, ".csv.gz"),
		total:  resp.ContentLength,
		md5:    sum,
		remote: true,
	}
	var raw *rawFile
	if c.KeepRaw != "" {
		if raw, err = createRaw(c.KeepRaw, FileName(p)); err != nil {
			return nil, err
		}
		s.meter.copy, s.commit = raw, raw.commit
	}
	s.closer = func() {
		cancel(nil)
		resp.Body.Close()
		if raw != nil {
			raw.abort()
		}
	}
	if err := s.unpack(true); err != nil {
		s.closer()
		return fail(err)
	}
	s.decode(p, s.path, c.MaxBadRows)
	return s, nil
}

// get asks for what is at a URL below BaseURL and gives the answer, whatever its status, with the URL as messages show it. The
// caller closes the body.
func (c *Client) get(ctx context.Context, url string) (resp *http.Response, shown string, err error) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", c.hide(err)
	}
	// The vendor stores the files compressed. Asking for what is stored keeps anybody on the way
	// from unpacking it, and a header set by hand keeps net/http from doing so.
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "qf/"+cmp.Or(c.Version, "dev")+" (+https://github.com/qf-dev/qf)")
	if key := c.key(); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	shown = req.URL.Redacted()
	resp, err = c.retrying(req.URL.Path).Do(req)
	switch {
	case err == nil:
		return resp, shown, nil
	case ctx.Err() != nil:
		return nil, "", context.Cause(ctx)
	case !c.answered.Load():
		return nil, "", fmt.Errorf("%w at %s: %w", datasets.ErrUnreachable, req.URL.Host, c.hide(reason(err)))
	}
	return nil, "", c.hide(fmt.Errorf("GET %s: %w", shown, reason(err)))
}

// init makes the HTTP client, one for all requests.
func (c *Client) init() {
	transport := c.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DisableCompression = true
		t.ResponseHeaderTimeout = c.idleTimeout()
		t.MaxIdleConnsPerHost = 16
		transport = t
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

// retrying is the client for the request of one file.
func (c *Client) retrying(path string) *retryablehttp.Client {
	var why error // of the last attempt
	attempts := cmp.Or(c.Attempts, 8)
	failed := 0
	return &retryablehttp.Client{
		HTTPClient:   c.http,
		RetryMax:     attempts - 1,
		RetryWaitMin: cmp.Or(c.MinWait, time.Second),
		RetryWaitMax: cmp.Or(c.MaxWait, 2*time.Minute),
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			if resp != nil {
				c.answered.Store(true)
				why = fmt.Errorf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
			} else {
				why = reason(err)
			}
			failed++
			again, err := checkRetry(ctx, resp, err)
			return again && (c.answered.Load() || failed < firstAttempts), err
		},
		Backoff: func(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
			wait := backoff(least, most, attempt, resp)
			if c.Retrying != nil {
				c.Retrying(path, attempt+2, wait, c.hide(why))
			}
			return wait
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

func (c *Client) idleTimeout() time.Duration { return cmp.Or(c.IdleTimeout, time.Minute) }

// Close lets idle connections go.
func (c *Client) Close() {
	c.once.Do(c.init)
	c.http.CloseIdleConnections()
}

// errRedirects: the next time they will be as many.
var errRedirects = errors.New("more than 10 redirects")

// checkRedirect keeps the key from any other server than the one that was asked.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errRedirects
	}
	if req.URL.Scheme != via[0].URL.Scheme || req.URL.Host != via[0].URL.Host {
		req.Header.Del("Authorization")
	}
	return nil
}

// idleBody is a response's body that gives up when a read takes too long, or when over a minute too little
// comes. The time that the consumer takes between reads does not count.
type idleBody struct {
	ctx     context.Context
	body    io.Reader
	timer   *time.Timer
	timeout time.Duration
	rate    int64         // bytes a second, at least
	waited  time.Duration // in reads of this minute
	came    int64         // in it
}

// slowAfter is how long a transfer may be slower than it should.
const slowAfter = time.Minute

func newIdleBody(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader, timeout time.Duration, rate int64) *idleBody {
	timer := time.AfterFunc(timeout, func() {
		cancel(damaged{fmt.Errorf("the server has sent nothing for %s", timeout)})
	})
	timer.Stop()
	return &idleBody{ctx: ctx, body: body, timer: timer, timeout: timeout, rate: rate}
}

// Read marks every failure but the caller's own cancellation as worth another attempt.
func (b *idleBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	start := time.Now()
	n, err := b.body.Read(p)
	b.timer.Stop()
	b.came += int64(n)
	if b.waited += time.Since(start); b.waited >= slowAfter && err == nil {
		if float64(b.came) < float64(b.rate)*b.waited.Seconds() {
			err = fmt.Errorf("%d bytes in %s, less than %d a second", b.came, b.waited.Round(time.Second), b.rate)
		}
		b.waited, b.came = 0, 0
	}
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case b.ctx.Err() != nil:
		return n, context.Cause(b.ctx)
	}
	return n, damaged{fmt.Errorf("body: %w", err)}
}

// hide takes the key out of an error that was made elsewhere.
func (c *Client) hide(err error) error {
	if said := datasets.NewSecret(c.key()).Hide(err.Error()); said != err.Error() {
		return errors.New(said)
	}
	return err
}
