package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/yamlconf"
)

// What `qf config init` prints is valid, by `qf config check` and by what `qf config schema` prints.
func TestEveryPresetPassesTheCheckAndTheSchema(t *testing.T) {
	schema := schemaDocument(t)
	for _, name := range study.Presets() {
		text, err := study.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := study.Parse(name, text, nil); err != nil {
			t.Errorf("%v", err)
		}
		for _, problem := range violations("", value(t, name, text), schema) {
			t.Errorf("%s: the schema refuses %s", name, problem)
		}
	}
}

// What the check refuses by type, name or range, the schema refuses too.
func TestSchemaRefusesWhatTheCheckRefuses(t *testing.T) {
	schema := schemaDocument(t)
	for _, src := range []string{
		"execution: {dely: 1}",
		"execution: {delay: 0}",
		"execution: {delay: 1.5}",
		"execution: {price: opne}",
		"execution: {funding: 3}",
		"execution: []",
		"factors: [{kind: momentm}]",
		"factors: [{kind: momentum, windw: 3}]",
		"data: {instruments: [{exchange: binance, symbol: X, multiplier: 0}]}",
		"nosuch: 1",
	} {
		if len(violations("", value(t, src, []byte(src)), schema)) == 0 {
			t.Errorf("the schema takes %s", src)
		}
	}
}

func schemaDocument(t *testing.T) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"config", "schema"}, streams{out: &out, err: &out}); code != exitDone {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	var schema map[string]any
	if err := json.Unmarshal(out.Bytes(), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// value is a YAML text as JSON would be read.
func value(t *testing.T, name string, src []byte) any {
	t.Helper()
	node, err := yamlconf.Parse(name, src)
	if err != nil {
		t.Fatal(err)
	}
	return plain(node)
}

func plain(n *yamlconf.Node) any {
	switch n.Kind {
	case yamlconf.Map:
		m := map[string]any{}
		for i, k := range n.Keys {
			m[k.Name] = plain(n.Items[i])
		}
		return m
	case yamlconf.List:
		list := []any{}
		for _, item := range n.Items {
			list = append(list, plain(item))
		}
		return list
	case yamlconf.Scalar:
		if x, err := strconv.ParseFloat(n.Text, 64); err == nil && !n.Quoted {
			return x
		}
		if !n.Quoted && slices.Contains([]string{"true", "false", "on", "off"}, n.Text) {
			return n.Text == "true" || n.Text == "on"
		}
		return n.Text
	}
	return nil
}

// violations lists what of a value a JSON Schema refuses. It knows the keywords that our schema uses
// and panics at another, so that none goes unchecked.
func violations(path string, v any, schema map[string]any) []string {
	var out []string
	bad := func(format string, a ...any) { out = append(out, path+": "+fmt.Sprintf(format, a...)) }
	number, isNumber := v.(float64)
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	text, isText := v.(string)
	for keyword, want := range schema {
		switch keyword {
		case "$schema", "description", "default", "title", "examples":
		case "type":
			types, several := want.([]any)
			if !several {
				types = []any{want}
			}
			if !slices.ContainsFunc(types, func(name any) bool { return isOf(v, name.(string)) }) {
				bad("%v is not %v", v, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				bad("%v is none of %v", v, want)
			}
		case "const":
			if v != want {
				bad("%v is not %v", v, want)
			}
		case "pattern":
			if isText && !regexp.MustCompile(want.(string)).MatchString(text) {
				bad("%q does not match %v", text, want)
			}
		case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum":
			limit := want.(float64)
			if isNumber && (keyword == "minimum" && number < limit || keyword == "exclusiveMinimum" && number <= limit ||
				keyword == "maximum" && number > limit || keyword == "exclusiveMaximum" && number >= limit) {
				bad("%v breaks %s %v", number, keyword, limit)
			}
		case "minItems":
			if isList && float64(len(list)) < want.(float64) {
				bad("%d items, want %v", len(list), want)
			}
		case "required":
			for _, name := range want.([]any) {
				if _, ok := object[name.(string)]; isObject && !ok {
					bad("%v is missing", name)
				}
			}
		case "properties", "additionalProperties":
			properties, _ := schema["properties"].(map[string]any)
			for name, item := range object {
				sub, known := properties[name].(map[string]any)
				switch others, open := schema["additionalProperties"].(map[string]any); {
				case keyword == "properties" && known:
					out = append(out, violations(path+"."+name, item, sub)...)
				case keyword == "additionalProperties" && !known && open:
					out = append(out, violations(path+"."+name, item, others)...)
				case keyword == "additionalProperties" && !known && want == false:
					bad("unknown key %s", name)
				}
			}
		case "items":
			for i, item := range list {
				out = append(out, violations(fmt.Sprintf("%s[%d]", path, i), item, want.(map[string]any))...)
			}
		case "anyOf", "oneOf":
			var all []string
			for _, option := range want.([]any) {
				found := violations(path, v, option.(map[string]any))
				if len(found) == 0 {
					all = nil
					break
				}
				all = append(all, found...)
			}
			if len(all) > 0 {
				bad("no option fits: %s", strings.Join(all, "; "))
			}
		default:
			panic("violations does not know " + keyword)
		}
	}
	return out
}

func isOf(v any, name string) bool {
	switch x := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && x == math.Trunc(x)
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}
