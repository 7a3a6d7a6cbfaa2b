package main

import (
	"cmp"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
)

// lakeFlag is the one flag that says which lake.
type lakeFlag struct{ path string }

func (l *lakeFlag) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.path, "lake", "", "folder of the lake (default: the study's, then $QF_LAKE, then ./lake)")
}

// open opens the lake of the flag, else the study's (as written in a file of that folder), else
// that of the environment, else ./lake.
func (l lakeFlag) open(s streams, ofStudy, studyFile string) (*datasets.Lake, error) {
	if ofStudy != "" && !filepath.IsAbs(ofStudy) {
		ofStudy = filepath.Join(filepath.Dir(studyFile), ofStudy)
	}
	return datasets.OpenLake(cmp.Or(l.path, ofStudy, s.getenv("QF_LAKE"), "lake"))
}
