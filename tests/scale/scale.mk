# SPDX-License-Identifier: Apache-2.0
# Very many partitions, for machines with the module loaded: TAP.

SCALE_TEST := $(B)/tests/scale/test_scale
SCALE_EACH := $(B)/tests/scale/each
GUEST_TESTS += $(SCALE_TEST)
TEST_HELPERS += $(SCALE_EACH)

$(SCALE_TEST): tests/scale/test_scale.sh $(SLUICECTL) $(SCALE_EACH)
	@mkdir -p $(@D)
	install -m 755 $< $@

$(SCALE_EACH): $(B)/%: $(B)/%.o \
		$(addprefix $(B)/tests/socket/,harness.o topic.o record.o) \
		$(B)/libsluice-ctl.a $(B)/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(CTL_LIBS)
