# SPDX-License-Identifier: Apache-2.0
# Tests of sluicectl and libsluice, for machines with the module loaded: TAP.

CLI_TESTS := $(addprefix $(B)/tests/sluicectl/,test_library test_sluicectl)
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
