# SPDX-License-Identifier: Apache-2.0
# What is checked without a machine: form, static checks, unit tests, fuzzers.

UNIT_SECONDS := 60

# The module is built for each kernel on its own (mk/test.sh).
USER_ALL = $(filter-out $(MODULE_KOS),$(ALL))
FUZZ_SECONDS ?= 5

# kmod/ is the kernel's style, which checkpatch knows and clang-format does not.
FORMATTED = $(shell git ls-files -co --exclude-standard '*.c' '*.h' ':!kmod' ':!tests/kunit' ':!uapi')

format:	## put all C files outside kmod/ into form
	clang-format -i $(FORMATTED)

check-format:
	@clang-format --dry-run -Werror $(FORMATTED)

check-tidy: | $(GENERATED)
	@$(PYTHON) mk/tidy.py

check-shell:
	@shellcheck -S warning $$(git ls-files -co --exclude-standard '*.sh' .ci/run)

check-unit: $(UNIT_TESTS)
	@mk/run-tests.sh $(UNIT_SECONDS) $(UNIT_TESTS)

check:	## formatting, static checks and unit tests, under two minutes
	@mk/deps.sh build test
	@$(MAKE) -s -j$(JOBS) $(USER_ALL) $(UNIT_TESTS)
	@$(MAKE) check-format check-tidy check-shell
	@$(MAKE) check-unit

fuzz:	## run each fuzzer for FUZZ_SECONDS (5)
	@mk/deps.sh build test
	@$(MAKE) -s -j$(JOBS) $(FUZZERS)
	@mk/run-tests.sh --fuzz $(FUZZ_SECONDS) $(FUZZERS)

.PHONY: format check-format check-tidy check-shell check-unit check fuzz
