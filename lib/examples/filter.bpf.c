// SPDX-License-Identifier: Apache-2.0
/*
 * A filter that no expression says: records whose offset is divisible by ten.
 *
 *	clang -O2 -target bpf -c filter.bpf.c
 *	sluicectl consume --filter-bpf filter.bpf.o TOPIC
 */
#include <linux/bpf.h>
#include <linux/sluice.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int every_tenth(struct __sk_buff *skb)
{
	__be64 offset;
	__be32 flags;

	if (bpf_skb_load_bytes(skb, __builtin_offsetof(struct sluice_filter_view, flags), &flags,
			       sizeof(flags)) ||
	    bpf_skb_load_bytes(skb, __builtin_offsetof(struct sluice_filter_view, offset), &offset,
			       sizeof(offset)))
		return 0;
	/* Compressed: the records are not seen from here. */
	if (flags & bpf_htonl(SLUICE_RECORD_BATCH))
		return 1;
	return bpf_be64_to_cpu(offset) % 10 == 0;
}

char license_of_program[] SEC("license") = "Apache-2.0";
