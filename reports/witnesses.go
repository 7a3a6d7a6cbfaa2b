package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/qf-dev/qf/backtest/ledger"
)

// Witnesses lists the heads of ledgers that the manifests of the runs in dir remember; none where there is no such folder.
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
		path := filepath.Join(dir, e.Name(), manifestFile)
		if _, err := os.Stat(path); err != nil || e.Name() == latestName {
			continue
		}
		var m struct{ Ledger *ledger.Head }
		if err := readJSON(path, &m); err != nil {
			return nil, fmt.Errorf("runs: %w", err)
		}
		if m.Ledger != nil {
			list = append(list, ledger.Witness{Path: path, Head: *m.Ledger})
		}
	}
	return list, nil
}
