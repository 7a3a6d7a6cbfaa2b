package bars

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// Damage is a file of the bar cache that is not what was written. It is not used, and the next build of
// its bars replaces it.
type Damage struct {
	Path string // below the lake's root
	Err  error
}

// Check reads the files of the lake's bar cache to their ends and compares them with their digests. It
// gives their number and those that are damaged; what an older version kept is passed over, as Build does.
// The error is the cause of ctx's end, or that of a folder that cannot be read.
func Check(ctx context.Context, lake *datasets.Lake) (files int, damaged []Damage, err error) {
	paths, err := lake.Tables("bars")
	if err != nil {
		return 0, nil, err
	}
	found := make([]error, len(paths))
	err = datasets.ForEach(ctx, 0, len(paths), func(_ context.Context, i int) error {
		found[i] = check(lake, paths[i])
		return nil
	})
	for i, why := range found {
		if why != nil {
			damaged = append(damaged, Damage{paths[i], why})
		}
	}
	return len(paths), damaged, err
}

func check(lake *datasets.Lake, path string) error {
	rec, meta, err := lake.ReadTable(path)
	if err != nil {
		return err
	}
	defer rec.Release()
	if meta[metaVersion] != cacheVersion {
		return nil
	}
	if meta[metaDigest] != digest([]byte(meta[metaDays])) {
		return fmt.Errorf("the list of its days is not what was written")
	}
	for i, f := range rec.Schema().Fields() {
		var cells []byte
		switch col := rec.Column(i).(type) {
		case *array.Timestamp:
			cells = arrow.TimestampTraits.CastToBytes(col.TimestampValues())
		case *array.Float64:
			cells = arrow.Float64Traits.CastToBytes(col.Float64Values())
		}
		if meta[metaDigest+f.Name] != digest(cells) {
			return fmt.Errorf("column %s is not what was written", f.Name)
		}
	}
	return nil
}
