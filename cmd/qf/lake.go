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
	cmd.Flags().StringVar(&l.path, "lake", "", "`FOLDER` of the lake (default: a study's, else $QF_LAKE, else ./lake)")
	complete(cmd, "lake", folders)
}

// folder is that of the flag, else the study's (as written in a file of that folder), else that of
// the environment, else ./lake.
func (l lakeFlag) folder(s streams, ofStudy, studyFile string) string {
	if ofStudy != "" && !filepath.IsAbs(ofStudy) {
		ofStudy = filepath.Join(filepath.Dir(studyFile), ofStudy)
	}
	return cmp.Or(l.path, ofStudy, s.getenv("QF_LAKE"), "lake")
}

// open opens the lake in that folder.
func (l lakeFlag) open(s streams, ofStudy, studyFile string) (*datasets.Lake, error) {
	return datasets.OpenLake(l.folder(s, ofStudy, studyFile))
}
