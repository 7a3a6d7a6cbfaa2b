package bars

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// AfterTests is called when all tests are done.
var AfterTests = func() {}

// KeepTables sets how many bytes of tables a source that is opened keeps in memory.
func KeepTables(bytes int64) { keepBytes = bytes }

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		AfterTests()
		os.Exit(code)
	}))
}
