package yamlconf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Kind is the shape of a node.
type Kind uint8

const (
	Null Kind = iota
	Scalar
	List
	Map
)

func (k Kind) String() string { return [...]string{"nothing", "a value", "a list", "a mapping"}[k] }

// Node is one value of a document with its place in the source.
type Node struct {
	Kind      Kind
	Text      string // of a Scalar, unquoted
	Quoted    bool   // a Scalar that was written in quotes, and so is a string
	Items     []*Node
	Keys      []Key // of a Map: the names of Items
	Line, Col int
	origin    string   // set by overrides: how the value was given
	size      int      // of a parsed one: nodes, itself included
	source    []string // of a Scalar: the lines of the document
}

// Key is one name in a Map, with its place.
type Key struct {
	Name      string
	Line, Col int
}

// Get is the value under a key of a Map, or nil.
func (n *Node) Get(name string) *Node {
	for i, k := range n.Keys {
		if k.Name == name {
			return n.Items[i]
		}
	}
	return nil
}

// Parse reads one YAML (or JSON) document. Errors name file, line and column.
func Parse(file string, src []byte) (*Node, error) {
	src, err := check(file, src)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(file, err)
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			t := doc.Body.GetToken().Position
			return nil, &Error{File: file, Line: t.Line, Col: t.Column, Msg: "a second document, want one"}
		default:
			body = doc.Body
		}
	}
	c := converter{file: file, lines: strings.Split(string(src), "\n"), anchors: map[string]*Node{}}
	n := c.node(body, 0)
	if len(c.errs) > 0 {
		return nil, join(c.errs)
	}
	return n, nil
}

// syntaxError takes the position and the first line of what the parser says.
func syntaxError(file string, err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	e := &Error{File: file, Msg: text}
	if n, _ := fmt.Sscanf(text, "[%d:%d]", &e.Line, &e.Col); n == 2 {
		_, e.Msg, _ = strings.Cut(text, "] ")
	}
	return e
}

// converter turns the parser's tree into ours and collects what cannot be taken over.
type converter struct {
	file    string
	lines   []string
	anchors map[string]*Node
	errs    []*Error
}

func (c *converter) fail(n ast.Node, format string, a ...any) *Node {
	p := n.GetToken().Position
	c.errs = append(c.errs, &Error{File: c.file, Line: p.Line, Col: p.Column, Msg: fmt.Sprintf(format, a...)})
	return &Node{}
}

// node converts n. A document whose aliases stand for more than maxNodes values is refused where it
// passes that.
func (c *converter) node(n ast.Node, depth int) *Node {
	out := c.shape(n, depth)
	if out.size == 0 { // not an alias
		out.size = 1
		for _, item := range out.Items {
			out.size += item.size
		}
	}
	if out.size > maxNodes {
		if len(c.errs) == 0 {
			c.fail(n, "stands for more than %d values: this is not a configuration", maxNodes)
		}
		return &Node{size: 1}
	}
	return out
}

func (c *converter) shape(n ast.Node, depth int) *Node {
	if n == nil {
		return &Node{Line: 1, Col: 1}
	}
	if depth > maxDepth {
		return c.fail(n, "nested more than %d levels deep", maxDepth)
	}
	p := n.GetToken().Position
	out := &Node{Line: p.Line, Col: p.Column, source: c.lines}
	switch v := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		out.Kind = Map
		for _, kv := range v.Values {
			if _, merge := kv.Key.(*ast.MergeKeyNode); !merge {
				c.entry(out, kv, depth)
			}
		}
		for _, kv := range v.Values {
			if _, merge := kv.Key.(*ast.MergeKeyNode); merge {
				c.merge(out, kv, depth)
			}
		}
		if len(out.Keys) > 0 {
			out.Line, out.Col = out.Keys[0].Line, out.Keys[0].Col
		}
	case *ast.MappingValueNode:
		out.Kind = Map
		c.entry(out, v, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for _, item := range v.Values {
			out.Items = append(out.Items, c.node(item, depth+1))
		}
	case *ast.AnchorNode:
		out = c.node(v.Value, depth+1)
		c.anchors[v.Name.GetToken().Value] = out
	case *ast.AliasNode:
		name := v.Value.GetToken().Value
		target, ok := c.anchors[name]
		if !ok {
			return c.fail(n, "alias *%s has no anchor before it", name)
		}
		return target
	case *ast.LiteralNode:
		out.Kind, out.Text, out.Quoted = Scalar, v.Value.Value, true
	case *ast.StringNode:
		q := v.GetToken().Value
		out.Kind, out.Text = Scalar, q
		origin := strings.TrimSpace(v.GetToken().Origin)
		out.Quoted = strings.HasPrefix(origin, `"`) || strings.HasPrefix(origin, `'`)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.Kind, out.Text = Scalar, n.GetToken().Value
	default:
		return c.fail(n, "YAML %s is not supported here", strings.ToLower(n.Type().String()))
	}
	return out
}

func (c *converter) entry(out *Node, kv *ast.MappingValueNode, depth int) {
	t := kv.Key.GetToken()
	if out.Get(t.Value) != nil {
		c.fail(kv.Key, "key %q stands here twice", t.Value)
		return
	}
	out.Keys = append(out.Keys, Key{t.Value, t.Position.Line, t.Position.Column})
	out.Items = append(out.Items, c.node(kv.Value, depth+1))
}

// merge takes over the entries of another mapping that out does not have itself.
func (c *converter) merge(out *Node, kv *ast.MappingValueNode, depth int) {
	from := c.node(kv.Value, depth+1)
	if from.Kind != Map {
		c.fail(kv.Value, "<< wants a mapping")
		return
	}
	for i, k := range from.Keys {
		if out.Get(k.Name) == nil {
			out.Keys, out.Items = append(out.Keys, k), append(out.Items, from.Items[i])
		}
	}
}

// Set overrides the value at a path such as execution.taker_bps or factors[0].window, as the
// command line's --set path=value does; value is YAML. Mappings on the way are made where they are
// missing; a list item must exist. It is counted from 0, or named as its factor or name says: factors[mom].window.
func (n *Node) Set(assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return fmt.Errorf("--set %s: want path=value, as in execution.taker_bps=4", assignment)
	}
	origin := "--set " + path
	v, err := Parse(origin, []byte(value))
	if err != nil {
		return err
	}
	v.mark(origin)
	at := n
	steps := strings.Split(path, ".")
	for i, step := range steps {
		name, item, err := splitStep(step)
		if err != nil {
			return fmt.Errorf("%s: %w", origin, err)
		}
		last := i == len(steps)-1 && item == ""
		if at.Kind == Null {
			at.Kind = Map
		}
		if at.Kind != Map {
			return fmt.Errorf("%s: %s is %v, want a mapping", origin, strings.Join(steps[:i], "."), at.Kind)
		}
		child := at.Get(name)
		if child == nil {
			child = &Node{origin: origin}
			at.Keys, at.Items = append(at.Keys, Key{Name: name}), append(at.Items, child)
		}
		if last {
			*child = *v
			return nil
		}
		at = child
		if item != "" {
			if at = at.item(item); at == nil {
				return fmt.Errorf("%s: %s has no item %s", origin, name, item)
			}
			if i == len(steps)-1 {
				*at = *v
				return nil
			}
		}
	}
	return nil
}

func (n *Node) mark(origin string) {
	n.origin = origin
	for _, item := range n.Items {
		item.mark(origin)
	}
}

// item finds an item of a List: by its number, else by what stands under name or factor in it; nil where there is none.
func (n *Node) item(which string) *Node {
	if n.Kind != List {
		return nil
	}
	if index, err := strconv.Atoi(which); err == nil {
		if index < 0 || index >= len(n.Items) {
			return nil
		}
		return n.Items[index]
	}
	for _, item := range n.Items {
		for _, key := range []string{"name", "factor"} {
			if item.Kind == Map && item.Get(key) != nil && item.Get(key).Text == which {
				return item
			}
		}
	}
	return nil
}

// splitStep reads "name", "name[3]" or "name[of]"; item is empty without brackets.
func splitStep(s string) (name, item string, err error) {
	name, rest, ok := strings.Cut(s, "[")
	if !ok {
		return s, "", nil
	}
	item, ok = strings.CutSuffix(rest, "]")
	if !ok || item == "" {
		return "", "", errors.New("want a list item as name[0] or name[of]")
	}
	return name, item, nil
}

// Without is a copy of a mapping that lacks one key.
func (n *Node) Without(name string) *Node {
	out := &Node{Kind: Map}
	for i, k := range n.Keys {
		if k.Name != name {
			out.Add(k.Name, n.Items[i])
		}
	}
	return out
}
