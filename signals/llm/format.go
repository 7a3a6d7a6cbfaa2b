package llm

import "encoding/json"

// ResponseFormat is what the endpoint is told about the form of the answer.
type ResponseFormat string

const (
	JSONSchema ResponseFormat = "json_schema"
	JSONObject ResponseFormat = "json_object"
	FreeText   ResponseFormat = "text"
)

// answerSchema is the form of an Answer, as the endpoint is told it. It stands in every request and
// so in every key: a change of it makes all cached answers miss.
const answerSchema = `{"type":"object","properties":{` +
	`"action":{"type":"string","enum":["long","short","neutral"]},` +
	`"confidence":{"type":"number","minimum":0,"maximum":1},` +
	`"position_size":{"type":"number","minimum":-1,"maximum":1},` +
	`"reasoning":{"type":"string"}},` +
	`"required":["action","confidence","position_size","reasoning"],"additionalProperties":false}`

// wire is the request's response_format, nil for none.
func (f ResponseFormat) wire() any {
	type schema struct {
		Name   string          `json:"name"`
		Strict bool            `json:"strict"`
		Schema json.RawMessage `json:"schema"`
	}
	type format struct {
		Type       ResponseFormat `json:"type"`
		JSONSchema *schema        `json:"json_schema,omitempty"`
	}
	switch f {
	case JSONSchema:
		return format{f, &schema{"opinion", true, json.RawMessage(answerSchema)}}
	case JSONObject:
		return format{f, nil}
	}
	return nil
}

// weaker is the next format to try at an endpoint that does not take f; false after the last.
func (f ResponseFormat) weaker() (ResponseFormat, bool) {
	switch f {
	case JSONSchema:
		return JSONObject, true
	case JSONObject:
		return FreeText, true
	}
	return f, false
}
