// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/live_config.h"
#include "daemon/config/topic_default.h"
#include "daemon/core/diag.h"

/** struct live_config - @lock: protects @layers, the reference */
struct live_config {
	pthread_mutex_t lock;
	struct config_layers *layers;
};

bool config_dynamic(const char *key)
{
	enum config_id id = config_item_find(key);
	struct topic_default d;

	if (id != CONFIG_ITEM_COUNT)
		return config_items[id].dynamic && !strcmp(config_items[id].key, key);
	/* Those in hours and minutes are of the file alone, as in Kafka. */
	return topic_default_find(key, &d) && d.own_name;
}

/* One that was stored by another version, or names a host that is gone, must not stop the broker. */
static int lay_one(struct config_layers *l, enum config_scope scope, const char *key,
		   const char *value, bool strict, struct config_error *err)
{
	int ret = 0;

	if (!config_dynamic(key)) {
		snprintf(err->text, sizeof(err->text), "%s cannot be changed while the broker runs",
			 key);
		ret = -EINVAL;
	}
	if (!ret)
		ret = config_set(&l->now, NULL, key, value, err);
	if (!ret)
		return dynamic_config_set(&l->dynamic, scope, key, value);
	if (strict || ret != -EINVAL)
		return ret;
	diag(DIAG_ERROR, "a setting that was stored is left out: %s", err->text);
	return 0;
}

static int lay(struct config_layers *l, const struct dynamic_config *dynamic, bool strict,
	       struct config_error *err)
{
	int ret = 0;

	/* The broker's own last, so that they win. */
	for (int scope = CONFIG_SCOPES - 1; scope >= 0; scope--) {
		const struct config_settings *s = &dynamic->scopes[scope];

		for (size_t i = 0; !ret && i < s->n; i++)
			ret = lay_one(l, (enum config_scope)scope, s->items[i].key,
				      s->items[i].value, strict, err);
	}
	return ret ? ret : config_finish(&l->now, err);
}

int config_layers_new(const struct config *base, const struct dynamic_config *dynamic, bool strict,
		      struct config_layers **ret, struct config_error *err)
{
	struct config_layers *l = calloc(1, sizeof(*l));
	int result = -ENOMEM;

	snprintf(err->text, sizeof(err->text), "out of memory");
	if (!l)
		return result;
	atomic_init(&l->refs, 1);
	result = config_copy(&l->base, base);
	if (!result)
		result = config_copy(&l->now, base);
	if (!result)
		result = lay(l, dynamic, strict, err);
	if (result)
		config_layers_put(l);
	else
		*ret = l;
	return result;
}

void config_layers_put(struct config_layers *l)
{
	if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	config_free(&l->base);
	config_free(&l->now);
	dynamic_config_free(&l->dynamic);
	free(l);
}

int config_keep_static(struct config *fresh, const struct config *running, char *changed,
		       size_t size, struct config_error *err)
{
	size_t at = 0;

	*changed = '\0';
	for (int id = 0; id < CONFIG_ITEM_COUNT; id++) {
		const struct config_item *item = &config_items[id];
		char *text;

		if (item->dynamic)
			continue;
		if (strcmp(fresh->text[id], running->text[id]) && at < size)
			at += (size_t)snprintf(changed + at, size - at, "%s%s", at ? ", " : "",
					       item->key);
		text = strdup(running->text[id]);
		if (!text) {
			snprintf(err->text, sizeof(err->text), "out of memory");
			return -ENOMEM;
		}
		free(fresh->text[id]);
		fresh->text[id] = text;
		fresh->given[id] = running->given[id];
	}
	memcpy(fresh->listeners, running->listeners, sizeof(fresh->listeners));
	fresh->n_listeners = running->n_listeners;
	memcpy(fresh->advertised, running->advertised, sizeof(fresh->advertised));
	fresh->n_advertised = running->n_advertised;
	return config_finish(fresh, err);
}

struct live_config *live_config_new(const struct config *base)
{
	const struct dynamic_config none = {0};
	struct live_config *live = calloc(1, sizeof(*live));
	struct config_error err;

	if (!live)
		return NULL;
	if (config_layers_new(base, &none, /* strict= */ true, &live->layers, &err)) {
		free(live);
		return NULL;
	}
	pthread_mutex_init(&live->lock, NULL);
	return live;
}

void live_config_free(struct live_config *live)
{
	if (!live)
		return;
	config_layers_put(live->layers);
	pthread_mutex_destroy(&live->lock);
	free(live);
}

struct config_layers *live_config_get(struct live_config *live)
{
	struct config_layers *l;

	pthread_mutex_lock(&live->lock);
	l = live->layers;
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&live->lock);
	return l;
}

void live_config_set(struct live_config *live, struct config_layers *l)
{
	struct config_layers *old;

	pthread_mutex_lock(&live->lock);
	old = live->layers;
	live->layers = l;
	pthread_mutex_unlock(&live->lock);
	config_layers_put(old);
}
