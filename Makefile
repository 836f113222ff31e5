# akin: `make` builds build/akin; see CONTRIBUTING.md for the rest.
MAKEFLAGS += --no-print-directory
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

# The program and the libraries; the tests are built by `make check`.
all: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) -j $(JOBS) --target akin akin_shared pages

$(BUILD)/CMakeCache.txt:
	@cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null

check: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) -j $(JOBS)
	@tools/check_layers
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

bench: all
	@cmake --build $(BUILD) -j $(JOBS) --target benches

install: all
	@cmake --install $(BUILD) --prefix $(PREFIX)

mutate-smoke:
	@tools/mutate_smoke

clean:
	rm -rf build build-*

.PHONY: all check bench install clean mutate-smoke
