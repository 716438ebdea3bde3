# SPDX-License-Identifier: Apache-2.0
# The module comes and goes under load; for machines with it loaded: TAP.

RELOAD_TEST := $(B)/tests/reload/test_reload
GUEST_TESTS += $(RELOAD_TEST)

$(RELOAD_TEST): tests/reload/test_reload.sh $(SLUICECTL)
	@mkdir -p $(@D)
	install -m 755 $< $@
