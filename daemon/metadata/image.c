// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/metadata/image.h"

struct image {
	atomic_uint refs;
	size_t n;
	struct image_topic *topics; /* by name */
	const struct image_topic **by_id;
	struct quota_table *quotas;
};

static int compare_names(const void *a, const void *b)
{
	const struct image_topic *x = a;
	const struct image_topic *y = b;

	return strcmp(x->name, y->name);
}

static int compare_ids(const void *a, const void *b)
{
	const struct image_topic *const *x = a;
	const struct image_topic *const *y = b;

	return memcmp((*x)->id, (*y)->id, SLUICE_TOPIC_ID_LEN);
}

static void image_free(struct image *image)
{
	for (size_t i = 0; i < image->n; i++)
		free((char *)(uintptr_t)image->topics[i].data_dir);
	free(image->topics);
	free(image->by_id);
	quota_table_put(image->quotas);
	free(image);
}

void image_set_quotas(struct image *image, struct quota_table *quotas)
{
	size_t n;

	quota_table_entities(quotas, &n);
	image->quotas = n ? quota_table_get(quotas) : NULL;
}

const struct quota_table *image_quotas(const struct image *image)
{
	return image->quotas;
}

int image_build(const struct kern_topic *topics, const struct record_codec *codecs, size_t n,
		struct image **ret_image)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return -ENOMEM;
	atomic_init(&image->refs, 1);
	image->topics = calloc(n ? n : 1, sizeof(*image->topics));
	image->by_id = calloc(n ? n : 1, sizeof(*image->by_id));
	if (!image->topics || !image->by_id)
		goto err_free;
	for (size_t i = 0; i < n; i++) {
		struct image_topic *t = &image->topics[i];

		memcpy(t->name, topics[i].name, sizeof(t->name));
		memcpy(t->id, topics[i].id, sizeof(t->id));
		t->partition_count = (int32_t)topics[i].partition_count;
		t->leader_epoch = topics[i].leader_epoch;
		t->config = topics[i].config;
		t->codec =
			codecs ? codecs[i] : (struct record_codec){.codec = RECORD_CODEC_PRODUCER};
		t->data_dir = strdup(topics[i].data_dir ? topics[i].data_dir : "");
		if (!t->data_dir)
			goto err_free;
		image->n++;
	}
	qsort(image->topics, n, sizeof(*image->topics), compare_names);
	for (size_t i = 0; i < n; i++)
		image->by_id[i] = &image->topics[i];
	qsort(image->by_id, n, sizeof(*image->by_id), compare_ids);
	*ret_image = image;
	return 0;

err_free:
	image_free(image);
	return -ENOMEM;
}

struct image *image_get(struct image *image)
{
	atomic_fetch_add_explicit(&image->refs, 1, memory_order_relaxed);
	return image;
}

void image_put(struct image *image)
{
	if (image && atomic_fetch_sub_explicit(&image->refs, 1, memory_order_acq_rel) == 1)
		image_free(image);
}

const struct image_topic *image_topics(const struct image *image, size_t *ret_n)
{
	*ret_n = image->n;
	return image->topics;
}

const struct image_topic *image_by_name(const struct image *image, const char *name, size_t len)
{
	struct image_topic key;

	if (len > SLUICE_TOPIC_NAME_MAX || memchr(name, '\0', len))
		return NULL;
	memcpy(key.name, name, len);
	key.name[len] = '\0';
	return bsearch(&key, image->topics, image->n, sizeof(key), compare_names);
}

const struct image_topic *image_by_id(const struct image *image,
				      const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	struct image_topic key;
	const struct image_topic *key_at = &key;
	const struct image_topic **found;

	memcpy(key.id, id, sizeof(key.id));
	found = bsearch(&key_at, image->by_id, image->n, sizeof(*image->by_id), compare_ids);
	return found ? *found : NULL;
}
