# SPDX-License-Identifier: Apache-2.0
# What CI runs.

BENCH_KERNELS := $(or $(KERNELS),6.1 6.12)

user-all: $(USER_ALL) $(UNIT_TESTS) $(FUZZERS) $(GUEST_TESTS) $(DEBUG_TESTS) $(TEST_HELPERS)

test:	## everything CI runs: check, fuzz, modules, machines with 6.1, 6.12 and the debug kernel
	@mk/deps.sh build vm test
	@UNIT_TESTS="$(UNIT_TESTS)" FUZZERS="$(FUZZERS)" GUEST_TESTS="$(GUEST_TESTS)" \
		DEBUG_TESTS="$(DEBUG_TESTS)" FUZZ_SECONDS=$(FUZZ_SECONDS) JOBS=$(JOBS) mk/test.sh

test-machine:	## all tests on one kernel: KERNEL=6.1|6.12|debug [FS=ext4|xfs]
	@mk/deps.sh build vm test
	@$(MAKE) -s -j$(JOBS) all user-all KERNEL=$(VM_KERNEL)
	@tests/vm/test-machine.sh $(VM_KERNEL) $(or $(FS),ext4) \
		$(GUEST_TESTS) $(if $(filter debug,$(VM_KERNEL)),$(DEBUG_TESTS))

crashtest:	## cut the power of machines under load [N=2] [CUTS=1] [FLUSHES=6|all] [SEED=…]
	@mk/deps.sh build vm test
	@$(MAKE) -s -j$(JOBS) all KERNEL=6.1
	@$(MAKE) -s -j$(JOBS) module KERNEL=6.12
	@$(MAKE) -s -j$(JOBS) $(CRASH_LOAD) $(CRASH_REPLAY)
	@CUTS=$(or $(CUTS),1) SEED=$(SEED) FLUSHES=$(FLUSHES) tests/crash/crash.sh $(or $(N),2)

differential:	## ask Apache Kafka and the daemon the same, and compare [CASES="metadata …"]
	@mk/deps.sh build test
	@$(MAKE) -s -j$(JOBS) build/tests/sluiced-userspace
	@tests/kafka/differential/differential.sh $(CASES)

scale:	## make, fill, take down and reopen very many partitions [N=5000] [KERNEL=6.1|6.12] [FS=ext4|xfs]
	@mk/deps.sh build vm test
	@$(MAKE) -s -j$(JOBS) all $(SCALE_EACH) KERNEL=$(VM_KERNEL)
	@tests/vm/vm.sh -k $(VM_KERNEL) -f $(or $(FS),ext4) -m 7168 -s 16384 -t 7200 -- \
		tests/scale/test_scale.sh $(or $(N),5000)

bench:	## measure, and print the table [KERNELS="6.1 6.12"] [FS="ext4 xfs"] [WALL=1]
	@mk/deps.sh build vm test
	@$(MAKE) -s -j$(JOBS) $(USER_ALL) $(BENCH_PROGRAMS)
	@for kernel in $(BENCH_KERNELS); do $(MAKE) -s module KERNEL=$$kernel || exit; done
	@mk/bench.sh $(if $(WALL),--wall) $(BENCH_KERNELS) -- $(or $(FS),ext4 xfs)

.PHONY: differential user-all test crashtest test-machine scale bench
