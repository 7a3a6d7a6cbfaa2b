package expr

import (
	"fmt"

	"github.com/qf-dev/qf/factors"
)

type nodeKind uint8

const (
	numberNode nodeKind = iota
	windowNode
	nameNode
	textNode
	callNode // text is what is called: a name or the sign of an operator
	pickNode // args[0] of the instrument text
)

// node is a part of a formula.
type node struct {
	kind   nodeKind
	at     int // offset in the text
	text   string
	number float64
	window factors.Window
	args   []*node
	names  []string // of args; empty for positional ones, nil where all are
}

// Bounds of a text.
const (
	maxText  = 16 << 10
	maxDepth = 200
)

// precedence of the binary operators; those of unary ones lie between them.
var precedence = map[string]int{
	"or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "^": 8,
}

const (
	notPrecedence   = 3
	minusPrecedence = 7
)

// parser is a Pratt parser (1973) over the tokens of a text.
type parser struct {
	text   string
	tokens []token
	at     int
	depth  int
	err    *Error
}

// parse reads a formula.
func parse(text string) (*node, *Error) {
	if len(text) > maxText {
		return nil, &Error{Text: text, Msg: fmt.Sprintf("%d bytes, want at most %d", len(text), maxText)}
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	if p.peek().kind == endToken {
		p.fail(p.peek(), "empty: want a formula such as -delta(close, 1h)")
	}
	n := p.binary(0)
	if t := p.peek(); p.err == nil && t.kind == signToken && t.text == "=" {
		p.fail(t, "= gives an argument its value: want == to compare")
	} else if p.err == nil && t.kind != endToken {
		p.fail(t, "%v after the end of the formula: is an operator or a bracket missing?", t)
	}
	if p.err != nil {
		return nil, p.err
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// is reports whether the next token is that sign, and then takes it.
func (p *parser) is(sign string) bool {
	if t := p.peek(); t.kind != signToken || t.text != sign {
		return false
	}
	p.at++
	return true
}

// fail keeps the first problem.
func (p *parser) fail(t token, format string, a ...any) {
	if p.err == nil {
		p.err = &Error{Text: p.text, Offset: t.at, Msg: fmt.Sprintf(format, a...)}
	}
}

// want takes a sign that must be there.
func (p *parser) want(sign string, open token) {
	if !p.is(sign) {
		p.fail(p.peek(), "%v, want %q to close the %q", p.peek(), sign, open.text)
	}
}

// binary reads operands joined by operators that bind more tightly than least.
func (p *parser) binary(least int) *node {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.peek(), "nested more than %d levels deep", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.err != nil {
		return &node{}
	}
	left := p.unary()
	for p.err == nil {
		t := p.peek()
		level, ok := precedence[t.text]
		if !ok || t.kind != signToken && t.kind != nameToken || level <= least {
			break
		}
		p.at++
		from := level
		if t.text == "^" { // from the right
			from--
		}
		left = &node{kind: callNode, at: t.at, text: t.text, args: []*node{left, p.binary(from)}}
	}
	return left
}

func (p *parser) unary() *node {
	t := p.peek()
	switch {
	case t.kind == signToken && t.text == "-":
		p.at++
		return &node{kind: callNode, at: t.at, text: "-", args: []*node{p.binary(minusPrecedence - 1)}}
	case t.kind == signToken && t.text == "+":
		p.at++
		return p.binary(minusPrecedence - 1)
	case t.kind == nameToken && t.text == "not":
		p.at++
		return &node{kind: callNode, at: t.at, text: "not", args: []*node{p.binary(notPrecedence - 1)}}
	}
	n := p.operand()
	for p.err == nil && p.peek().text == "[" {
		open := p.take()
		t := p.take()
		if t.kind != textToken {
			if t.kind == numberToken || t.text == "-" {
				p.fail(t, `%v, want an instrument in quotes, as in close["binance-futures:BTCUSDT"]; an earlier bar is delay(close, 1)`, t)
			}
			p.fail(t, `%v, want an instrument in quotes, as in close["binance-futures:BTCUSDT"]`, t)
			return n
		}
		p.want("]", open)
		n = &node{kind: pickNode, at: t.at, text: t.text[1 : len(t.text)-1], args: []*node{n}}
	}
	return n
}

func (p *parser) operand() *node {
	t := p.take()
	switch {
	case t.kind == numberToken:
		if next := p.peek(); next.kind == nameToken && next.text == "trades" {
			p.at++
			w, err := factors.ParseWindow(t.text + " trades")
			if err != nil {
				p.fail(t, "%v", err)
			}
			return &node{kind: windowNode, at: t.at, text: t.text + " trades", window: w}
		} else if w, err := factors.ParseWindow(t.text + next.text); next.kind == nameToken && err == nil && w.Time > 0 {
			p.fail(t, "%s %s: want %s%s, without the space", t.text, next.text, t.text, next.text)
		}
		return &node{kind: numberNode, at: t.at, text: t.text, number: t.number}
	case t.kind == windowToken:
		return &node{kind: windowNode, at: t.at, text: t.text, window: t.window}
	case t.kind == textToken:
		return &node{kind: textNode, at: t.at, text: t.text[1 : len(t.text)-1]}
	case t.kind == nameToken && t.text != "and" && t.text != "or":
		if open := p.peek(); p.is("(") {
			return p.call(t, open)
		}
		return &node{kind: nameNode, at: t.at, text: t.text}
	case t.kind == signToken && t.text == "(":
		n := p.binary(0)
		p.want(")", t)
		return n
	}
	p.fail(t, "%v, want a number, a name or a bracket", t)
	return &node{}
}

// call reads the arguments of a call whose bracket is open.
func (p *parser) call(name, open token) *node {
	n := &node{kind: callNode, at: name.at, text: name.text}
	for p.err == nil && !p.is(")") {
		if len(n.args) > 0 && !p.is(",") {
			p.fail(p.peek(), "%v, want %q or %q", p.peek(), ",", ")")
			break
		}
		argument := ""
		if t := p.peek(); t.kind == nameToken && p.tokens[p.at+1].text == "=" {
			argument = t.text
			p.at += 2
		} else if len(n.names) > 0 && n.names[len(n.names)-1] != "" {
			p.fail(t, "a positional argument after a named one")
		}
		n.names = append(n.names, argument)
		n.args = append(n.args, p.binary(0))
	}
	return n
}
