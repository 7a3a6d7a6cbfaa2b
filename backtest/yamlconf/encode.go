package yamlconf

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
)

// NodeEncoder is implemented by types whose written form NodeDecoder reads.
type NodeEncoder interface{ EncodeNode() *Node }

// Encode is the inverse of Decode: every tagged field, in the order of the struct, nil pointers as
// Null.
func Encode(v any) *Node { return encode(reflect.ValueOf(v)) }

// ScalarOf is the node of one value: text as it is, in quotes where it must stay a string.
func ScalarOf(text string, quoted bool) *Node { return &Node{Kind: Scalar, Text: text, Quoted: quoted} }

// Add appends an entry to a Map and returns the map.
func (n *Node) Add(name string, item *Node) *Node {
	n.Kind = Map
	n.Keys, n.Items = append(n.Keys, Key{Name: name}), append(n.Items, item)
	return n
}

func encode(v reflect.Value) *Node {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return &Node{}
		}
		return encode(v.Elem())
	}
	switch x := v.Interface().(type) {
	case NodeEncoder:
		return x.EncodeNode()
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			panic("yamlconf: " + err.Error())
		}
		if len(text) == 0 {
			return &Node{} // not given
		}
		return ScalarOf(string(text), true)
	}
	switch v.Kind() {
	case reflect.Struct:
		n := &Node{Kind: Map}
		fields, names := fieldsOf(v.Type())
		for _, name := range names {
			n.Add(name, encode(v.FieldByIndex(fields[name].Index)))
		}
		return n
	case reflect.Slice:
		n := &Node{Kind: List}
		for i := range v.Len() {
			n.Items = append(n.Items, encode(v.Index(i)))
		}
		return n
	case reflect.String:
		return ScalarOf(v.String(), true)
	case reflect.Bool:
		return ScalarOf(strconv.FormatBool(v.Bool()), false)
	case reflect.Int:
		return ScalarOf(strconv.FormatInt(v.Int(), 10), false)
	case reflect.Uint64:
		return ScalarOf(strconv.FormatUint(v.Uint(), 10), false)
	case reflect.Float64:
		return ScalarOf(strconv.FormatFloat(v.Float(), 'g', -1, 64), false)
	}
	panic("yamlconf: no rule for " + v.Type().String())
}

// MarshalJSON writes the tree as JSON with the keys in their order: quoted scalars as strings,
// others as they stand.
func (n *Node) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := n.json(&b)
	return b.Bytes(), err
}

func (n *Node) json(b *bytes.Buffer) error {
	switch n.Kind {
	case Null:
		b.WriteString("null")
	case Scalar:
		if !n.Quoted && json.Valid([]byte(n.Text)) {
			b.WriteString(n.Text)
			return nil
		}
		text, err := json.Marshal(n.Text)
		if err != nil {
			return err
		}
		b.Write(text)
	case List:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := item.json(b); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case Map:
		b.WriteByte('{')
		for i, k := range n.Keys {
			if i > 0 {
				b.WriteByte(',')
			}
			name, err := json.Marshal(k.Name)
			if err != nil {
				return err
			}
			b.Write(name)
			b.WriteByte(':')
			if err := n.Items[i].json(b); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	}
	return nil
}
