# SPDX-License-Identifier: Apache-2.0
# Fault injection, which only the debug kernel can do. No sanitizers: their
# shadow memory would be what fails.

FAULT_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/fault/*.c)) \
	$(addprefix $(B)/tests/socket/,harness.o topic.o record.o batch.o filter.o)
FAULT_TESTS := $(B)/tests/fault/fault-xfs.sh $(B)/tests/fault/fault-ext4.sh
DEBUG_TESTS += $(FAULT_TESTS)

$(B)/tests/fault/fault: $(FAULT_OBJS) $(B)/libsluice-ctl.a $(B)/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(CTL_LIBS)

# One for each file system, each with the time limit of a program.
$(FAULT_TESTS): tests/fault/fault.sh $(B)/tests/fault/fault
	cp $< $@
