package datasets

import (
	"fmt"
	"regexp"
	"strings"
)

// lookalike is what keys of the services of this field look like.
var lookalike = regexp.MustCompile(`\b(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}|\bTD\.[A-Za-z0-9._-]{12,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}` +
	`|\bAKIA[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{12,}`)

// Mask takes what looks like a key out of a text from outside that is shown or kept. The length of the text
// stays, so that what points into it still does.
func Mask(text string) string {
	return lookalike.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("*", len(s)) })
}

// Secret takes one key out of texts. The zero Secret takes out look-alikes only, as Mask does.
type Secret struct{ forms *regexp.Regexp }

// leastSecret is the length from which on a key is looked for in forms other than its own.
const leastSecret = 8

// NewSecret prepares to take out a key: as it is, with characters escaped as JSON, URLs and HTML escape
// them, and with white space or line ends, plain or escaped, between its characters.
func NewSecret(key string) Secret {
	if key == "" {
		return Secret{}
	}
	if len(key) < leastSecret {
		return Secret{regexp.MustCompile(regexp.QuoteMeta(key))}
	}
	var b strings.Builder
	for i, c := range key {
		if i > 0 {
			b.WriteString(`(?:\s|\\+[nrt]|\x{200b}|\x{ad})*`)
		}
		fmt.Fprintf(&b, `(?:\\*%s|(?i:\\+u%04x|%%%02x|&#0*%d;|&#x0*%x;))`, regexp.QuoteMeta(string(c)), c, c, c, c)
	}
	return Secret{regexp.MustCompile(b.String())}
}

// Hide gives the text without the key and without what looks like one.
func (s Secret) Hide(text string) string {
	if s.forms != nil {
		text = s.forms.ReplaceAllString(text, "[key]")
	}
	return Mask(text)
}
