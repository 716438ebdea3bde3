# SPDX-License-Identifier: Apache-2.0
# Commands that run sluice: in a machine of its own, or in this one (NATIVE=1).

PORT ?= 9092
VM_KERNEL := $(or $(KERNEL),6.1)

run:	## run sluice in a machine [KERNEL=6.1|6.12] [PORT=9092] [DATA=dir] [DETACH=1] [BROKER_CONF=file] [FS=ext4|xfs] [NATIVE=1]
ifdef NATIVE
	@mk/native.sh check "$(PORT)"
	@mk/deps.sh build
	@$(MAKE) -s -j$(JOBS) all KERNEL=native
	@mk/native.sh up "$(PORT)" "$(DATA)" "$(BROKER_CONF)"
else
	@mk/deps.sh build vm
	@echo "run: building"
	@$(MAKE) -s -j$(JOBS) all KERNEL=$(VM_KERNEL)
	@tests/vm/run.sh "$(VM_KERNEL)" "$(PORT)" "$(DATA)" "$(BROKER_CONF)" "$(DETACH)"
endif

stop:	## stop what `make run` started [PORT=9092] [NATIVE=1]
ifdef NATIVE
	@mk/native.sh down
else
	@tests/vm/stop.sh "$(PORT)"
endif

shell:	## a shell in the running machine, or one command: CMD='…' [PORT=9092]
	@$(PYTHON) tests/vm/shell.py "$$(tests/vm/state-dir.sh "$(PORT)")" $(if $(CMD),"$$CMD")

# CMD goes through the environment, so that its quotes survive.
export CMD

vm:	## boot, run CMD='…', leave with its status [KERNEL=6.1|6.12|debug] [MEM=MiB] [FS=ext4|xfs] [OUT=dir] [ICOUNT=1] [NODAEMON=1] [NOLOAD=1]
	@test -n "$$CMD" || { echo "vm: say what to run: make vm CMD='…'"; exit 2; }
	@mk/deps.sh build vm
	@$(MAKE) -s -j$(JOBS) all KERNEL=$(VM_KERNEL) CMD=
	@tests/vm/vm.sh -k $(VM_KERNEL) $(if $(MEM),-m $(MEM)) $(if $(FS),-f $(FS)) \
		$(if $(OUT),-o "$(OUT)") $(if $(ICOUNT),-i) $(if $(NODAEMON),-n) $(if $(NOLOAD),-N) \
		$(if $(BROKER_CONF),-c "$(BROKER_CONF)") $(if $(TIMEOUT),-t $(TIMEOUT)) -- "$$CMD"

.PHONY: run stop shell vm
