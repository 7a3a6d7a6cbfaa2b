package backtest

import (
	"runtime"

	"github.com/qf-dev/qf/backtest/ledger"
)

// Options says how to run a study. But for what the ledger knows of other trials, they change nothing of what comes out.
type Options struct {
	Workers int                           // 0 means GOMAXPROCS
	NoCache bool                          // leave the lake's bar cache alone
	Memory  int64                         // bytes that kept columns may take before they go to temporary files; 0: a quarter of the machine's
	Ledger  *ledger.Ledger                // where the run is entered, and which it is judged by; nil where trials are not counted
	Log     func(format string, a ...any) // one line per stage; nil for none

	block int // rows of a block, in tests; 0 means the source's own
}

func (o Options) log(format string, a ...any) {
	if o.Log != nil {
		o.Log(format, a...)
	}
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}
