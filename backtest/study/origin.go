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

// Located is an error about what the study says at a path, which shows only when it is run, with the line of the study.
func (s *Study) Located(path string, err error) error {
	if s.origin == nil {
		return err
	}
	return yamlconf.Excerpt(s.origin.places.At(path, err.Error()), s.origin.file, s.origin.source)
}
