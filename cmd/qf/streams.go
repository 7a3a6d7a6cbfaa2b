package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// streams is all of the outside world that a command sees beside the file system: results go to
// out, progress and complaints to err.
type streams struct {
	out, err       io.Writer
	outTTY, errTTY bool
	getenv         func(string) string
}

func processStreams() streams {
	return streams{
		out: os.Stdout, err: os.Stderr,
		outTTY: term.IsTerminal(int(os.Stdout.Fd())), errTTY: term.IsTerminal(int(os.Stderr.Fd())),
		getenv: os.Getenv,
	}
}

// color reports whether stdout may carry colours: https://no-color.org
func (s streams) color() bool { return s.outTTY && s.getenv("NO_COLOR") == "" }
