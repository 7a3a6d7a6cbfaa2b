package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/qf-dev/qf/datasets"
)

// fetchProgress shows how a fetch goes: one bar over bytes and files on a terminal; otherwise, and
// when verbose, a line for each finished file; nothing when quiet. Its observe method fits
// datasets.FetchOptions.
type fetchProgress struct {
	*common
	s        streams
	files    int
	finished int
	done     map[datasets.Partition]int64 // compressed bytes by file under way
	bytes    int64                        // of all files
	bar      *progressbar.ProgressBar
	started  time.Time

	mu      sync.Mutex // over what retrying and observe both use
	retries int
	why     string                     // the last of them
	tries   map[datasets.Partition]int // that failed
}

func newFetchProgress(s streams, c *common, files int) *fetchProgress {
	p := &fetchProgress{common: c, s: s, files: files, done: map[datasets.Partition]int64{}, tries: map[datasets.Partition]int{}, started: time.Now()}
	if s.errTTY && !c.quiet && !c.verbose {
		p.bar = progressbar.NewOptions(files,
			progressbar.OptionSetWriter(s.err),
			progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// retrying says that a file is asked for again: a server that does not answer is not a silent one.
func (p *fetchProgress) retrying(path string, attempt int, wait time.Duration, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again(path, attempt, wait, why)
}

func (p *fetchProgress) again(what any, attempt int, wait time.Duration, why error) {
	p.retries++
	switch {
	case p.bar != nil:
		p.why = fmt.Sprintf("%v, again in %s", why, inSeconds(wait))
		p.describe()
	case !p.quiet:
		fmt.Fprintf(p.s.err, "%v: %v, attempt %d in %s\n", what, why, attempt, inSeconds(wait))
	}
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.3g s", d.Seconds()) }

// describe writes beside the bar how much has come in.
func (p *fetchProgress) describe() {
	rate := float64(p.bytes) / max(time.Since(p.started).Seconds(), 1e-3)
	text := fmt.Sprintf("%s, %s/s", byteSize(p.bytes), byteSize(int64(rate)))
	if p.retries > 0 {
		text += fmt.Sprintf(", %d asked for again (%s)", p.retries, p.why)
	}
	p.bar.Describe(text)
}

func (p *fetchProgress) observe(e datasets.FetchEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case datasets.Retrying:
		p.tries[e.Partition]++
		p.again(e.Partition, p.tries[e.Partition]+1, e.Wait, e.Err)
		return
	case datasets.Started:
		p.bytes -= p.done[e.Partition] // a new attempt starts from nothing
		p.done[e.Partition] = 0
	case datasets.Progress:
		p.bytes += e.Done - p.done[e.Partition]
		p.done[e.Partition] = e.Done
	case datasets.Finished:
		p.finished++
	}
	switch {
	case p.bar != nil:
		p.describe()
		_ = p.bar.Set(p.finished) // fails only past its end
	case !p.quiet && e.Kind == datasets.Finished && (p.verbose || e.Entry.Status != datasets.Present):
		fmt.Fprintf(p.s.err, "[%d/%d] %s: %s\n", p.finished, p.files, e.Partition, outcome(e.Entry))
	}
}

func (p *fetchProgress) close() {
	if p.bar != nil {
		_ = p.bar.Finish() // what it cannot draw is not missed
	}
}

// outcome is an entry's line: its rows and bytes, or its error without what the line says already.
func outcome(e datasets.FetchEntry) string {
	switch e.Status {
	case datasets.Fetched:
		return fmt.Sprintf("%d rows, %s", e.Info.Rows, byteSize(e.Info.Source.Bytes))
	case datasets.Failed, datasets.NotReached:
		return fmt.Sprintf("%s: %v", e.Status, errors.Unwrap(e.Err)) // the line has the partition already
	}
	return e.Status.String()
}

// byteSize writes a number of bytes in decimal units, as networks and disks are sold.
func byteSize(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	x, i := float64(n), 0
	for x >= 999.5 && i < len(units)-1 {
		x /= 1000
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", x, units[i])
}

// ingestMemory is where the garbage collector starts to work harder during a fetch or an import. The
// buffers of four wide files at once stay well below it; the rest is garbage that need not pile up.
const ingestMemory = 192 << 20

func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(ingestMemory)
	}
}
