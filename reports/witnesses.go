package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/qf-dev/qf/backtest/ledger"
)

// Witnesses lists the heads of ledgers that the manifests of the runs and sweeps in dir remember; none where there is no such
// folder.
func Witnesses(dir string) ([]ledger.Witness, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	var list []ledger.Witness
	for _, e := range found {
		if !e.IsDir() { // the link to the newest run, and what else there is
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("runs: %w", err)
		}
		for _, f := range files {
			if f.Name() != manifestFile && !(strings.HasPrefix(f.Name(), "sweep") && filepath.Ext(f.Name()) == ".json") {
				continue
			}
			path := filepath.Join(dir, e.Name(), f.Name())
			var m struct{ Ledger *ledger.Head }
			if err := readJSON(path, &m); err != nil {
				return nil, fmt.Errorf("runs: %w", err)
			}
			if m.Ledger != nil {
				list = append(list, ledger.Witness{Path: path, Head: *m.Ledger})
			}
		}
	}
	return list, nil
}
