package yamlconf

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// NodeDecoder is implemented by types that are written in a form of their own. DecodeNode reports
// problems through the cursor and leaves the value as it is where there are any.
type NodeDecoder interface{ DecodeNode(c *Cursor) }

// Cursor is a node on its way into a value: where it stands, and where problems go.
type Cursor struct {
	*Node
	path string
	d    *decoder
}

// Positions finds the place of a decoded path again, for checks that need more than one value.
type Positions struct {
	file  string
	nodes map[string]*Node
	errs  []*Error
	read  int // how many of errs Decode found
}

type decoder struct{ *Positions }

// Decode reads the document into dst, a pointer to a struct that holds the defaults. What the
// document does not mention stays as it is. The error joins every *Error. The positions may be used
// for further checks even when there were errors.
func Decode(file string, doc *Node, dst any) (*Positions, error) {
	p := &Positions{file: file, nodes: map[string]*Node{}}
	c := &Cursor{doc, "", &decoder{p}}
	if doc.Kind == Null {
		c.Errorf("the file is empty")
	} else {
		c.Decode(dst)
	}
	p.read = len(p.errs)
	return p, p.Err()
}

// Errorf records a problem at a path, at the nearest place of the document that is known. Where
// reading failed there already, that problem is enough.
func (p *Positions) Errorf(path, format string, a ...any) {
	if !p.Failed(path) {
		p.add(path, format, a...)
	}
}

// Failed reports whether Decode found a problem at the path, below it or above it.
func (p *Positions) Failed(path string) bool {
	return slices.ContainsFunc(p.errs[:p.read], func(e *Error) bool { return within(e.Path, path) || within(path, e.Path) })
}

// within reports whether a path is another or a part of it; all of them are parts of the document.
func within(path, whole string) bool {
	if whole == "" {
		return true
	}
	rest, ok := strings.CutPrefix(path, whole)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (p *Positions) add(path, format string, a ...any) {
	p.errs = append(p.errs, p.At(path, fmt.Sprintf(format, a...)))
}

// At is a problem at a path, or at the nearest place of the document that is known. It is not recorded.
func (p *Positions) At(path, msg string) *Error {
	e := &Error{File: p.file, Path: path, Msg: msg}
	for at := path; ; {
		if n, ok := p.nodes[at]; ok {
			e.Line, e.Col, e.near = n.Line, n.Col, at != path
			if n.origin != "" {
				e.File, e.Line, e.Col = n.origin, 0, 0
			}
			break
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	return e
}

// Err joins all problems so far, in the order of their places; nil when there are none.
func (p *Positions) Err() error { return join(p.errs) }

// Has reports whether the document itself gives a value at the path.
func (p *Positions) Has(path string) bool { return p.nodes[path] != nil }

// Errorf records a problem at the cursor.
func (c *Cursor) Errorf(format string, a ...any) {
	c.d.nodes[c.path] = c.Node
	c.d.add(c.path, format, a...)
}

// Path is the cursor's path: factors[2].window.
func (c *Cursor) Path() string { return c.path }

// Field is the cursor of the i-th entry of a Map.
func (c *Cursor) Field(i int) *Cursor {
	path := c.Keys[i].Name
	if c.path != "" {
		path = c.path + "." + path
	}
	return c.child(c.Items[i], path)
}

// Item is the cursor of the i-th item of a List.
func (c *Cursor) Item(i int) *Cursor { return c.child(c.Items[i], fmt.Sprintf("%s[%d]", c.path, i)) }

func (c *Cursor) child(n *Node, path string) *Cursor {
	c.d.nodes[path] = n
	return &Cursor{n, path, c.d}
}

// Want reports whether the node has the kind; otherwise it records the error.
func (c *Cursor) Want(k Kind) bool {
	if c.Kind != k {
		c.Errorf("%v, want %v", c.Kind, k)
	}
	return c.Kind == k
}

// Unknown records an unknown key of a Map with the nearest valid one.
func (c *Cursor) Unknown(i int, valid []string) {
	k := c.Keys[i]
	f := c.Field(i)
	f.Node = &Node{Line: k.Line, Col: k.Col, origin: f.origin}
	f.Errorf("%s", unknown("key", k.Name, valid))
}

// Decode reads the node into dst, a pointer, by dst's type and tags.
func (c *Cursor) Decode(dst any) { c.value(reflect.ValueOf(dst).Elem(), "") }

func (c *Cursor) value(v reflect.Value, tag reflect.StructTag) {
	if nd, ok := v.Addr().Interface().(NodeDecoder); ok {
		nd.DecodeNode(c)
		return
	}
	if tu, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if c.Kind == Null {
			return // a key without a value
		}
		if c.Want(Scalar) {
			if err := tu.UnmarshalText([]byte(c.Text)); err != nil {
				c.Errorf("%v", err)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if c.Kind == Null {
			v.SetZero()
			return
		}
		fresh := reflect.New(v.Type().Elem())
		c.value(fresh.Elem(), tag)
		v.Set(fresh)
	case reflect.Struct:
		c.structure(v)
	case reflect.Slice:
		if !c.Want(List) {
			return
		}
		out := reflect.MakeSlice(v.Type(), len(c.Items), len(c.Items))
		for i := range c.Items {
			c.Item(i).value(out.Index(i), tag)
		}
		v.Set(out)
	default:
		if c.Want(Scalar) {
			c.scalar(v, tag)
		}
	}
}

func (c *Cursor) structure(v reflect.Value) {
	if c.Kind == Null { // a heading without entries
		return
	}
	if !c.Want(Map) {
		return
	}
	fields, names := fieldsOf(v.Type())
	for i, k := range c.Keys {
		f, ok := fields[k.Name]
		if !ok {
			c.Unknown(i, names)
			continue
		}
		c.Field(i).value(v.FieldByIndex(f.Index), f.Tag)
	}
}

// fieldsOf maps the yaml names of a struct to its fields, and lists them in the order they stand.
func fieldsOf(t reflect.Type) (map[string]reflect.StructField, []string) {
	fields, names := map[string]reflect.StructField{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("yaml"); name != "" {
			fields[name] = f
			names = append(names, name)
		}
	}
	return fields, names
}

func (c *Cursor) scalar(v reflect.Value, tag reflect.StructTag) {
	switch v.Kind() {
	case reflect.String:
		if e := tag.Get("enum"); e != "" {
			valid := strings.Split(e, "|")
			for _, name := range valid {
				if c.Text == name {
					v.SetString(c.Text)
					return
				}
			}
			c.Errorf("%s", unknown("value", c.Text, valid))
			return
		}
		v.SetString(c.Text)
	case reflect.Bool:
		switch {
		case c.Quoted:
			c.Errorf("%q in quotes is a text, want true or false without them", c.Text)
		case slices.Contains([]string{"true", "True", "TRUE", "on"}, c.Text): // YAML 1.2's, and our on
			v.SetBool(true)
		case slices.Contains([]string{"false", "False", "FALSE", "off"}, c.Text):
			v.SetBool(false)
		default:
			c.Errorf("%q, want true or false", c.Text)
		}
	case reflect.Int:
		n, err := strconv.ParseInt(strings.ReplaceAll(c.Text, "_", ""), 10, 64)
		if err != nil || c.Quoted {
			c.Errorf("%q, want a whole number", c.Text)
			return
		}
		if c.inRange(float64(n), tag) {
			v.SetInt(n)
		}
	case reflect.Uint64:
		n, err := strconv.ParseUint(strings.ReplaceAll(c.Text, "_", ""), 10, 64)
		if err != nil || c.Quoted {
			c.Errorf("%q, want a whole number of at least 0", c.Text)
			return
		}
		v.SetUint(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(strings.ReplaceAll(c.Text, "_", ""), 64)
		if err != nil || c.Quoted || math.IsInf(x, 0) || math.IsNaN(x) {
			c.Errorf("%q, want a number", c.Text)
			return
		}
		if c.inRange(x, tag) {
			v.SetFloat(x)
		}
	default:
		panic("yamlconf: no rule for " + v.Type().String())
	}
}

// maxNumber bounds every number that has no range of its own: a product of a few of them is still finite.
const maxNumber = "[-1e15,1e15]"

// rangeOf is the range of a number's tag.
func rangeOf(tag reflect.StructTag) bounds {
	if r := tag.Get("range"); r != "" {
		return parseBounds(r)
	}
	return parseBounds(maxNumber)
}

// inRange checks a number against a range tag: "[1,1000]", "(0,)" and the like.
func (c *Cursor) inRange(x float64, tag reflect.StructTag) bool {
	b := rangeOf(tag)
	if x < b.lo || x > b.hi || b.openLo && x == b.lo || b.openHi && x == b.hi {
		c.Errorf("%s, want %s", c.Text, b)
		return false
	}
	return true
}

type bounds struct {
	lo, hi         float64
	openLo, openHi bool
}

func parseBounds(s string) bounds {
	lo, hi, ok := strings.Cut(s[1:len(s)-1], ",")
	b := bounds{math.Inf(-1), math.Inf(1), s[0] == '(', s[len(s)-1] == ')'}
	for _, side := range []struct {
		text string
		to   *float64
	}{{lo, &b.lo}, {hi, &b.hi}} {
		if side.text == "" {
			continue
		}
		x, err := strconv.ParseFloat(side.text, 64)
		if err != nil || !ok {
			panic("yamlconf: bad range tag " + s)
		}
		*side.to = x
	}
	return b
}

// String words the bounds: "at least 1", "more than 0 and at most 1".
func (b bounds) String() string {
	var parts []string
	if b.lo == b.hi {
		return strconv.FormatFloat(b.lo, 'g', -1, 64)
	}
	num := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	if !math.IsInf(b.lo, 0) {
		word := "at least "
		if b.openLo {
			word = "more than "
		}
		parts = append(parts, word+num(b.lo))
	}
	if !math.IsInf(b.hi, 0) {
		word := "at most "
		if b.openHi {
			word = "less than "
		}
		parts = append(parts, word+num(b.hi))
	}
	return strings.Join(parts, " and ")
}
