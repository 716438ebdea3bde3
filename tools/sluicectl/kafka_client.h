/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a broker over the Kafka protocol, for the topic commands and config.
 */
#ifndef SLUICECTL_KAFKA_CLIENT_H
#define SLUICECTL_KAFKA_CLIENT_H

#include "kafka/message.h"
#include "tools/sluicectl/ctl.h"

struct kafka_client;

/**
 * kafka_client_open() - connect to --bootstrap and ask what it can do
 * Returns CTL_OK, or another status after saying why.
 */
int kafka_client_open(struct ctl *ctl, struct kafka_client **ret_c);
void kafka_client_close(struct kafka_client *c);

/**
 * kafka_client_call() - send a request and wait for its response
 * @api: KAFKA_API_*
 * @encode: appends the request in a version that both sides have
 * @decode: reads the response
 * Returns CTL_OK, or another status after saying why. The response stays valid
 * until the next call.
 */
int kafka_client_call(struct kafka_client *c, int16_t api,
		      void (*encode)(struct wire_writer *w, int16_t version, const void *request),
		      const void *request,
		      int (*decode)(struct wire_reader *r, struct arena *a, int16_t version,
				    void *response),
		      void *response);

/* The generated functions have typed arguments; a call takes any. */
#define KAFKA_CLIENT_MESSAGE(name)                                                             \
	static void encode_##name(struct wire_writer *w, int16_t version, const void *request) \
	{                                                                                      \
		kafka_##name##_request_encode(w, version, request);                            \
	}                                                                                      \
	static int decode_##name(struct wire_reader *r, struct arena *a, int16_t version,      \
				 void *response)                                               \
	{                                                                                      \
		return kafka_##name##_response_decode(r, a, version, response);                \
	}

/** kafka_client_fail() - say what an error code of a response means */
int kafka_client_fail(int16_t error_code, struct kafka_str message, const char *topic);

/* The topic commands with -b (kafka_topic.c). */
struct kafka_topic_settings {
	int64_t partition_count;
	int64_t replication_factor; /* -1: the broker's default */
	const struct log_dir_setting *settings;
	size_t n_settings;
	bool if_not_exists;
};
int kafka_topic_create(struct ctl *ctl, char *const *names, size_t n,
		       const struct kafka_topic_settings *settings);
int kafka_topic_list(struct ctl *ctl, bool quiet);
int kafka_topic_describe(struct ctl *ctl, char *const *names, size_t n);
int kafka_topic_delete(struct ctl *ctl, char *const *names, size_t n, bool if_exists);

#endif /* SLUICECTL_KAFKA_CLIENT_H */
