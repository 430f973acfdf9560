# Skerry: see README.md. Everything is built by the go command; this file only
# names what people type.

GO ?= go
BIN := bin/skerry
GOFLAGS += -buildvcs=false
export GOFLAGS

.PHONY: run test check std bench image skerry setup clean

# run boots four cores and takes a tour; on a terminal it ends in a prompt.
run: skerry
	@$(BIN) boot --tour -c 4

# test runs everything, boots included.
test: setup check
	$(GO) test -timeout 20m ./...

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
