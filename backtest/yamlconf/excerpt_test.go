package yamlconf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExcerptShowsTheLineOfEachProblem(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"every problem has its line", "name: x\nleaf:\n  deley: 2\n  delay: 0 # bars\n", `f.yaml:3:3: leaf.deley: unknown key "deley", did you mean delay?
     3 |   deley: 2
       |   ^
f.yaml:4:10: leaf.delay: 0, want at least 1 and at most 10
     4 |   delay: 0 # bars
       |          ^`},
		{"columns are characters", "name: x\nleaf: {price: \"größe\", delay: 0}\n", `f.yaml:2:15: leaf.price: unknown value "größe", want one of open, close, vwap
     2 | leaf: {price: "größe", delay: 0}
       |               ^
f.yaml:2:31: leaf.delay: 0, want at least 1 and at most 10
     2 | leaf: {price: "größe", delay: 0}
       |                               ^`},
		{"line ends of Windows", "name: x\r\nleaf: {delay: 0}\r\n", `f.yaml:2:15: leaf.delay: 0, want at least 1 and at most 10
     2 | leaf: {delay: 0}
       |               ^`},
		{"syntax", "a: [1\n", `f.yaml:1:4: sequence end token ']' not found
     1 | a: [1
       |    ^`},
		{"what is missing has no line", "", "f.yaml:1:1: the file is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(t, c.src)
			if got := Excerpt(err, "f.yaml", []byte(c.src)).Error(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	if err := Excerpt(nil, "f.yaml", nil); err != nil {
		t.Errorf("Excerpt(nil) = %v", err)
	}
}

// A line that no terminal has room for is shown around the place; what is not text stays harmless.
func TestExcerptOfALongLine(t *testing.T) {
	src := "leaf: {price: \"" + strings.Repeat("x", 5000) + "\", rate: -1}"
	_, err := decode(t, src)
	for _, line := range strings.Split(Excerpt(err, "f.yaml", []byte(src)).Error(), "\n") {
		if strings.Contains(line, " | ") && len([]rune(line)) > 100 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
	if text, at := Clip("\x1b[31mred\tx", 8); text != "\ufffd[31mred x" || at != 8 {
		t.Errorf("clip = %q, %d", text, at)
	}
}

// An override has no place in the file, and a wrapped problem can still be asked for.
func TestExcerptLeavesTheRestAlone(t *testing.T) {
	_, err := decode(t, "leaf: {delay: 2}\n", "leaf.delay=0")
	err = Excerpt(err, "f.yaml", []byte("leaf: {delay: 2}\n"))
	if got, want := err.Error(), "--set leaf.delay: 0, want at least 1 and at most 10"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if e := (*Error)(nil); !errors.As(err, &e) || e.Path != "leaf.delay" {
		t.Errorf("the problem is lost: %v", err)
	}
}

func TestReadFileStopsAtWhatParseRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(path, make([]byte, 3*maxSource), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := ReadFile(path)
	if err != nil || len(src) != maxSource+4 {
		t.Fatalf("read %d bytes, %v", len(src), err)
	}
	if _, err := Parse(path, src); err == nil || !strings.Contains(err.Error(), "not a configuration") {
		t.Errorf("Parse = %v", err)
	}
}
