package llm

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// TestRefusals reads what endpoints answer in place of a completion.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   string // Error; "" for an answer without choice
		traits string // of busy, passing, broke, format, stops, billable
	}{
		{429, `{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`, "429 Too Many Requests: slow down", "busy"},
		{429, `{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}`, "429 Too Many Requests: pay", "broke stops"},
		{402, `{"error":{"message":"Insufficient Balance"}}`, "402 Payment Required: Insufficient Balance", "broke stops"},
		{500, ``, "500 Internal Server Error", "passing"},
		{503, "<html>\n<b>busy</b>\x00</html>", "503 Service Unavailable: <html> <b>busy</b> </html>", "passing"},
		{408, `{}`, "408 Request Timeout: {}", "passing"},
		{400, `{"error":{"message":"'response_format' of type 'json_schema' is not supported"}}`, "400 Bad Request: 'response_format' of type 'json_schema' is not supported", "format"},
		{422, `{"detail":"response_format: extra inputs are not permitted"}`, `422 Unprocessable Entity: {"detail":"response_format: extra inputs are not permitted"}`, "format"},
		{404, `{"error":{"message":"No endpoints found that support structured outputs","code":404}}`, "404 Not Found: No endpoints found that support structured outputs", "format stops"},
		{404, `{"error":"model \"x\" not found"}`, `404 Not Found: {"error":"model \"x\" not found"}`, "stops"},
		{400, `{"error":{"message":["a","b"]}}`, `400 Bad Request: {"error":{"message":["a","b"]}}`, ""},
		{200, `{"error":{"message":"Provider returned error","code":429}}`, "429 Too Many Requests: Provider returned error", "busy"},
		{200, `{"error":{"message":"Provider returned error","code":"timeout"}}`, "502 Bad Gateway: Provider returned error", "passing"},
		{200, `{"error":null,"choices":[]}`, "", ""},
		{200, `{"choices":[{"mess`, `the answer cannot be read: {"choices":[{"mess`, "passing billable"},
		{200, `{}`, `the answer cannot be read: {}`, "passing billable"},
		{200, `hello`, "not a chat completion: hello", "stops"},
		{200, ``, "not a chat completion: ", "stops"},
		{401, strings.Repeat("é"+testKey, 99), "401 Unauthorized: " + strings.Repeat("é[key]", 33) + "é[…", "stops"},
	} {
		c := &client{key: testKey, secret: datasets.NewSecret(testKey)}
		var decode error
		if !strings.HasSuffix(tc.body, "}") {
			decode = errors.New("unexpected EOF")
		}
		r := c.refuse(&wire{status: tc.status, received: []byte(tc.body), header: http.Header{}}, decode)
		if r == nil || tc.want == "" {
			if r != nil || tc.want != "" {
				t.Errorf("%d %s: %v", tc.status, tc.body, r)
			}
			continue
		}
		if r.Error() != tc.want {
			t.Errorf("%d %s: %q, want %q", tc.status, tc.body, r, tc.want)
		}
		var traits []string
		for _, trait := range []struct {
			name string
			has  bool
		}{{"busy", r.busy()}, {"passing", r.passing()}, {"broke", r.broke()}, {"format", r.format()}, {"stops", r.stops(study(), "m", testKey) != nil}, {"billable", r.billable}} {
			if trait.has {
				traits = append(traits, trait.name)
			}
		}
		if got := strings.Join(traits, " "); got != tc.traits {
			t.Errorf("%d %s: %s, want %s", tc.status, tc.body, got, tc.traits)
		}
	}
}
