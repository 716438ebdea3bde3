# SPDX-License-Identifier: Apache-2.0
# The machine's own test; it boots nothing.

UNIT_TESTS += tests/vm/test_messages.sh
