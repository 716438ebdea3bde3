# SPDX-License-Identifier: Apache-2.0
# sluice-dump-log: the engine's own reader of log files.

DUMP_LOG_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tools/dump-log/*.c))

$(B)/sluice-dump-log: $(DUMP_LOG_OBJS) $(B)/libsluice-engine.a
	$(CC) -o $@ $^ -lpthread

ALL += $(B)/sluice-dump-log
