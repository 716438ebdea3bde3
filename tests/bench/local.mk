# SPDX-License-Identifier: Apache-2.0
# What records between processes are compared with.

PEERS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/peers/*.c))
$(B)/tests/bench/bench_local: $(PEERS)
