// Command qf is an offline backtesting tool for crypto factor research: it pulls Tardis.dev's daily
// tick files into a Parquet lake, turns them into bars and factors, and says whether a composite
// score predicts returns and whether trading it would have paid.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], processStreams()))
}
