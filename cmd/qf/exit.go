package main

import (
	"context"
	"errors"
	"fmt"
)

// Exit codes, as the help texts list them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3
	exitInterrupted = 130
)

// What the help texts say of them: in general, of commands that bring data in, and of those that
// either do their work or not.
const (
	exitHelp = `
Exit codes: 0 done; 1 failed, or a comparison, verification or audit found something;
2 wrong usage or configuration; 3 partly done (the rest is in the lake); 130 interrupted.`

	exitPartial = `
Exit codes: 0 all of it is in the lake; 1 failed, nothing came in; 2 wrong usage or configuration;
3 partly done: what is missing or failed is listed, the rest is in the lake; 130 interrupted.`

	exitPlain = `
Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 130 interrupted.`
)

// usageError is wrong usage or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// quietError ends a command with a code when everything there is to say has been printed; said is what
// that comes to in a line each, for those who read errors only.
type quietError struct {
	code int
	said string
}

func (e quietError) Error() string { return e.said }

func quietly(code int, format string, a ...any) error {
	return quietError{code, fmt.Sprintf(format, a...)}
}

// exitCode maps what a command returned to the process's exit code.
func exitCode(ctx context.Context, err error) int {
	var usage usageError
	var quiet quietError
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}
