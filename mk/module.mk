# SPDX-License-Identifier: Apache-2.0
# The kernel module, one build for each kernel: build/kmod-<kernel>/sluice.ko.

# Plain `make` builds for the running kernel where that is possible.
NATIVE_HEADERS := $(wildcard /lib/modules/$(shell uname -r)/build)
MODULE_KERNEL := $(or $(KERNEL),$(if $(NATIVE_HEADERS),native,6.1))
MODULE_SRCS := $(wildcard Kbuild kmod/*.[ch] kmod/*/*.[ch] uapi/linux/*.h tests/kunit/*)
MODULE_KOS := $(foreach k,6.1 6.12 debug native,$(B)/kmod-$(k)/sluice.ko)

$(MODULE_KOS): $(B)/kmod-%/sluice.ko: $(MODULE_SRCS) mk/module.sh $(B)/kmod-%/kernel | $(GENERATED)
	mk/module.sh $*
	@touch $@

# Changes when the kernel does, so that a newer one gets its own module.
$(B)/kmod-%/kernel: FORCE
	@mkdir -p $(@D)
	@dir=$$(if [ $* = native ]; then uname -r; else tests/vm/kernel.sh $*; fi) && \
		{ [ "$$dir" = "$$(cat $@ 2> /dev/null)" ] || echo "$$dir" > $@; }

FORCE:

ALL += $(B)/kmod-$(MODULE_KERNEL)/sluice.ko

module: $(B)/kmod-$(MODULE_KERNEL)/sluice.ko	## the module alone, for KERNEL=6.1|6.12|debug|native

SPARSE_KERNELS := 6.1 6.12
sparse: $(SPARSE_KERNELS:%=sparse-%)	## check the module with sparse, for both stock kernels
sparse-%: | $(GENERATED)
	mk/module.sh $* C=2 CF=-D__CHECK_ENDIAN__

checkpatch:	## check the module's style with the kernel's checkpatch.pl
	mk/checkpatch.sh


.PRECIOUS: $(B)/kmod-%/kernel
.PHONY: module sparse checkpatch FORCE
