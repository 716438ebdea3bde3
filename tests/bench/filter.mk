# SPDX-License-Identifier: Apache-2.0
# The one program of `make bench` that uses libsluice.

$(B)/tests/bench/bench_filter: $(B)/libsluice.a
$(B)/tests/bench/bench_filter: CTL_LIBS += $(LIB_LIBS)
