// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include "lib/codec.h"

int sluice__bytes_reserve(struct sluice__bytes *b, size_t room)
{
	uint8_t *grown;

	if (room <= b->room)
		return 0;
	/* Twice as much as before, so that many small steps cost few copies. */
	if (room < b->room * 2)
		room = b->room * 2;
	grown = realloc(b->p, room);
	if (!grown)
		return -ENOMEM;
	b->p = grown;
	b->room = room;
	return 0;
}

void sluice__bytes_free(struct sluice__bytes *b)
{
	free(b->p);
	*b = (struct sluice__bytes){0};
}
