package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/qf-dev/qf/factors"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	numberToken
	windowToken // a length of time
	nameToken
	textToken // in quotes
	signToken
)

type token struct {
	kind   tokenKind
	at     int // offset in the text
	text   string
	number float64
	window factors.Window
}

// String is the token as an error shows it.
func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// signs are tried in this order.
var signs = []string{"<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", "="}

// lex cuts a text into tokens, the last of them an endToken.
func lex(text string) ([]token, *Error) {
	var list []token
	fail := func(at int, format string, a ...any) *Error {
		return &Error{Text: text, Offset: at, Msg: fmt.Sprintf(format, a...)}
	}
	for at := 0; ; {
		rest := text[at:]
		if rest == "" {
			return append(list, token{kind: endToken, at: at}), nil
		}
		r, size := utf8.DecodeRuneInString(rest)
		t := token{at: at}
		switch {
		case unicode.IsSpace(r):
			at += size
			continue
		case r == '#':
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			at += end
			continue
		case r == '.' && len(rest) > 1 && nameRune(rune(rest[1])):
			return nil, fail(at, "columns have no methods: want a call such as delay(close, 1)")
		case r >= '0' && r <= '9' || r == '.':
			t.text = rest[:numberEnd(rest)]
			if v, err := strconv.ParseFloat(t.text, 64); err == nil && decimal(t.text) {
				t.kind, t.number = numberToken, v
			} else if w, err := factors.ParseWindow(t.text); err == nil && w.Time > 0 {
				t.kind, t.window = windowToken, w
			} else {
				return nil, fail(at, "%q is neither a number nor a length of time such as 90s, 5m, 4h or 14d", t.text)
			}
		case nameRune(r):
			end := strings.IndexFunc(rest, func(r rune) bool { return !nameRune(r) && (r < '0' || r > '9') })
			if end < 0 {
				end = len(rest)
			}
			t.kind, t.text = nameToken, rest[:end]
		case r == '"' || r == '\'':
			end := strings.IndexByte(rest[1:], rest[0])
			if end < 0 {
				return nil, fail(at, "a quote that does not end")
			}
			t.kind, t.text = textToken, rest[:end+2]
		default:
			if sign, want := hint(rest); sign != "" && !strings.HasPrefix(rest, "!=") {
				return nil, fail(at, "%s has no meaning here, want %s", sign, want)
			}
			for _, s := range signs {
				if strings.HasPrefix(rest, s) {
					t.kind, t.text = signToken, s
					break
				}
			}
			if t.kind != signToken {
				return nil, fail(at, "%q has no meaning here", r)
			}
		}
		list = append(list, t)
		at += len(t.text)
	}
}

func nameRune(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// decimal leaves out what ParseFloat knows beyond decimal numbers.
func decimal(s string) bool { return !strings.ContainsAny(s, "xXpP_iInN") }

// numberEnd is the length of the number or the length of time that s begins with.
func numberEnd(s string) int {
	for i := 0; i < len(s); i++ {
		c := rune(s[i])
		if c >= '0' && c <= '9' || c == '.' || nameRune(c) {
			continue
		}
		if (c == '+' || c == '-') && (s[i-1] == 'e' || s[i-1] == 'E') && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
			continue
		}
		return i
	}
	return len(s)
}
