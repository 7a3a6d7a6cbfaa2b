package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sashabaranov/go-openai"

	"github.com/qf-dev/qf/datasets"
)

// client sends requests to one endpoint. It alone knows the key.
type client struct {
	api       *openai.Client
	transport http.RoundTripper
	own       *http.Transport // to be closed; nil for the caller's
	key       string
	secret    datasets.Secret
	agent     string
}

// requestTimeout bounds one request; models that think take minutes.
const requestTimeout = 5 * time.Minute

func newClient(baseURL string, workers int, o FillOptions) *client {
	c := &client{key: strings.TrimSpace(o.Key), agent: cmp.Or(o.UserAgent, "qf"), transport: o.Transport}
	c.secret = datasets.NewSecret(c.key)
	if c.transport == nil {
		c.own = http.DefaultTransport.(*http.Transport).Clone()
		c.own.MaxIdleConnsPerHost = workers
		c.transport = c.own
	}
	config := openai.DefaultConfig(c.key)
	config.BaseURL = baseURL
	config.HTTPClient = &http.Client{
		Transport:     c,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.api = openai.NewClientWithConfig(config)
	return c
}

// close lets idle connections go.
func (c *client) close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// wire is what the transport adds to one request, and what it learns of the response that the
// library does not pass on.
type wire struct {
	body     []byte // the request's, to the byte: the library would leave a temperature of 0 out
	status   int    // 0 where there was no response
	header   http.Header
	received []byte
	sent     bool // the endpoint may have got the request
}

type wireKey struct{}

// RoundTrip sends the wire's body in place of the library's and takes the whole response in, up to
// maxBody. What has been sent is never sent again behind our back: each request may be billed.
func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	w := r.Context().Value(wireKey{}).(*wire)
	w.sent = true // but where the transport says that it has no connection yet
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { w.sent = false },
		GotConn: func(httptrace.GotConnInfo) { w.sent = true },
	})
	_ = r.Body.Close()
	r = r.Clone(ctx)
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(w.body)), int64(len(w.body)), nil
	r.Header.Set("User-Agent", c.agent)
	r.Header.Set("Idempotency-Key", string(keyOf(w.body)))
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	w.status, w.header = resp.StatusCode, resp.Header
	w.received, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(w.received) > maxBody {
		err = fmt.Errorf("the response has more than %d bytes", maxBody)
	}
	if err != nil {
		w.status = 0
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(w.received))
	return resp, nil
}

// do sends a call, with the turns of a repair, in a format, and gives the exchange. The error is a
// *refusal.
func (c *client) do(ctx context.Context, call Call, repair []Message, format ResponseFormat) (Exchange, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, fmt.Errorf("no answer within %s", requestTimeout))
	defer cancel()
	w := &wire{body: call.with(repair, format).Body()}
	start := time.Now()
	resp, err := c.api.CreateChatCompletion(context.WithValue(ctx, wireKey{}, w),
		openai.ChatCompletionRequest{Model: call.Model})
	took := time.Since(start)
	switch {
	case w.status == 0:
		if cause := context.Cause(ctx); cause != nil {
			err = cause // more to the point than "context canceled"
		}
		return Exchange{}, &refusal{message: c.clean(err.Error()), billable: w.sent}
	case err != nil || w.status != http.StatusOK || len(resp.Choices) == 0:
		if r := c.refuse(w, err); r != nil {
			return Exchange{}, r
		}
	}
	x := Exchange{ResponseFormat: format, Repair: repair, Served: c.hide(resp.Model),
		Usage:     Usage{Prompt: resp.Usage.PromptTokens, Complete: resp.Usage.CompletionTokens},
		LatencyMS: float64(took.Microseconds()) / 1000}
	// A count that cannot be, none or more than was asked for, is taken as the most that it may be.
	worst := call.with(repair, format).worst()
	if u := x.Usage; u.Prompt < 0 || u.Complete < 0 || u.Prompt == 0 && u.Complete == 0 {
		x.Usage = worst
	} else {
		x.Usage = Usage{Prompt: min(u.Prompt, worst.Prompt), Complete: min(u.Complete, worst.Complete)}
	}
	if len(resp.Choices) > 0 {
		choice := resp.Choices[0]
		x.Text = c.hide(cmp.Or(said(choice.Message), choice.Message.Refusal))
		x.Finish = c.hide(string(choice.FinishReason))
	}
	if r := x.silent(); r != nil {
		return Exchange{}, r
	}
	return x, nil
}

// said is the text of a message, whose content may come in parts.
func said(m openai.ChatCompletionMessage) string {
	text := m.Content
	for _, part := range m.MultiContent {
		text += part.Text
	}
	return text
}

// silent says why a response has nothing in it that the model said, or nil. Nothing is then stored.
func (x Exchange) silent() *refusal {
	r := &refusal{billable: x.Usage.Complete > 0 && !x.Usage.Assumed}
	switch {
	case x.Finish == "error":
		r.billable, r.message = false, "the endpoint broke off the answer (finish_reason error)"
	case strings.TrimSpace(x.Text) != "":
		return nil
	case x.Finish == string(openai.FinishReasonLength):
		r.final, r.message = true, "the answer was cut before it began (finish_reason length): the model thinks for longer than max_tokens, raise it"
	case x.Finish == string(openai.FinishReasonContentFilter):
		r.final, r.message = true, "the endpoint withholds the answer (finish_reason content_filter)"
	default:
		r.message = "the answer is empty"
		if x.Finish != "" {
			r.message += " (finish_reason " + x.Finish + ")"
		}
	}
	return r
}

// refuse reads a response that is not an answer; nil where it is one, without a choice.
func (c *client) refuse(w *wire, err error) *refusal {
	r := &refusal{status: w.status, after: retryAfter(w.header), message: c.clean(string(w.received))}
	var said struct {
		Error   json.RawMessage
		Choices []any
	}
	whole := json.Unmarshal(w.received, &said) == nil
	if whole && len(said.Error) > 0 && string(said.Error) != null {
		r.explain(c, said.Error)
		return r
	}
	switch {
	case r.status/100 == 3:
		r.message = "it redirects to " + c.clean(w.header.Get("Location"))
	case r.status != http.StatusOK:
	case said.Choices != nil && err == nil:
		return nil
	case strings.HasPrefix(r.message, "{"): // cut, or not in the form of an answer
		r.status, r.billable, r.message = 0, true, "the answer cannot be read: "+r.message
	default:
		r.foreign, r.message = true, "not a chat completion: "+r.message
	}
	return r
}

// explain reads the error object of a response. Some endpoints pass on another's failure under
// status 200, with its status as the code.
func (r *refusal) explain(c *client, object json.RawMessage) {
	var e struct {
		Message string
		Type    any
		Code    any
	}
	if json.Unmarshal(object, &e) == nil {
		r.message, r.kind = c.clean(e.Message), c.clean(fmt.Sprint(e.Type, " ", e.Code))
	}
	if r.status == http.StatusOK {
		r.status = http.StatusBadGateway
		if code, ok := e.Code.(float64); ok && code >= 400 && code < 600 {
			r.status = int(code)
		}
	}
}

// clean makes a line of what an endpoint said: short, printable, without the key.
func (c *client) clean(said string) string {
	const limit = 200
	said = c.hide(said)
	said = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(said, " "))
	said = strings.Join(strings.Fields(said), " ")
	if r := []rune(said); len(r) > limit {
		said = string(r[:limit]) + "…"
	}
	return said
}

// hide takes the key, in whatever form it comes back, and what looks like one out of what others said.
func (c *client) hide(said string) string { return c.secret.Hide(said) }

// retryAfter is how long the endpoint wants to be left alone; 0 where it does not say. One that may be asked at once
// is given a nanosecond.
func retryAfter(h http.Header) time.Duration {
	for _, f := range []struct {
		name string
		unit time.Duration
	}{{"Retry-After-Ms", time.Millisecond}, {"Retry-After", time.Second}} {
		text := h.Get(f.name)
		if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 {
			return max(1, time.Duration(min(n, 1e9)*float64(f.unit)))
		}
		if at, err := http.ParseTime(text); err == nil {
			return max(0, time.Until(at))
		}
	}
	return 0
}
