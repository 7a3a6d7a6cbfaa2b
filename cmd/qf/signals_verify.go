package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/signals/llm"
)

func newSignalsVerify(s streams, c *common, run func(context.Context, streams, signalsOptions) error) *cobra.Command {
	o := signalsOptions{common: c}
	cmd := &cobra.Command{
		Use:   "verify --config FILE",
		Short: "Check a study's cache: whole, valid, complete",
		Long: `Reads every file of a study's cache, compares it with the digest that it carries and its answer
with the text it was read from; then lists the answers of the study that are invalid, and counts
those that are missing.

Exit codes: 0 a backtest can use the cache; 1 files were changed, more answers are invalid than
max_invalid allows, or answers are missing that the study wants, or failed; 2 wrong usage or
configuration; 130 interrupted.`,
		Example: `  qf signals verify --config study.yaml`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.bind(cmd)
	return cmd
}

type verifySignals struct {
	Files   int         `json:"files"`
	Damaged []string    `json:"damaged"`
	Invalid []replyJSON `json:"invalid"`
	Missing int         `json:"missing"`
	Known   bool        `json:"study_known"` // else invalid and missing say nothing: the lake does not give the questions
	Usable  bool        `json:"usable"`      // by a backtest of the study
}

func runSignalsVerify(ctx context.Context, s streams, o signalsOptions) error {
	a, err := o.load(s)
	if err != nil {
		return err
	}
	out := verifySignals{Damaged: []string{}, Invalid: []replyJSON{}}
	files, damaged, err := a.cache.Verify()
	if err != nil {
		return err
	}
	out.Files = files
	for _, d := range damaged {
		out.Damaged = append(out.Damaged, d.Error())
	}
	unread := out.read(ctx, s, o, &a)
	if o.json {
		err = printJSON(s, out)
	} else {
		err = printVerified(s, a.cache, out)
	}
	switch {
	case err != nil:
		return err
	case len(damaged) == 0 && unread != nil:
		return unread
	case !out.Usable:
		return quietly(exitFailed, "signals verify: %d damaged file(s), or answers that the study refuses", len(damaged))
	}
	return nil
}

// read looks the study's answers up. The error says why that was not possible.
func (v *verifySignals) read(ctx context.Context, s streams, o signalsOptions, a *asked) error {
	if err := a.work(ctx, s, o); err != nil {
		return err
	}
	held, err := llm.Read(a.cache, a.config, a.questions)
	if err != nil {
		return err
	}
	for _, r := range repliesJSON(held) {
		if r.State == llm.Invalid.String() {
			v.Invalid = append(v.Invalid, r)
		}
	}
	v.Known, v.Missing = true, held.Missing().Calls
	v.Usable = len(v.Damaged) == 0 && a.study.Signals.LLM.Refuses(held) == nil
	return nil
}

func printVerified(s streams, cache *llm.Cache, v verifySignals) error {
	for _, d := range v.Damaged {
		fmt.Fprintf(s.out, "damaged  %s\n", d)
	}
	for _, r := range v.Invalid {
		fmt.Fprintf(s.out, "invalid  %s %s, %s: %s\n         %s\n", r.Time, r.Instrument, r.Model, r.Reason, cache.Path(r.Key))
	}
	fmt.Fprintf(s.out, "%s: %d file(s), %d damaged", cache.Dir(), v.Files, len(v.Damaged))
	if v.Known {
		fmt.Fprintf(s.out, "; of the study's answers %d invalid, %d missing", len(v.Invalid), v.Missing)
	}
	_, err := fmt.Fprintln(s.out)
	return err
}
