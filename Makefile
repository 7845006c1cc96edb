# vault-tool. `make help` lists the targets.

GO      ?= go
BIN     := bin/vault-tool
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Where vault-tool-net is looked for if it is not beside vault-tool. For packages; install puts it beside.
LIBEXECDIR ?= /usr/local/libexec/vault-tool

# runtime/secret erases what cryptography leaves on stack and heap; the toolchain has it for Linux on
# these two architectures. Elsewhere the build does without (see internal/erase).
TARGET := $(shell $(GO) env GOOS)/$(shell $(GO) env GOARCH)
ifneq ($(filter $(TARGET),linux/amd64 linux/arm64),)
export GOEXPERIMENT := runtimesecret
endif

.DEFAULT_GOAL := build
.PHONY: help build install demo test test-all lint bench bench-peers fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The linker writes the file in pieces; a copy of it starts faster (0.7 ms of each command, on ext4).
# Nobody else may write to bin/, or vault-tool would not start vault-tool-net there.
build: ## build bin/vault-tool and bin/vault-tool-net: static, reproducible, version stamped
	@install -d -m 0755 $(dir $(BIN))
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS) -X main.libexecDir=$(LIBEXECDIR)' -o $(BIN).linked ./cmd/vault-tool
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)-net.linked ./cmd/vault-tool-net
	install -m 0755 $(BIN).linked $(BIN)
	install -m 0755 $(BIN)-net.linked $(BIN)-net
	@rm -f $(BIN).linked $(BIN)-net.linked

# A program that cannot be read is not dumpable from its first instruction on: see docs/threat-model.md.
install: ## install what is built, with the manual page and completions, below $(PREFIX) (default /usr/local)
	@test -x $(BIN) -a -x $(BIN)-net || { echo "run make first: $(BIN) is not built" >&2; exit 1; }
	install -D -m 0711 $(BIN) $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/vault-tool
	install -D -m 0711 $(BIN)-net $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/vault-tool-net
	install -D -m 0644 docs/vault-tool.1 $(DESTDIR)$(or $(PREFIX),/usr/local)/share/man/man1/vault-tool.1
	install -d $(foreach dir,bash-completion/completions zsh/site-functions fish/vendor_completions.d,$(DESTDIR)$(or $(PREFIX),/usr/local)/share/$(dir))
	$(BIN) completion bash > $(DESTDIR)$(or $(PREFIX),/usr/local)/share/bash-completion/completions/vault-tool
	$(BIN) completion zsh > $(DESTDIR)$(or $(PREFIX),/usr/local)/share/zsh/site-functions/_vault-tool
	$(BIN) completion fish > $(DESTDIR)$(or $(PREFIX),/usr/local)/share/fish/vendor_completions.d/vault-tool.fish

demo: build ## build it and move a sample .env into a vault, in a scratch folder
	@sh scripts/demo.sh $(BIN)

test: ## run the tests in some minutes
	@sh scripts/test.sh

test-all: ## run everything: kills at every call, memory scans, the race detector, the real derivation
	@sh scripts/test-all.sh

lint: ## formatting, vet, staticcheck, a tidy go.mod, builds for other systems
	@sh scripts/lint.sh

bench: build ## print the speed and memory ratios that the README claims
	$(GO) run ./internal/bench -tool $(BIN)

# A module of its own: the library that draws is none of vault-tool's. What is not installed is left out.
bench-peers: build ## measure it beside other programs, and write docs/benchmarks.md
	cd internal/bench/peers && GOEXPERIMENT= $(GO) run . -tool $(CURDIR)/$(BIN) -out $(CURDIR)/docs/benchmarks.md

fuzz: ## run every fuzz target for FUZZTIME (default 10m) each
	@sh scripts/fuzz.sh $(or $(FUZZTIME),10m)

clean: ## remove what was built
	rm -rf bin
