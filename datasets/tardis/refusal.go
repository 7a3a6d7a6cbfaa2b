package tardis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/qf-dev/qf/datasets"
)

// refusal turns an answer other than 200 into an error that says what to do about it; without says what there is
// without a key, where what was asked for needs one.
func (c *Client) refusal(resp *http.Response, without string) error {
	said := c.message(resp.Body)
	if said != "" {
		said = ": " + quote(said)
	}
	if after := retryAfter(resp); after > patience {
		said += fmt.Sprintf(", to be asked again in %s", after)
	}
	status := fmt.Sprintf("%d %s%s", resp.StatusCode, http.StatusText(resp.StatusCode), said)
	switch resp.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w (%s)", datasets.ErrNotFound, status)
	case http.StatusUnauthorized, http.StatusForbidden:
		if c.key() != "" {
			return fmt.Errorf("%w: check it at https://tardis.dev/api-tokens (%s)", datasets.ErrKeyRefused, status)
		}
		if without != "" {
			return fmt.Errorf("%w: %s (%s)", datasets.ErrKeyNeeded, without, status)
		}
	}
	return fmt.Errorf("%s", status)
}

// message is what the body of a refusal says, as far as a person may want to read it: one line of
// printable text, without the key.
func (c *Client) message(body io.Reader) string {
	const limit = 200
	text, _ := io.ReadAll(io.LimitReader(body, 4<<10))
	said := string(text)
	var answer struct{ Message string }
	if json.Unmarshal(text, &answer) == nil && answer.Message != "" {
		said = answer.Message
	}
	said = datasets.NewSecret(c.key()).Hide(said)
	said = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
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

const (
	// rateLimitWait is how long a 429 without Retry-After makes the client wait, at least.
	rateLimitWait = time.Minute
	// patience is the longest wait that a server may ask for; asked for more, the client gives up.
	patience = 15 * time.Minute
)

// checkRetry repeats requests that met a broken connection, an overloaded server or a rate limit.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if errors.Is(err, errRedirects) || err != nil && strings.Contains(err.Error(), "malformed") {
		return false, nil // the server means it
	}
	if err != nil || ctx.Err() != nil {
		return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	}
	busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500
	return busy && retryAfter(resp) <= patience, nil
}

// reason says why there was no answer, without the URL and the calls on the way.
func reason(err error) error {
	var name *net.DNSError
	var call *url.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.As(err, &name):
		return fmt.Errorf("%s: %s", name.Name, name.Err)
	case errors.As(err, &call):
		return call.Err
	}
	return err
}

// retryAfter is how long the server wants to be left alone.
func retryAfter(resp *http.Response) time.Duration {
	if resp.Header.Get("Retry-After") != "" {
		return retryablehttp.DefaultBackoff(0, 0, 0, resp)
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return rateLimitWait
	}
	return 0
}

// backoff doubles the wait with each attempt, takes up to half of it away at random so that many
// requests do not come back together, and never comes back earlier than the server asks.
func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := most
	if attempt < 32 && least<<attempt>>attempt == least {
		wait = min(most, least<<attempt)
	}
	wait -= rand.N(wait/2 + 1)
	if resp != nil {
		wait = max(wait, retryAfter(resp))
	}
	return wait
}
