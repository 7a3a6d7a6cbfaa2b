package datasets

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
)

// Severity says what a finding means for the file.
type Severity string

const (
	// Fault: the file is not what it says it is, or does not read. Fetch the day again.
	Fault Severity = "error"
	// Oddity: the file is as it was written and the data in it is unusual.
	Oddity Severity = "finding"
	// Note: nothing is wrong, but the file could be safer than it is.
	Note Severity = "note"
)

// Checks about a whole file that is not at fault.
const (
	Unrecorded = "unrecorded"       // another tool wrote it
	Rewritten  = "rewritten"        // the same, with a record of qf's in it that is of another file
	Unsealed   = "no_footer_digest" // a note: an older qf wrote it
)

// Finding is one thing that Verify found in one file.
type Finding struct {
	Partition Partition
	Severity  Severity
	Check     string // which check found it, in snake case: "digest", "negative_latency" …
	Count     int64  // rows, or pairs of rows, that it is about; 0 where it is about the file
	Row       int64  // the first of them, counted from 1; 0 where it is about the file
	Text      string // in words
}

// VerifyOptions says how to verify.
type VerifyOptions struct {
	Concurrency int           // files at once; 0 means GOMAXPROCS
	Gap         time.Duration // silence between two rows, or the day's ends, worth a finding; 0 means an hour
	// Observe, where it is not nil, is told of every file done, from one goroutine at a time.
	Observe func(p Partition, found []Finding)
}

// Verify reads files of the lake to their ends and compares them with what their footers record:
// rows, the digest of every column, first and last time, order. It looks at the data on the way. The
// findings are in the order of parts, a file's faults first. Memory does not grow with the files. The
// error is the cause of ctx's end, or nil.
func Verify(ctx context.Context, lake *Lake, parts []Partition, o VerifyOptions) ([]Finding, error) {
	if o.Concurrency <= 0 {
		o.Concurrency = runtime.GOMAXPROCS(0)
	}
	if o.Gap <= 0 {
		o.Gap = time.Hour
	}
	var watching sync.Mutex
	found := make([][]Finding, len(parts))
	err := ForEach(ctx, o.Concurrency, len(parts), func(ctx context.Context, i int) error {
		found[i] = lake.verify(ctx, parts[i], o.Gap)
		if ctx.Err() == nil && o.Observe != nil {
			watching.Lock()
			defer watching.Unlock()
			o.Observe(parts[i], found[i])
		}
		return nil
	})
	var all []Finding
	for _, f := range found {
		all = append(all, f...)
	}
	return all, err
}

func (l *Lake) verify(ctx context.Context, p Partition, gap time.Duration) []Finding {
	var out []Finding
	fault := func(check, format string, a ...any) {
		out = append(out, Finding{Partition: p, Severity: Fault, Check: check, Text: fmt.Sprintf(format, a...)})
	}
	recorded, ours, err := l.footer(p)
	if err != nil {
		fault("unreadable", "%v", err)
		return out
	}
	quality := newQuality(p, gap)
	found, err := l.measure(ctx, p, func(rec arrow.Record) { quality.add(rec) })
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		fault("unreadable", "%v", err)
		return out
	}
	if !ours {
		alien := Finding{Partition: p, Severity: Oddity, Check: Unrecorded,
			Text: "written by another tool: there is no record to compare it with"}
		if recorded.rewritten {
			alien.Check, alien.Text = Rewritten, "written by another tool, which carried qf's record over from another file: there is nothing to compare it with"
		}
		return append([]Finding{alien}, quality.findings(found.Look)...)
	}
	if !recorded.sealed {
		out = append(out, Finding{Partition: p, Severity: Note, Check: Unsealed,
			Text: "written by an older qf, whose footers carry no digest of themselves: importing it again adds one, and makes the file smaller"})
	}
	for _, c := range []struct {
		check, what     string
		there, recorded int64
	}{
		{"rows", "rows", found.Rows, recorded.Rows},
		{"first", "is the first local_timestamp", found.First, recorded.First},
		{"last", "is the last local_timestamp", found.Last, recorded.Last},
		{"order", "order violations", found.OrderViolations, recorded.OrderViolations},
	} {
		if c.there != c.recorded {
			fault(c.check, "%d %s, the footer records %d", c.there, c.what, c.recorded)
		}
	}
	for _, c := range p.Type.Columns() {
		if a, b := found.digests[c.Name], recorded.digests[c.Name]; a != b {
			fault("digest", "column %s has digest %s, the footer records %s", c.Name, a, b)
		}
	}
	return append(out, quality.findings(found.Look)...)
}
