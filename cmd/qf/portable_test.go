package main

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// simulators make data, not results: what they write is told by its digest, wherever it was made.
var simulators = []string{"datasets/tardistest", "signals/llm/llmtest"}

// fused is an instruction of arm64 that multiplies and adds with one rounding.
var fused = regexp.MustCompile(`\bFN?M(ADD|SUB)[SD]\b`)

// Figures have the same bits on arm64: there the compiler fuses a product with a sum unless the product is
// converted, float64(a*b), even across the border of a function that it inlines. The whole binary is taken
// apart, so that no package is forgotten.
func TestNothingIsFusedOnARM(t *testing.T) {
	if testing.Short() {
		t.Skip("builds qf for another architecture")
	}
	qf := filepath.Join(t.TempDir(), "qf")
	build := exec.Command("go", "build", "-o", qf, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dump := exec.Command("go", "tool", "objdump", "-s", "^"+regexp.QuoteMeta(module), qf)
	text, err := dump.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dump.Start(); err != nil {
		t.Fatal(err)
	}
	function, functions := "", 0
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "TEXT "); ok {
			function, _, _ = strings.Cut(name, "(SB)")
			function = strings.TrimPrefix(function, module)
			functions++
			continue
		}
		if fused.MatchString(lines.Text()) && !slices.ContainsFunc(simulators, func(dir string) bool { return strings.HasPrefix(function, dir+".") }) {
			place, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), "\t")
			t.Errorf("%s, %s: a product is fused with a sum: write float64(a*b)", function, place)
		}
	}
	if err := dump.Wait(); err != nil || functions < 1000 {
		t.Fatalf("%d functions, %v", functions, err)
	}
}

// differing are functions of package math whose last bits differ between architectures; portable has those that
// results need.
var differing = []string{"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atan2", "Atanh", "Cbrt", "Cos", "Cosh", "Erf", "Erfc", "Erfcinv", "Erfinv", "Exp",
	"Exp2", "Expm1", "Gamma", "Hypot", "Lgamma", "Log", "Log1p", "Log2", "Pow", "Sin", "Sincos", "Sinh", "Tan", "Tanh"}

func TestElementaryFunctionsArePortable(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		if strings.Contains(dir, "testdata") || dir == "factors/kernel/portable" || slices.Contains(simulators, dir) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "math" && slices.Contains(differing, s.Sel.Name) {
				t.Errorf("%s: math.%s has other bits on other machines: take portable's", rel, s.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
