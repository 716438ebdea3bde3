// SPDX-License-Identifier: GPL-2.0
/* The tracepoints themselves, and the engine's hooks into them. */

#include "partition.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* A log that is being opened belongs to nobody yet, and is not traced. */

void port_trace_append(const struct sluice_log *log, s64 base_offset, s32 records, u32 bytes)
{
	const struct sluice_partition *p;

	if (!trace_sluice_append_enabled())
		return;
	p = sluice_log_owner(log);
	if (p)
		trace_sluice_append(p, base_offset, records, bytes);
}

void port_trace_fetch(const struct sluice_log *log, s64 offset, u64 position, u32 bytes)
{
	const struct sluice_partition *p;

	if (!trace_sluice_fetch_enabled())
		return;
	p = sluice_log_owner(log);
	if (p)
		trace_sluice_fetch(p, offset, position, bytes);
}

void port_trace_roll(const struct sluice_log *log, s64 base_offset)
{
	const struct sluice_partition *p;

	if (!trace_sluice_roll_enabled())
		return;
	p = sluice_log_owner(log);
	if (p)
		trace_sluice_roll(p, base_offset);
}
