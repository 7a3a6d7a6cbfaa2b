// Package yamlconf reads YAML configuration strictly: an unknown key, a wrong type or a value out of
// range is an error with file, line, column, path and the nearest valid name, and all of them are
// reported at once.
//
// A document is parsed into a tree of Nodes (Parse), changed by overrides (Node.Set), and decoded
// into a struct (Decode) whose fields carry the rules as tags, so that reading, checking, writing
// (Encode) and the JSON Schema (Schema) have one definition:
//
//	Delay int    `yaml:"delay" range:"[1,1000]" doc:"bars between decision and fill"`
//	Price string `yaml:"price" enum:"open|close|vwap"`
//
// A type that is written in a form of its own implements encoding.TextUnmarshaler, or NodeDecoder
// where it is not a scalar.
package yamlconf
