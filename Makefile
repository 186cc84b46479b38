# The few commands a person needs. Everything else is CMake's (CMakePresets.json) and ninja's.
# Each target works from any state: on a machine with nothing installed, after an aborted build, again and again.
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
PYTHON := /usr/bin/python3
NINJA := ninja -C build -j$(JOBS)
FUZZ_SECONDS ?= 60
export PREFIX
# Clones in different directories share one compiler cache.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
export CMAKE_C_COMPILER_LAUNCHER := $(shell command -v ccache)
export CMAKE_CXX_COMPILER_LAUNCHER := $(CMAKE_C_COMPILER_LAUNCHER)

.DEFAULT_GOAL := build
.PHONY: help setup build all test test-long test-vm test-vm-systemd test-vm-languages attack-report cpython-report profile-report run playground playground-page bench bench-peers soak install package clean docs format tidy asan tsan fuzz

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

setup: ## install missing Debian packages and configure build/
	@tools/setup.sh build

build: setup ## build the programs into build/bin/ (default)
	@$(NINJA) caissond caisson-dispatcher caisson-gateway caisson-tls caisson operator_files

all: setup ## build everything: programs, tests, mutation builds, benchmarks
	@$(NINJA) all operator_files

test: ## every test but the long ones and those in the virtual machine; FRESH=1: those too that cannot have changed
	@tools/setup.sh build test languages
	@tools/setup_web.sh
	@tools/setup_web.sh --fuzzer
	@tools/setup_web.sh tests/gateway/piston-client
	@$(NINJA) all operator_files playground
	@tools/test.sh

test-long: ## reports and tests that take minutes
	@tools/setup.sh build test package long
	@$(NINJA) all operator_files
	@$(MAKE) --no-print-directory package
	@tools/test_long.sh

test-vm: ## the integration tests in a virtual machine with pure cgroup v2; then test-vm-systemd
	@tools/setup.sh build test vm
	@$(NINJA) all operator_files
	@tests/vm/run.sh
	@$(MAKE) --no-print-directory test-vm-systemd

test-vm-systemd: package ## the package's whole life in a virtual machine with systemd (3 to 8 minutes)
	@tools/setup.sh build test package vm
	@tests/vm/run.sh --systemd

test-vm-languages: ## the attack and language tests in a virtual machine with pure cgroup v2 (30 to 60 minutes)
	@tools/setup.sh build test languages vm
	@$(NINJA) all operator_files
	@tests/vm/run.sh --languages

attack-report: ## every hostile case, the layer that must stop it, and whether it held; the mutation matrix; writes docs/attack-suite.md
	@tools/setup.sh build test
	@$(NINJA) all operator_files
	@tools/ensure_user.sh
	@tools/as_root.sh "running hostile programs in sandboxes" /usr/bin/python3 tools/attack_report.py

cpython-report: ## CPython's own test-suite in a sandbox and outside; writes docs/cpython-suite.md (8 to 16 minutes)
	@tools/setup.sh build test long
	@$(NINJA) caissond caisson-dispatcher caisson
	@tools/ensure_user.sh
	@tools/as_root.sh "running sandboxes" /usr/bin/python3 tests/languages/cpython/suite.py --write

profile-report: ## every program of every profile; writes the table of docs/profiles.md if all passed
	@tools/setup.sh build test languages
	@$(NINJA) caissond caisson-dispatcher caisson
	@tools/ensure_user.sh
	@tools/as_root.sh "running programs in sandboxes" /usr/bin/python3 tests/languages/profile_table.py

run: build ## start the daemon, run the examples through it, stop it
	@tools/ensure_user.sh
	@tools/run_demo.sh

playground: playground-page ## the playground in a browser, before a daemon and a gateway of its own, until Ctrl-C
	@$(NINJA) caissond caisson-dispatcher caisson-gateway caisson
	@tools/run_playground.sh

playground-page: setup ## build the playground's page and the TypeScript client: build/playground
	@tools/setup_web.sh
	@$(NINJA) playground

bench: setup ## measure a daemon of its own beside bare processes (bench/README.md)
	@$(NINJA) caissond caisson-dispatcher caisson-gateway caisson-bench
	@bench/run.sh

bench-peers: setup ## the same, with other sandboxes of Debian's in the same rounds
	@tools/setup.sh build peers
	@$(NINJA) caissond caisson-dispatcher caisson-gateway caisson-bench
	@bench/peers.sh

soak: ## 20,000 runs, good and hostile mixed, and whether anything grows with their number; writes docs/soak.png (10 minutes)
	@tools/setup.sh build test long
	@$(NINJA) caissond caisson-dispatcher caisson
	@tools/ensure_user.sh
	@tools/as_root.sh "running sandboxes" /usr/bin/python3 tools/soak.py --plot docs/soak.png

install: build ## install below PREFIX (/usr/local); DESTDIR is honoured
	@if [ -n "$(DESTDIR)" ] || [ -w "$(PREFIX)" ]; then \
	  DESTDIR="$(DESTDIR)" cmake --install build; \
	else \
	  tools/as_root.sh "installing below $(PREFIX)" cmake --install build; \
	fi

package: build playground-page ## build/caisson_VERSION_amd64.deb, by CPack
	@tools/setup.sh build package
	@rm -rf build/_CPack_Packages
	@cd build && SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2> /dev/null || echo 1)} cpack -G DEB

clean: ## remove every build directory
	rm -rf build build-*

docs: setup ## write the documents that are made from the code
	@$(NINJA) caisson_limits_page
	@$(PYTHON) tests/docs/check_page.py --write docs/limits.md build/bin/caisson_limits_page profiles
	@tools/setup.sh build test
	@$(PYTHON) tools/make_openapi.py

format: ## rewrite the sources with clang-format
	@$(PYTHON) tests/lint/check_format.py --fix

tidy: ## clang-tidy over the code that has authority or reads hostile bytes
	@tools/setup.sh build test dev
	@tools/tidy.py -j$(JOBS)

asan: ## unit tests and corpus replay with address and undefined-behaviour sanitizers
	@tools/setup.sh build test
	cmake --preset asan && ninja -C build-asan -j$(JOBS)
	ctest --test-dir build-asan -L 'unit|fuzz-replay' --output-on-failure -j$(JOBS)

tsan: ## unit tests with the thread sanitizer
	@tools/setup.sh build test
	cmake --preset tsan && ninja -C build-tsan -j$(JOBS)
	ctest --test-dir build-tsan -L unit --output-on-failure -j$(JOBS)

fuzz: ## each fuzz target for FUZZ_SECONDS (60), starting from its corpus
	@tools/setup.sh build test dev
	cmake --preset fuzz && tools/fuzz.sh $(FUZZ_SECONDS) $(JOBS)
