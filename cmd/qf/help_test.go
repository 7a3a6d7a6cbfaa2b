package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// testdata/script/help.txtar asks every command for its help and holds every text. -update writes it.
func TestHelpTextsAreTheScripts(t *testing.T) {
	var lines, texts strings.Builder
	lines.WriteString("# The help of every command. Made by: go test ./cmd/qf -run Help -update\n")
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())
		text := help(t, path[1:])
		for line := range strings.Lines(text) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > helpWidth {
				t.Errorf("%s --help has a line of %d columns, want at most %d:\n%s", cmd.CommandPath(), n, helpWidth, line)
			}
		}
		name := strings.Join(path, "-") + ".txt"
		lines.WriteString(cmd.CommandPath() + " --help\ncmp stdout " + name + "\n")
		texts.WriteString("-- " + name + " --\n" + text)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if cmd.Name() == "help" {
			return // cobra's own
		}
		if !strings.Contains(text, "Exit codes: ") {
			t.Errorf("%s --help does not list its exit codes", cmd.CommandPath())
		}
		if cmd.HasParent() && !strings.Contains(text, "\nExamples:\n") {
			t.Errorf("%s --help has no example", cmd.CommandPath())
		}
	}
	root := newRoot(streams{getenv: os.Getenv})
	root.InitDefaultHelpCmd()
	walk(root)

	path := filepath.Join("testdata", "script", "help.txtar")
	want := lines.String() + "\n" + texts.String()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("%s is not what the commands say (-file +commands); go test ./cmd/qf -run Help -update writes it:\n%s", path, diff)
	}
}

func help(t *testing.T, path []string) string {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), append(path, "--help"), streams{out: &out, err: &out, getenv: os.Getenv}); code != exitDone {
		t.Fatalf("qf %v --help exits with %d", path, code)
	}
	return out.String()
}

// Without arguments qf says how to start, and lists its commands.
func TestNoArgumentsIsHelp(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{}, streams{out: &out, err: &out, getenv: os.Getenv}); code != exitDone {
		t.Fatalf("exit code %d", code)
	}
	if got, want := out.String(), help(t, nil); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
