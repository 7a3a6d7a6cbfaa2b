package llm

// KeySite is where a person gets a key of the endpoint.
func (c Config) KeySite() string { return renewAt(c.BaseURL) }
