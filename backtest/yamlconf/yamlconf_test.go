package yamlconf

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

type leaf struct {
	Delay int     `yaml:"delay" range:"[1,10]"`
	Price string  `yaml:"price" enum:"open|close|vwap"`
	Rate  float64 `yaml:"rate" range:"(0,1]"`
	On    bool    `yaml:"on"`
	Seed  uint64  `yaml:"seed"`
}

type span struct{ time.Duration }

func (s *span) UnmarshalText(b []byte) (err error) {
	s.Duration, err = time.ParseDuration(string(b))
	return err
}
func (s span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

type tree struct {
	Name  string `yaml:"name"`
	Leaf  leaf   `yaml:"leaf"`
	Maybe *leaf  `yaml:"maybe"`
	List  []leaf `yaml:"list"`
	Span  span   `yaml:"span"`
}

func defaults() *tree { return &tree{Name: "d", Leaf: leaf{Delay: 1, Price: "open", Rate: 0.5}} }

func decode(t *testing.T, src string, sets ...string) (*tree, error) {
	t.Helper()
	doc, err := Parse("f.yaml", []byte(src))
	if err != nil {
		return nil, err
	}
	for _, s := range sets {
		if err := doc.Set(s); err != nil {
			return nil, err
		}
	}
	out := defaults()
	_, err = Decode("f.yaml", doc, out)
	return out, err
}

func TestDecodeKeepsDefaultsAndReadsEveryForm(t *testing.T) {
	got, err := decode(t, `
name: "007"
leaf: &l {delay: 2, rate: 1e-1, on: on, seed: 18446744073709551615}
maybe:
  <<: *l
  delay: 3
list: [{price: vwap}, *l]
span: 1h30m
`)
	if err != nil {
		t.Fatal(err)
	}
	want := leaf{Delay: 2, Price: "open", Rate: 0.1, On: true, Seed: 1<<64 - 1}
	if got.Name != "007" || got.Leaf != want || got.Span.Duration != 90*time.Minute {
		t.Errorf("got %+v", got)
	}
	if got.Maybe == nil || got.Maybe.Delay != 3 || got.Maybe.Rate != 0.1 {
		t.Errorf("merge: got %+v", got.Maybe)
	}
	if len(got.List) != 2 || got.List[0].Price != "vwap" || got.List[1].Delay != 2 {
		t.Errorf("list: got %+v", got.List)
	}
	if got, err := decode(t, `{"name": "json", "leaf": {"delay": 4}, "maybe": null}`); err != nil || got.Leaf.Delay != 4 || got.Maybe != nil {
		t.Errorf("JSON: got %+v, %v", got, err)
	}
}

func TestDecodeReportsEveryProblemWithItsPlace(t *testing.T) {
	_, err := decode(t, `name: [1]
leaf:
  deley: 2
  delay: 0
  price: opne
  rate: x
  on: yes
  seed: -1
list:
  - {rate: 2}
  - 7
span: soon
leaf: {}
`)
	if err == nil {
		t.Fatal("no error")
	}
	// The duplicate key stops the document before anything is decoded.
	if got, want := err.Error(), `f.yaml:13:1: key "leaf" stands here twice`; got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	_, err = decode(t, `name: [1]
leaf:
  deley: 2
  delay: 0
  price: opne
  rate: x
  on: yes
  seed: -1
list:
  - {rate: 2}
  - 7
span: soon
zzzzzzzzz: 1
`)
	want := `f.yaml:1:7: name: a list, want a value
f.yaml:3:3: leaf.deley: unknown key "deley", did you mean delay?
f.yaml:4:10: leaf.delay: 0, want at least 1 and at most 10
f.yaml:5:10: leaf.price: unknown value "opne", did you mean open?
f.yaml:6:9: leaf.rate: "x", want a number
f.yaml:7:7: leaf.on: "yes", want true or false
f.yaml:8:9: leaf.seed: "-1", want a whole number of at least 0
f.yaml:10:12: list[0].rate: 2, want more than 0 and at most 1
f.yaml:11:5: list[1]: a value, want a mapping
f.yaml:12:7: span: time: invalid duration "soon"
f.yaml:13:1: zzzzzzzzz: unknown key "zzzzzzzzz", want one of name, leaf, maybe, list, span`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"a: [1\n", "f.yaml:1:4: sequence end token ']' not found"},
		{"a: 1\n---\nb: 2\n", "f.yaml:3:2: a second document, want one"},
		{"a:\n\tb: 1\n", "f.yaml:2:1: found character"},
		{"a: *nowhere\n", "f.yaml:1:4: alias *nowhere has no anchor before it"},
		{strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested more than 64 levels deep"},
		{strings.Repeat("#", maxSource+1), "this is not a configuration"},
		{strings.Repeat("- ", 65) + "1", "f.yaml:1:129: nested more than 64 levels deep"},
		{strings.Repeat("{a: ", 65), "f.yaml:1:257: nested more than 64 levels deep"},
		{strings.Repeat("a: 1\n", maxMarks/2+1), "f.yaml:10001:2: more than 20000 lines, commas and other marks"},
		{"a: 1\nb: \x00\n", "f.yaml:2:4: a control character, U+0000"},
		{"a: 1\nü: \xff\n", "f.yaml:2:4: byte 0xff is not UTF-8"},
		{"\xff\xfea\x00", "f.yaml:1:1: byte 0xff is not UTF-8"},
		{aliases(6), "stands for more than 100000 values"},
	} {
		_, err := Parse("f.yaml", []byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%.20q) = %v, want %q", c.src, err, c.want)
		}
	}
	if _, err := decode(t, ""); err == nil || !strings.Contains(err.Error(), "the file is empty") {
		t.Errorf("empty file: %v", err)
	}
}

// aliases is a document of a few lines in which each list has ten of the one before.
func aliases(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [1]\n")
	for i := range n {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	return b.String()
}

func TestParseTakes(t *testing.T) {
	for _, src := range []string{
		"\ufeffleaf: {delay: 4}\n", "leaf: {delay: 4}\r\n",
		"leaf: # - - - - - [ [ [\n  delay: 4 # " + strings.Repeat("-", 200) + "\n",
		"name: |\n  " + strings.Repeat("-", 100) + strings.Repeat(" - ", 60) + "\nleaf: {delay: 4}", aliases(3) + "leaf: {delay: 4}",
	} {
		doc, err := Parse("f.yaml", []byte(src))
		if err != nil {
			t.Errorf("%.40q: %v", src, err)
		} else if got := doc.Get("leaf"); got == nil || got.Get("delay").Text != "4" {
			t.Errorf("%.40q: %+v", src, doc)
		}
	}
	for text, want := range map[string]string{"True": "", "FALSE": "", "on": "", "'off'": `"off" in quotes is a text, want true or false without them`, "yes": `"yes", want true or false`} {
		_, err := decode(t, "leaf: {on: "+text+"}")
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("on: %s: %v", text, err)
		}
	}
}

func TestSet(t *testing.T) {
	got, err := decode(t, "leaf: {delay: 2}\nlist: [{rate: 1}]\n", "leaf.delay=5", "maybe.rate=0.25", "list[0].price=close", "name=x")
	if err != nil {
		t.Fatal(err)
	}
	if got.Leaf.Delay != 5 || got.Maybe.Rate != 0.25 || got.List[0].Price != "close" || got.Name != "x" {
		t.Errorf("got %+v", got)
	}
	for _, c := range []struct{ set, want string }{
		{"leaf.deley=5", `--set leaf.deley: unknown key "deley", did you mean delay?`},
		{"leaf.delay=0", "--set leaf.delay: 0, want at least 1"},
		{"list[3].rate=1", "list has no item 3"},
		{"leaf.delay.x=1", "is a value, want a mapping"},
		{"nothing", "want path=value"},
	} {
		if _, err := decode(t, "leaf: {delay: 2}\nlist: [{rate: 1}]\n", c.set); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Set(%q) = %v, want %q", c.set, err, c.want)
		}
	}
}

func TestEncodeIsWhatDecodeReads(t *testing.T) {
	in, err := decode(t, "name: x\nleaf: {rate: 0.1, seed: 7}\nlist: [{price: vwap}]\nspan: 90m\n")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(Encode(in))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"x","leaf":{"delay":1,"price":"open","rate":0.1,"on":false,"seed":7},"maybe":null,` +
		`"list":[{"delay":0,"price":"vwap","rate":0,"on":false,"seed":0}],"span":"1h30m0s"}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	back, err := decode(t, strings.Replace(string(text), `"list":[{"delay":0,"price":"vwap","rate":0,"on":false,"seed":0}]`, `"list":[]`, 1))
	if err != nil || back.Leaf != in.Leaf || back.Span != in.Span {
		t.Errorf("back: %+v, %v", back, err)
	}
}

func TestSchemaHasTheRulesOfTheTags(t *testing.T) {
	s, err := json.Marshal(Schema(defaults()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"delay":{"default":1,"maximum":10,"minimum":1,"type":"integer"}`,
		`"price":{"default":"open","enum":["open","close","vwap"],"type":"string"}`,
		`"rate":{"default":0.5,"exclusiveMinimum":0,"maximum":1,"type":"number"}`,
		`"additionalProperties":false`,
	} {
		if !strings.Contains(string(s), want) {
			t.Errorf("schema lacks %s:\n%s", want, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name: x\nleaf: {delay: 2}\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("{\"a\": [1, {\"b\": null}]}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, err := Parse("f", src)
		if err == nil {
			_, err = Decode("f", doc, defaults())
		}
		if err != nil && Excerpt(err, "f", src).Error() == "" {
			t.Error("an error without a text")
		}
	})
}
