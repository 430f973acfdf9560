# Skerry: see README.md. Everything is built by the go command; this file only
# names what people type.

GO ?= go
BIN := bin/skerry
GOFLAGS += -buildvcs=false
export GOFLAGS

.PHONY: run test soak check std bench image skerry setup clean

# run boots four cores and takes a tour; on a terminal it ends in a prompt.
run: skerry
	@$(BIN) boot --tour -c 4

# test runs everything, boots included.
test: setup check
	$(GO) test -timeout 20m ./...

# soak runs what make test runs in short forms at full length, in half an hour:
# 10^7 native calls on each of four cores, 10^5 programs started and killed, 10^6
# operations of the capability system against its model, 300,000 runs of each
# protocol between cores, and every fuzzer of a decoder for a while.
FUZZTIME ?= 20s
soak: setup
	$(GO) test -count 1 -p 1 -v -timeout 55m ./test/fuzz ./test/soak -args -long
	$(GO) test -count 1 -v -timeout 30m -run 'Model|Interleaved' ./kernel/capability -args -operations 1000000
	$(GO) test -count 1 -v -timeout 30m ./simulate -args -long
	@git grep -o '^func Fuzz[A-Za-z]*' -- '*_test.go' | sed 's|/[^/]*_test.go:func |:|' | while IFS=: read -r folder name; do \
		echo "$$folder $$name"; $(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "./$$folder" || exit 1; \
	done
	$(GO) test -count 1 -timeout 20m ./test/attack ./test/memory ./test/std

# check is what can be said of the source without running it.
check:
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "gofmt: $$files"; exit 1; fi
	$(GO) vet -unsafeptr=false ./...

# std runs the standard library's own tests on Skerry and on the host, and
# writes docs/std.md.
std: skerry
	$(GO) run ./test/std/cmd

# bench prints `name value unit` for Skerry and for Linux in the same QEMU.
bench: skerry
	$(GO) run ./bench/cmd

image: skerry
	$(BIN) image -o skerry.elf

skerry: setup
	@$(GO) build -o $(BIN) ./cmd/skerry

setup:
	@scripts/setup

clean:
	rm -rf bin skerry.elf
