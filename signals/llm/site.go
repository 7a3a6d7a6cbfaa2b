package llm

import (
	"net/url"
	"strings"
)

// KeySite is where a person gets and renews the keys of the endpoint.
func (c Config) KeySite() string {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" {
		return "the endpoint's site"
	}
	if host := u.Hostname(); host == "holysheep.ai" || strings.HasSuffix(host, ".holysheep.ai") {
		return "https://www.holysheep.ai"
	}
	return u.Scheme + "://" + u.Host
}
