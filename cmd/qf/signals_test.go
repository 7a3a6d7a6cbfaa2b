package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/qf-dev/qf/signals/llm/llmtest"
)

// modelKey is what the simulated endpoint takes.
const modelKey = "sk-live-7f3a9c51d2e84b60aa17"

// The scripts' commands for language models are
//
//	models [-fault NAME] [-numbers N,…] [-retry SECONDS] [-pause TIME]
//	billed N
//	asked N
//	damage remove|flip FOLDER
//	never TEXT
//
// models starts a simulated endpoint, puts its base URL into $LLM and its key into $LLMKEY. billed checks how many
// requests it billed, and that it billed none of them twice; asked waits until it has had so many. damage changes the
// first file below a folder. never looks for a text in every file that the script has written.

func billed(ts *testscript.TestScript, _ bool, args []string) {
	total := 0
	for id, n := range ts.Value(endpoint{}).(*endpoint).Billed() {
		if n > 1 {
			ts.Fatalf("request %.12s was billed %d times", id, n)
		}
		total += n
	}
	if len(args) != 1 || fmt.Sprint(total) != args[0] {
		ts.Fatalf("%d requests were billed, want %v", total, args)
	}
}

func asking(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); ts.Value(endpoint{}).(*endpoint).Requests() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("the endpoint had %d requests, want %d", ts.Value(endpoint{}).(*endpoint).Requests(), want)
		}
	}
}

func never(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(args[0])) {
			ts.Fatalf("%s holds %s", path, args[0])
		}
		return err
	}))
}

// endpoint is the script's latest server.
type endpoint struct{ *llmtest.Server }

// modelFaults are the names that models -fault takes.
var modelFaults = map[string]llmtest.FaultKind{
	"none": llmtest.NoFault, "fenced": llmtest.Fenced, "prose": llmtest.Prose, "invalid": llmtest.InvalidJSON, "busy": llmtest.TooManyRequests,
	"error": llmtest.ServerError, "unauthorized": llmtest.Unauthorized, "forbidden": llmtest.Forbidden, "slow": llmtest.Slow,
	"cut": llmtest.Cut, "refused": llmtest.BadRequest, "nothing": llmtest.NoObject,
}

func models(ts *testscript.TestScript, _ bool, args []string) {
	f := flag.NewFlagSet("models", flag.ContinueOnError)
	name := f.String("fault", "none", "")
	numbers := f.String("numbers", "", "")
	retry := f.String("retry", "", "")
	pause := f.Duration("pause", 0, "")
	ts.Check(f.Parse(args))
	kind, ok := modelFaults[*name]
	if !ok {
		ts.Fatalf("models: no fault %q", *name)
	}
	fault := llmtest.Fault{Kind: kind, RetryAfter: *retry, Pause: *pause, Text: "That does not work."}
	s := &llmtest.Server{Key: modelKey, Rule: llmtest.Honest(1, 0.5), Idempotent: true, Fault: func(llmtest.Request) llmtest.Fault { return fault }}
	if *numbers != "" {
		var list []int
		for text := range strings.SplitSeq(*numbers, ",") {
			n, err := strconv.Atoi(text)
			ts.Check(err)
			list = append(list, n)
		}
		s.Fault = llmtest.Numbers(fault, list...)
	}
	ts.Check(s.Start())
	ts.Defer(func() { _ = s.Close() })
	ts.Setenv("LLM", s.URL())
	*ts.Value(endpoint{}).(*endpoint) = endpoint{s}
}

// damage removes the first file below a folder, or flips a bit in its middle.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: damage remove|flip FOLDER")
	}
	var file string
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(path string, d fs.DirEntry, err error) error {
		if err == nil && file == "" && !d.IsDir() {
			file = path
		}
		return err
	}))
	if args[0] == "remove" {
		ts.Check(os.Remove(file))
		return
	}
	text, err := os.ReadFile(file)
	ts.Check(err)
	text[len(text)/2] ^= 1
	ts.Check(os.WriteFile(file, text, 0o666))
}
