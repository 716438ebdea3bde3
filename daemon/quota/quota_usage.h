/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients that have a quota use, in Kafka's way: the rate over the last
 * quota.window.num windows, and for how long a client has to wait until the
 * rate is at its bound. One for all workers, under a lock.
 */
#ifndef SLUICE_QUOTA_QUOTA_USAGE_H
#define SLUICE_QUOTA_QUOTA_USAGE_H

#include "daemon/quota/quota_table.h"

struct quota_usage;

/** quota_usage_new - @windows of @window_ms each; NULL: no memory */
struct quota_usage *quota_usage_new(unsigned int windows, int64_t window_ms);
void quota_usage_free(struct quota_usage *u);

/**
 * struct quota_use - something that counts
 * @key: which quota
 * @user, @client: who; what @match does not tell apart is left out of account
 * @amount: bytes, or percent of a thread's second
 * @if_allowed: do not count it if it is too much (Fetch: the records are not sent)
 */
struct quota_use {
	enum quota_key key;
	struct kafka_str user;
	struct kafka_str client;
	struct quota_match match;
	double amount;
	bool if_allowed;
};

/** quota_usage_record - count it; returns how long the client must wait, in ms; 0: not at all */
int64_t quota_usage_record(struct quota_usage *u, const struct quota_use *use, int64_t now_ms);

/** quota_usage_window_ms - of how long a time the rate is taken at least */
int64_t quota_usage_window_ms(const struct quota_usage *u);

#endif /* SLUICE_QUOTA_QUOTA_USAGE_H */
