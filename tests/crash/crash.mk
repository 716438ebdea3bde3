# SPDX-License-Identifier: Apache-2.0
# Power cuts: make crashtest (mk/test.mk).

CRASH_LOAD := $(B)/tests/crash/load
CRASH_REPLAY := $(B)/tests/crash/replay
TEST_HELPERS += $(CRASH_LOAD) $(CRASH_REPLAY)

$(CRASH_LOAD): $(addprefix $(B)/tests/crash/,load.o send.o produce.o change.o dump.o value.o acks.o) \
		$(addprefix $(B)/tests/socket/,harness.o topic.o record.o batch.o) \
		$(B)/tests/netlink/nl.o $(B)/libsluice-ctl.a $(B)/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(CTL_LIBS)

$(CRASH_REPLAY): $(B)/tests/crash/replay.o $(B)/tests/socket/harness.o
	@mkdir -p $(@D)
	$(CC) -o $@ $^

# The checker, on disks that are broken on purpose.
UNIT_TESTS += tests/crash/test_verify.py
