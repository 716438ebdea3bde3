# SPDX-License-Identifier: Apache-2.0
# Power cuts: N disks, each cut CUTS times.

CRASH_LOAD := $(B)/tests/crash/load
TEST_HELPERS += $(CRASH_LOAD)

$(CRASH_LOAD): $(B)/tests/crash/load.o $(addprefix $(B)/tests/socket/,harness.o topic.o record.o batch.o) \
		$(B)/libsluice-ctl.a $(B)/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(CTL_LIBS)

crashtest:	## cut the power of machines under load [N=2] [CUTS=1] [SEED=…]
	@mk/deps.sh build vm test
	@$(MAKE) -s -j$(JOBS) all KERNEL=6.1
	@$(MAKE) -s -j$(JOBS) module KERNEL=6.12
	@$(MAKE) -s -j$(JOBS) $(CRASH_LOAD)
	@CUTS=$(or $(CUTS),1) SEED=$(SEED) tests/crash/crash.sh $(or $(N),2)

.PHONY: crashtest
