# SPDX-License-Identifier: Apache-2.0
# The Kafka codec: generated from daemon/kafka/schema, on top of daemon/core.

KAFKA_GEN := $(B)/gen/kafka
KAFKA_GENERATED := $(addprefix $(KAFKA_GEN)/,message.h message.c message_table.h message_table.c \
	fuzz.dict)
KAFKA_GEN_FROM := $(wildcard daemon/kafka/gen_*.py daemon/kafka/schema/*.schema)
GENERATED += $(KAFKA_GENERATED)

# One run writes them all; the others wait for the first.
$(KAFKA_GEN)/message.h: $(KAFKA_GEN_FROM)
	$(PYTHON) daemon/kafka/gen_messages.py $(@D)

$(filter-out %/message.h,$(KAFKA_GENERATED)): $(KAFKA_GEN)/message.h
	@test -e $@ && touch $@

# What the daemon and sluicectl link for it; $(B)/asan/... in tests.
KAFKA_CODEC_SRCS := daemon/core/buf daemon/core/arena daemon/core/wire_read \
	daemon/core/wire_write daemon/kafka/header daemon/kafka/error_code build/gen/kafka/message
KAFKA_CODEC_OBJS := $(KAFKA_CODEC_SRCS:%=$(B)/%.o)
