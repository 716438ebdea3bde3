/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: sluice:sluice_append, sluice_fetch, sluice_roll, sluice_flush.
 *
 * The topic's name is a dynamic array, not a __string, whose macro takes one
 * argument more or less depending on the kernel.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sluice

#if !defined(SLUICE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SLUICE_TRACE_H

#include <linux/tracepoint.h>

#include "partition.h"

TRACE_EVENT(sluice_append,
	    TP_PROTO(const struct sluice_partition *p, s64 base_offset, s32 records, u32 bytes),
	    TP_ARGS(p, base_offset, records, bytes),
	    TP_STRUCT__entry(__dynamic_array(char, topic, strlen(p->topic->name) + 1)
			     __field(u32, partition)
			     __field(s64, base_offset)
			     __field(s32, records)
			     __field(u32, bytes)),
	    TP_fast_assign(memcpy(__get_dynamic_array(topic), p->topic->name,
				  strlen(p->topic->name) + 1);
			   __entry->partition = p->index;
			   __entry->base_offset = base_offset;
			   __entry->records = records;
			   __entry->bytes = bytes;),
	    TP_printk("topic=%s partition=%u base_offset=%lld records=%d bytes=%u",
		      (char *)__get_dynamic_array(topic), __entry->partition,
		      __entry->base_offset, __entry->records, __entry->bytes)
);

TRACE_EVENT(sluice_fetch,
	    TP_PROTO(const struct sluice_partition *p, s64 offset, u64 position, u32 bytes),
	    TP_ARGS(p, offset, position, bytes),
	    TP_STRUCT__entry(__dynamic_array(char, topic, strlen(p->topic->name) + 1)
			     __field(u32, partition)
			     __field(s64, offset)
			     __field(u64, position)
			     __field(u32, bytes)),
	    TP_fast_assign(memcpy(__get_dynamic_array(topic), p->topic->name,
				  strlen(p->topic->name) + 1);
			   __entry->partition = p->index;
			   __entry->offset = offset;
			   __entry->position = position;
			   __entry->bytes = bytes;),
	    TP_printk("topic=%s partition=%u offset=%lld position=%llu bytes=%u",
		      (char *)__get_dynamic_array(topic), __entry->partition,
		      __entry->offset, __entry->position, __entry->bytes)
);

TRACE_EVENT(sluice_roll,
	    TP_PROTO(const struct sluice_partition *p, s64 base_offset),
	    TP_ARGS(p, base_offset),
	    TP_STRUCT__entry(__dynamic_array(char, topic, strlen(p->topic->name) + 1)
			     __field(u32, partition)
			     __field(s64, base_offset)),
	    TP_fast_assign(memcpy(__get_dynamic_array(topic), p->topic->name,
				  strlen(p->topic->name) + 1);
			   __entry->partition = p->index;
			   __entry->base_offset = base_offset;),
	    TP_printk("topic=%s partition=%u base_offset=%lld",
		      (char *)__get_dynamic_array(topic), __entry->partition,
		      __entry->base_offset)
);

TRACE_EVENT(sluice_flush,
	    TP_PROTO(const struct sluice_partition *p, s64 recovery_point, int err),
	    TP_ARGS(p, recovery_point, err),
	    TP_STRUCT__entry(__dynamic_array(char, topic, strlen(p->topic->name) + 1)
			     __field(u32, partition)
			     __field(s64, recovery_point)
			     __field(int, err)),
	    TP_fast_assign(memcpy(__get_dynamic_array(topic), p->topic->name,
				  strlen(p->topic->name) + 1);
			   __entry->partition = p->index;
			   __entry->recovery_point = recovery_point;
			   __entry->err = err;),
	    TP_printk("topic=%s partition=%u recovery_point=%lld err=%d",
		      (char *)__get_dynamic_array(topic), __entry->partition,
		      __entry->recovery_point, __entry->err)
);

#endif /* SLUICE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
