package yamlconf

import (
	"encoding"
	"math"
	"reflect"
	"strings"
)

// SchemaProvider is implemented by types that decode themselves, to say what they accept.
type SchemaProvider interface{ JSONSchema() map[string]any }

// Schema is the JSON Schema (draft 2020-12) of what Decode accepts for v: keys, types, names and
// ranges from the same tags, and v's values as defaults.
func Schema(v any) map[string]any {
	s := Object(v)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return s
}

// Object is the schema of one value without the document's heading, for a SchemaProvider's parts.
func Object(v any) map[string]any { return schema(reflect.ValueOf(v), "") }

func schema(v reflect.Value, tag reflect.StructTag) map[string]any {
	s := shape(v, tag)
	if doc := tag.Get("doc"); doc != "" {
		s["description"] = doc
	}
	return s
}

func shape(v reflect.Value, tag reflect.StructTag) map[string]any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		return shape(v.Elem(), tag)
	}
	switch x := v.Interface().(type) {
	case SchemaProvider:
		return x.JSONSchema()
	case encoding.TextMarshaler:
		return map[string]any{"type": []string{"string", "integer"}}
	}
	switch v.Kind() {
	case reflect.Struct:
		properties := map[string]any{}
		fields, names := fieldsOf(v.Type())
		for _, name := range names {
			f := fields[name]
			properties[name] = schema(v.FieldByIndex(f.Index), f.Tag)
		}
		return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	case reflect.Slice:
		item := reflect.New(v.Type().Elem()).Elem()
		return map[string]any{"type": "array", "items": shape(item, tag)}
	case reflect.String:
		s := map[string]any{"type": "string"}
		if e := tag.Get("enum"); e != "" {
			s["enum"] = strings.Split(e, "|")
		}
		return withDefault(s, v)
	case reflect.Bool:
		return withDefault(map[string]any{"type": "boolean"}, v)
	case reflect.Uint64:
		return withDefault(map[string]any{"type": "integer", "minimum": 0}, v)
	case reflect.Int:
		return withDefault(withRange(map[string]any{"type": "integer"}, tag), v)
	case reflect.Float64:
		return withDefault(withRange(map[string]any{"type": "number"}, tag), v)
	}
	panic("yamlconf: no rule for " + v.Type().String())
}

func withDefault(s map[string]any, v reflect.Value) map[string]any {
	if !v.IsZero() {
		s["default"] = v.Interface()
	}
	return s
}

func withRange(s map[string]any, tag reflect.StructTag) map[string]any {
	b := rangeOf(tag)
	if !math.IsInf(b.lo, 0) {
		s[map[bool]string{false: "minimum", true: "exclusiveMinimum"}[b.openLo]] = b.lo
	}
	if !math.IsInf(b.hi, 0) {
		s[map[bool]string{false: "maximum", true: "exclusiveMaximum"}[b.openHi]] = b.hi
	}
	return s
}
