package llm

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// refusal is why a request got no answer.
type refusal struct {
	status   int           // 0 where there was no whole response
	message  string        // what was said, or what broke
	kind     string        // the error's type and code, as the endpoint names them
	after    time.Duration // it wants to be left alone so long; 0: it does not say
	billable bool          // an answer may have been made and billed
	foreign  bool          // what came is no endpoint's
	final    bool          // another try would fare no better
}

// Error is the status and what was said.
func (r *refusal) Error() string {
	if r.status == 0 || r.foreign {
		return r.message
	}
	return strings.TrimSuffix(fmt.Sprintf("%d %s: %s", r.status, http.StatusText(r.status), r.message), ": ")
}

// busy reports a rate limit.
func (r *refusal) busy() bool { return r.status == http.StatusTooManyRequests && !r.broke() }

// passing reports what another try may heal.
func (r *refusal) passing() bool {
	if r.final {
		return false
	}
	switch r.status {
	case 0, http.StatusRequestTimeout, http.StatusTooEarly:
		return true
	}
	return r.status >= 500
}

// broke reports that the account has no money left.
func (r *refusal) broke() bool {
	said := strings.ToLower(r.kind)
	return r.status == http.StatusPaymentRequired || strings.Contains(said, "insufficient_quota") ||
		strings.Contains(said, "insufficient_balance") || strings.Contains(said, "insufficient_credit")
}

// format reports that the endpoint does not take the response format.
func (r *refusal) format() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		for _, word := range []string{"response_format", "response format", "json_schema", "json_object", "structured output"} {
			if strings.Contains(strings.ToLower(r.message), word) {
				return true
			}
		}
	}
	return false
}

// setting names the field of the request that the endpoint does not take from the model, "" for none.
func (r *refusal) setting() string {
	switch r.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		said := strings.ToLower(r.message)
		if !slices.ContainsFunc([]string{"support", "unrecognized", "unknown", "not allowed", "unexpected", "extra"}, func(word string) bool { return strings.Contains(said, word) }) {
			return "" // the value does not suit, not the field
		}
		for _, name := range []string{maxTokens, "temperature", "seed", maxCompletionTokens} {
			if strings.Contains(r.message, name) {
				return name
			}
		}
	}
	return ""
}

// remedies are what to write in a model's params in place of a field.
var remedies = map[string]string{
	maxTokens: "{max_completion_tokens: 4000}", "temperature": "{temperature: none}", "seed": "{seed: none}", maxCompletionTokens: "{max_completion_tokens: none}",
}

// stops gives the reason to end the whole fill, or nil: no other call would fare better.
func (r *refusal) stops(c Config, model, key string) error {
	denied := r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
	switch {
	case denied && c.APIKeyEnv == "":
		return fmt.Errorf("%w; the endpoint wants a key: name the variable that holds it in api_key_env, and get one at %s", r, c.KeySite())
	case denied && key == "":
		return fmt.Errorf("%w; %s is not set: get a key at %s", r, c.APIKeyEnv, c.KeySite())
	case denied:
		return fmt.Errorf("%w; the endpoint refuses the key in %s: check or renew it at %s", r, c.APIKeyEnv, c.KeySite())
	case r.broke():
		return fmt.Errorf("%w; the account of the key in %s has no credit left: top it up at %s", r, c.APIKeyEnv, c.KeySite())
	case r.status == http.StatusNotFound:
		return fmt.Errorf("%w; check the model's name %q and base_url", r, model)
	case r.setting() != "":
		return fmt.Errorf("%w; %s does not take %s so: set params: %s of that model in signals.llm.models", r, model, r.setting(), remedies[r.setting()])
	case r.foreign || r.status/100 == 3:
		return fmt.Errorf("%w; check base_url: want an OpenAI-compatible endpoint, without /chat/completions", r)
	}
	return nil
}
