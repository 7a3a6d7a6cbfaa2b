package bars

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// AfterTests is called when all tests are done.
var AfterTests = func() {}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		AfterTests()
		os.Exit(code)
	}))
}
