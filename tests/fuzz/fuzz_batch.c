// SPDX-License-Identifier: Apache-2.0
/* A batch as a producer sends it: the header and, uncompressed, the records. */
#include "batch.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sluice_batch b;
	const char *why = NULL;
	int ret;

	if (size < SLUICE_BATCH_HEADER_LEN)
		return 0;
	if (sluice_batch_parse(data, U32_MAX, &b))
		return 0;
	assert(b.size >= SLUICE_BATCH_HEADER_LEN && b.size <= S32_MAX);
	assert(sluice_batch_last_offset(&b) >= b.base_offset);

	for (int as = SLUICE_APPEND_AS_CLIENT; as <= SLUICE_APPEND_AS_COORDINATOR; as++) {
		ret = sluice_batch_check_produce(&b, (enum sluice_append_as)as, &why);
		assert((ret == 0) == (why == NULL));
		why = NULL;
	}
	ret = sluice_records_check(&b, data + SLUICE_BATCH_HEADER_LEN,
				   size - SLUICE_BATCH_HEADER_LEN, &why);
	assert((ret == 0) == (why == NULL));
	return 0;
}
