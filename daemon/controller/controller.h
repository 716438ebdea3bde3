/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller: one thread that makes all changes to topics, so that no
 * worker waits for directories, fsync or netlink, and that tells the workers
 * what topics there are. It also hears of what others change (sluicectl).
 */
#ifndef SLUICE_CONTROLLER_CONTROLLER_H
#define SLUICE_CONTROLLER_CONTROLLER_H

#include "daemon/broker.h"
#include "daemon/core/mailbox.h"
#include "daemon/kern/kern.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/metadata/image.h"

struct controller;
struct coordinators;
struct worker;

/**
 * struct controller_call - something a worker wants the controller to do
 * @work: called in the controller's thread; may use the functions below
 * @reply: then called in the worker's thread
 * @reply_to: the worker's mailbox
 * @mail: private
 * The worker does not touch what the call refers to between the two.
 */
struct controller_call {
	void (*work)(struct controller *c, struct controller_call *call);
	void (*reply)(struct controller_call *call);
	struct mailbox *reply_to;
	struct mail mail;
};

/**
 * controller_open - read what there is; @k: taken, also on failure
 * @broker: its config is finished and its log_dir is up
 * Returns 0 or -errno, which was said in the diagnostics.
 */
int controller_open(const struct broker *broker, struct kern *k, struct controller **ret_c);

/** controller_image - the image as it is now; a reference for the caller. Before controller_start() */
struct image *controller_image(struct controller *c);

/** controller_start - start the thread, which posts images to @coordinators and the @n workers; 0 or -errno */
int controller_start(struct controller *c, struct coordinators *coordinators,
		     struct worker *workers, unsigned int n);

/** controller_stop - end and join the thread; no worker is running any more */
void controller_stop(struct controller *c);
void controller_close(struct controller *c);

/**
 * controller_reload - from any thread: have another configuration file in force
 * @base: taken; finished; as config_keep_static() left it
 * Returns 0, or -ENOMEM.
 */
int controller_reload(struct controller *c, struct config *base);

/** controller_submit - from any worker; cannot fail */
void controller_submit(struct controller *c, struct controller_call *call);

/* For a call's work(), in the controller's thread. Errors as in log_dir.h. */

/** controller_topic - the topic as the kernel has it now, or NULL; good until the work ends */
const struct image_topic *controller_topic(struct controller *c, const char *name, size_t len);
const struct image_topic *controller_topic_by_id(struct controller *c,
						 const uint8_t id[SLUICE_TOPIC_ID_LEN]);

int controller_topic_create(struct controller *c, const char *name, uint32_t partition_count,
			    const struct log_dir_setting *settings, size_t n_settings,
			    uint8_t ret_id[SLUICE_TOPIC_ID_LEN], struct log_dir_error *err);

/** controller_topic_grow - give a topic more partitions; see log_dir_topic_grow() */
int controller_topic_grow(struct controller *c, const struct image_topic *topic,
			  uint32_t partition_count, bool validate_only, struct log_dir_error *err);

/** controller_internal_topic_create - OFFSETS_TOPIC or TXN_TOPIC, as the broker is set */
int controller_internal_topic_create(struct controller *c, const char *name,
				     struct log_dir_error *err);

int controller_topic_delete(struct controller *c, const struct image_topic *topic,
			    struct log_dir_error *err);

/**
 * controller_topic_alter - change a topic's settings; see log_dir_alter()
 * The broker's defaults stand for those that are taken back.
 */
int controller_topic_alter(struct controller *c, const struct log_dir *d, const char *name,
			   const struct log_dir_setting *changes, size_t n_changes,
			   bool validate_only, struct log_dir_error *err);

/**
 * controller_delete_records - let a partition begin at @offset
 * @offset: -1: at the high watermark
 * @ret_start: where it begins now
 * Returns 0; -ERANGE if @offset is beyond the high watermark; others.
 */
int controller_delete_records(struct controller *c, const struct image_topic *topic,
			      uint32_t partition, int64_t offset, int64_t *ret_start,
			      struct log_dir_error *err);

/**
 * controller_topic_policy - cleanup.policy of a topic as the log has it now
 * The image may not know yet what sluicectl changed.
 * @ret_policy: KERN_CLEANUP_*
 */
int controller_topic_policy(struct controller *c, const struct image_topic *topic,
			    uint32_t *ret_policy, struct log_dir_error *err);

/** controller_partitions - what the kernel says of a topic's; kern_partitions_free() them */
int controller_partitions(struct controller *c, const struct image_topic *topic,
			  struct kern_partition **ret_partitions, size_t *ret_n);

/** controller_topics - all of them, as controller_topic() */
const struct image_topic *controller_topics(struct controller *c, size_t *ret_n);

/** controller_quotas - those that are set; good until the work ends */
const struct quota_table *controller_quotas(struct controller *c);

/** controller_quotas_set - @quotas, taken, stand for them from now on, and are stored */
int controller_quotas_set(struct controller *c, struct quota_table *quotas,
			  struct log_dir_error *err);

/** controller_config - as it is now; good until the work ends or changes it */
const struct config_layers *controller_config(struct controller *c);

/**
 * controller_config_set - @dynamic counts over the file from now on, and is stored
 * @dynamic: borrowed
 * Returns 0; -EINVAL a value cannot be; others, with @err.
 */
int controller_config_set(struct controller *c, const struct dynamic_config *dynamic,
			  bool validate_only, struct log_dir_error *err);

/** controller_producer_id - one that nobody was ever given */
int controller_producer_id(struct controller *c, int64_t *ret_id, struct log_dir_error *err);

/** controller_producer_ids - the first of @n likewise */
int controller_producer_ids(struct controller *c, int64_t n, int64_t *ret_first,
			    struct log_dir_error *err);

#endif /* SLUICE_CONTROLLER_CONTROLLER_H */
