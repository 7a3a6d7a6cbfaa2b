package study

import (
	"github.com/qf-dev/qf/backtest/yamlconf"
)

// origin is where a study was read.
type origin struct {
	file   string
	source []byte
	places *yamlconf.Positions
}

// Located is an error about an instrument of the study that shows only when it is run, with the line of the study.
func (s *Study) Located(in InstrumentConfig, err error) error {
	if s.origin == nil || in.path == "" {
		return err
	}
	return yamlconf.Excerpt(s.origin.places.At(in.path, err.Error()), s.origin.file, s.origin.source)
}
