# SPDX-License-Identifier: Apache-2.0
# sluicectl: the operator's command.

SLUICECTL_SRCS := $(wildcard tools/sluicectl/*.c)
SLUICECTL := $(B)/bin/sluicectl

$(SLUICECTL): $(SLUICECTL_SRCS:%.c=$(B)/%.o) $(B)/libsluice-ctl.a $(B)/libsluice.a \
		$(B)/libsluice-engine.a $(KAFKA_CODEC_OBJS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(CTL_LIBS) $(LIB_LIBS) -ljansson

ALL += $(SLUICECTL)
INSTALL_FILES += $(SLUICECTL):$(bindir)
