# SPDX-License-Identifier: Apache-2.0
# Tests of sluicectl and libsluice, for machines with the module loaded: TAP.

CLI_TESTS := $(addprefix $(B)/tests/sluicectl/,test_library test_sluicectl test_examples)
GUEST_TESTS += $(CLI_TESTS)

# Against the shared library, with what it exports and no more.
$(B)/tests/sluicectl/test_library: $(B)/tests/sluicectl/test_library.o \
		$(B)/tests/socket/harness.o $(B)/tests/socket/topic.o $(B)/libsluice-ctl.a \
		$(B)/libsluice-engine.a $(LIB_SO_LINKS)
	@mkdir -p $(@D)
	$(CC) -o $@ $(filter %.o %.a,$^) -L$(B) -lsluice -Wl,-rpath,'$$ORIGIN/../..' $(CTL_LIBS)

$(B)/tests/sluicectl/test_sluicectl: tests/sluicectl/test_sluicectl.sh $(SLUICECTL)
	@mkdir -p $(@D)
	install -m 755 $< $@

$(B)/tests/sluicectl/test_examples: tests/sluicectl/test_examples.sh $(SLUICECTL) $(LIB_EXAMPLES)
	@mkdir -p $(@D)
	install -m 755 $< $@

# The example of a program of one's own, as its first lines say it is built.
FILTER_BPF := $(B)/examples/filter.bpf.o
TEST_HELPERS += $(FILTER_BPF)

$(FILTER_BPF): lib/examples/filter.bpf.c uapi/linux/sluice.h
	@mkdir -p $(@D)
	$(CLANG) -O2 -Wall -Wextra -Werror -target bpf -Iuapi -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<
