# make demo   a report from simulated data, with nothing but Go and make
# make test   all tests
# make fuzz   every fuzz target for FUZZ, and a campaign of flipped bits (FLIPS=all: every one of them)
GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
FUZZ    ?= 30s
FLIPS   ?= all
# A busy machine may take longer than go test's own ten minutes for a package.
LIMIT   ?= 60m
RACE    := ./datasets/... ./factors ./signals/... ./backtest/... ./cmd/...

qf: FORCE
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.commitDate=$(DATE)" -o qf ./cmd/qf

demo: qf
	./qf demo --dir demo

# Two packages at a time, each said when it begins.
test:
	@$(GO) build ./... && $(GO) list ./... | xargs -P 2 -I PKG sh -c 'echo "test PKG"; $(GO) test -timeout $(LIMIT) PKG || exit 255'

# What CI runs before the tests: format, vet, lint, build, races, a little fuzzing, the regression.
check: fmtcheck qf
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -race -short -timeout $(LIMIT) $(RACE)
	$(MAKE) fuzz FUZZ=3s FLIPS=
	$(MAKE) regression

fmt:
	gofmt -w cmd backtest datasets factors signals reports

fmtcheck:
	@out=$$(gofmt -l cmd backtest datasets factors signals reports); \
	if [ -n "$$out" ]; then echo "make fmt would change:"; echo "$$out"; exit 1; fi

# Every fuzz target for FUZZ each; one worker, so that a small machine stays usable. On a busy one Go may report
# the end of that time as a failure and say nothing else (golang.org/issue/75804): that alone is passed over.
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "fuzz $$pkg $$f $(FUZZ)"; \
	    $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZ) -fuzzminimizetime 1x -parallel 1 $$pkg > .fuzz.log 2>&1 || \
	      if [ "$$(grep -c '^    ' .fuzz.log)" != 1 ] || ! grep -q '^    context deadline exceeded$$' .fuzz.log; then \
	        cat .fuzz.log; exit 1; \
	      fi; \
	  done; \
	done; rm -f .fuzz.log
	QF_FLIPS=$(FLIPS) $(GO) test -run '^TestFlippedBits$$' -v -count 1 -timeout $(LIMIT) ./datasets/bars

# The fixture study must give the committed report to a relative 1e-9.
regression: qf
	testdata/regression.sh ./qf

# The regression studies on other processors, arm64 under qemu-user among them: the same bytes.
cross:
	testdata/cross.sh

# Import, bars and backtests as arrays of a real Slurm of two nodes on this machine: the bytes of one process.
slurm: qf
	testdata/slurm.sh ./qf

golden: qf
	testdata/regression.sh ./qf --update
	$(GO) test ./reports ./cmd/... -update

# How often noise is called significant, of each kind of factor and horizon.
noise:
	$(GO) test -v -run Noise ./backtest/... | grep significant

# The picture in the README: the first screen of the demo's report, in headless Chromium.
screenshot: demo
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1000 --force-device-scale-factor=1 \
	  --user-data-dir=$$(mktemp -d) --screenshot=testdata/report.png file://$(CURDIR)/demo/runs/latest/report.html

# Runs every benchmark, keeps the figures, compares them with those of the run before, and prints what whole
# commands take on simulated days, as shares of DuckDB's and Polars' where QF_DUCKDB names them.
bench:
	@mkdir -p bench; [ ! -f bench/new.txt ] || mv bench/new.txt bench/old.txt
	$(GO) test -run '^$$' -bench . -skip Commands -benchmem -count 6 ./... | tee bench/new.txt
	@[ ! -f bench/old.txt ] || $(GO) run golang.org/x/perf/cmd/benchstat@latest bench/old.txt bench/new.txt
	$(MAKE) commands

# That table alone: some minutes.
commands:
	$(GO) test -run '^$$' -bench Commands -timeout 1h ./cmd/qf

.PHONY: demo test check fmt fmtcheck fuzz regression cross slurm golden noise screenshot bench commands FORCE
