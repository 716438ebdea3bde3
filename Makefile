# SPDX-License-Identifier: Apache-2.0
# Commands for people; `make help` lists them. What is built, and how, is in
# the fragments (*.mk) beside the sources; all output goes to build/.

B := build
PYTHON := /usr/bin/python3
CC := gcc
CLANG := clang
JOBS := $(shell nproc)
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# Objects come in two flavours: build/<path>.o for use, and build/asan/<path>.o
# for the tests, under AddressSanitizer and UndefinedBehaviorSanitizer.
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS := -std=gnu11 -g -O2 $(WARN) -D_GNU_SOURCE -I. -Iuapi -I$(B)/gen -Ikmod/log
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

all:	## build the module (for the running kernel's headers if there, else 6.1), daemon, CLI and library

# Fragments add to these.
ALL :=          # what plain `make` builds
UNIT_TESTS :=   # programs that `make check` runs: cmocka, exit status, seconds
GUEST_TESTS :=  # programs that `make test` runs inside the machines: TAP
DEBUG_TESTS :=  # the same, for the machine with the debug kernel alone
TEST_HELPERS := # programs that tests run by themselves
FUZZERS :=      # libFuzzer programs, run for FUZZ_SECONDS each
GENERATED :=    # headers that must exist before anything is compiled

include $(sort $(wildcard kmod/*.mk kmod/log/*.mk lib/*.mk daemon/*.mk tools/*/*.mk tests/*/*.mk))
# Last: their rules have the lists above as prerequisites.
include $(sort $(wildcard mk/*.mk))

# Missing packages are named before a compiler stumbles over them.
all: build-deps
	@$(MAKE) -s all-built

all-built: $(ALL)

build-deps:
	@mk/deps.sh --check build

help:	## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile $(sort $(wildcard mk/*.mk)) | expand -t 20

deps:	## install the packages that building, running and testing need
	@mk/deps.sh build vm test

$(B)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<

$(B)/asan/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -O1 -MMD -MP -c -o $@ $<

$(B)/fuzz/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CLANG) $(CFLAGS) -Wno-error -fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=all -O1 -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name '*.d' -not -path '*/kmod-*' 2>/dev/null)

clean:	## remove build/ (the cache outside the tree stays)
	rm -rf $(B)

.DELETE_ON_ERROR:
.PHONY: all all-built build-deps help deps clean
