// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/config/config.h"

static void assert_refused(const char *text, const char *expected)
{
	struct config_error err;
	struct config c;
	int ret;

	assert_int_equal(config_init(&c), 0);
	ret = config_parse(&c, "f", text, strlen(text), &err);
	if (!ret)
		ret = config_finish(&c, &err);
	assert_int_not_equal(ret, 0);
	if (strncmp(err.text, expected, strlen(expected)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, expected);
	config_free(&c);
}

static void read_config(struct config *c, const char *text)
{
	struct config_error err = {{0}};

	assert_int_equal(config_init(c), 0);
	if (config_parse(c, "f", text, strlen(text), &err) || config_finish(c, &err))
		fail_msg("%s", err.text);
}

static void finish__defaults(void **state)
{
	struct config c;

	(void)state;
	read_config(&c, "");
	assert_int_equal(c.n_listeners, 1);
	assert_string_equal(c.listeners[0].name, "PLAINTEXT");
	assert_string_equal(c.listeners[0].host, "");
	assert_int_equal(c.listeners[0].port, 9092);
	assert_int_equal(c.n_advertised, 0);
	assert_string_equal(c.log_dir, "/var/lib/sluice");
	assert_int_equal(c.node_id, 1);
	assert_int_equal(c.num_partitions, 1);
	assert_int_equal(c.default_replication_factor, 1);
	assert_true(c.auto_create_topics);
	assert_in_range(c.network_threads, 1, 1024);
	assert_int_equal(c.request_max_bytes, 104857600);
	assert_int_equal(c.fetch_max_bytes, 57671680);
	assert_int_equal(c.connections_max_idle_ms, 600000);
	assert_int_equal(c.n_ignored, 0);
	config_free(&c);
}

static void parse__last_one_wins(void **state)
{
	struct config c;

	(void)state;
	read_config(&c, "num.partitions=3\nnum.partitions=4\n");
	assert_int_equal(c.num_partitions, 4);
	config_free(&c);
}

static void parse__old_names_yield_to_new_ones(void **state)
{
	struct config c;

	(void)state;
	read_config(&c, "log.dirs=/a\nlog.dir=/b\nbroker.id=7\n");
	assert_string_equal(c.log_dir, "/a");
	assert_int_equal(c.node_id, 7);
	config_free(&c);
	read_config(&c, "broker.id=-1\n");
	assert_int_equal(c.node_id, 1);
	config_free(&c);
}

static void parse__refuses_with_line(void **state)
{
	(void)state;
	assert_refused("\n\nno.such.key=1", "f:3: no.such.key: there is no such setting");
	assert_refused("a=1\\\n\nnum.partitions=0", "f:1: a: there is no such setting");
	assert_refused("num.partitions=0",
		       "f:1: num.partitions=0: it must be a number from 1 to 100000");
	assert_refused("num.partitions=1x", "f:1: num.partitions=1x: it must be a number");
	assert_refused("num.partitions=", "f:1: num.partitions=: it must be a number");
	assert_refused("node.id=99999999999999999999", "f:1: node.id=");
	assert_refused("auto.create.topics.enable=yes",
		       "f:1: auto.create.topics.enable=yes: it must be true or false");
	assert_refused("log.dirs=/a,/b", "f:1: log.dirs=/a,/b: it must be one absolute path");
	assert_refused("log.dirs=data", "f:1: log.dirs=data: it must be one absolute path");
	assert_refused("x=\\u1", "f:1: \\u needs");
	assert_refused("authorizer.class.name=x", "f:1: authorizer.class.name: this version");
}

static void parse__ignores_what_only_kafka_has(void **state)
{
	struct config c;

	(void)state;
	read_config(&c, "process.roles=broker,controller\nbackground.threads=1\n"
			"process.roles=broker\nlistener.name.x.ssl.keystore.type=PEM\n"
			"authorizer.class.name=\n");
	assert_int_equal(c.n_ignored, 3);
	assert_string_equal(c.ignored[0], "process.roles");
	config_free(&c);
}

static void parse__kafka_s_own_example(void **state)
{
	/* config/server.properties of Apache Kafka 4, without its comments. */
	static const char text[] =
		"process.roles=broker,controller\nnode.id=1\n"
		"controller.quorum.bootstrap.servers=localhost:9093\n"
		"listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n"
		"inter.broker.listener.name=PLAINTEXT\n"
		"advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n"
		"controller.listener.names=CONTROLLER\n"
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,"
		"SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n"
		"num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n"
		"socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n"
		"log.dirs=/tmp/kraft-combined-logs\nnum.partitions=1\n"
		"num.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n"
		"share.coordinator.state.topic.replication.factor=1\n"
		"share.coordinator.state.topic.min.isr=1\n"
		"transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
		"log.retention.hours=168\nlog.segment.bytes=1073741824\n"
		"log.retention.check.interval.ms=300000\n";
	struct config c;

	(void)state;
	read_config(&c, text);
	assert_int_equal(c.n_listeners, 1);
	assert_int_equal(c.n_advertised, 1);
	assert_string_equal(c.advertised[0].host, "localhost");
	assert_int_equal(c.network_threads, 3);
	assert_int_equal(c.recovery_threads, 1);
	assert_string_equal(config_topic_default(&c, "retention.ms"), "604800000");
	config_free(&c);
}

static void topic_default__finer_unit_wins(void **state)
{
	struct config c;

	(void)state;
	read_config(&c, "log.retention.ms=5\nlog.retention.hours=1\nlog.retention.minutes=2\n"
			"log.roll.hours=2\nmessage.max.bytes=1000\n");
	assert_string_equal(config_topic_default(&c, "retention.ms"), "5");
	assert_string_equal(config_topic_default(&c, "segment.ms"), "7200000");
	assert_string_equal(config_topic_default(&c, "max.message.bytes"), "1000");
	assert_null(config_topic_default(&c, "segment.bytes"));
	config_free(&c);
	read_config(&c, "log.retention.hours=-1\n");
	assert_string_equal(config_topic_default(&c, "retention.ms"), "-1");
	config_free(&c);
	assert_refused("log.retention.hours=9223372036854775807", "f:1: log.retention.hours=");
	assert_refused("log.segment.bytes=1", "f:1: log.segment.bytes=1: ");
}

static void finish__fills_the_cleaner(void **state)
{
	struct config_error err;
	struct config c;

	(void)state;
	read_config(&c, "");
	assert_int_equal(config_finish(&c, &err), 0);
	/* CleanerConfig.java, ServerLogConfigs.java. */
	assert_true(c.cleaner.enable);
	assert_int_equal(c.cleaner.threads, 1);
	assert_int_equal(c.cleaner.backoff_ms, 15000);
	assert_int_equal(c.cleaner.dedupe_buffer_bytes, 128 << 20);
	assert_true(c.cleaner.load_factor == 0.9);
	assert_int_equal(c.cleaner.io_buffer_bytes, 512 << 10);
	assert_true(c.cleaner.io_max_bytes_per_second > 1e300);
	assert_int_equal(c.producer_expiration_ms, 86400000);
	config_free(&c);
	assert_refused("log.cleaner.io.max.bytes.per.second=inf", "f:1: log.cleaner.io.max");
	assert_refused("log.cleaner.io.max.bytes.per.second=-1", "f:1: log.cleaner.io.max");
	assert_refused("producer.id.expiration.ms=0", "f:1: producer.id.expiration.ms=0");
}

static void finish__needs_plaintext(void **state)
{
	(void)state;
	assert_refused("listeners=SSL://:9093",
		       "listeners: listener SSL has the security protocol SSL");
	assert_refused("listeners=X://:1\nlistener.security.protocol.map=X:SASL_SSL",
		       "listeners: listener X has the security protocol SASL_SSL");
	assert_refused("listeners=C://:1\ncontroller.listener.names=C", "listeners: all of them");
}

static void listeners__forms(void **state)
{
	struct config c;

	(void)state;
	read_config(&c, "listeners=A://[::1]:1, B://h:65535\n"
			"listener.security.protocol.map=A:PLAINTEXT, b:plaintext\n");
	assert_int_equal(c.n_listeners, 2);
	assert_string_equal(c.listeners[0].host, "::1");
	assert_string_equal(c.listeners[1].host, "h");
	assert_int_equal(c.listeners[1].port, 65535);
	config_free(&c);
	assert_refused("listeners=", "f:1: listeners=: it must name");
	assert_refused("listeners=9092", "f:1: listeners=9092: it must look like");
	assert_refused("listeners=A://h", "f:1: listeners=A://h: it must end with a port");
	assert_refused("listeners=A://h:", "f:1: listeners=A://h:: it must end with a port");
	assert_refused("listeners=A://h:65536", "f:1: listeners=A://h:65536: the port");
	assert_refused("listeners=A://h:99999999999999999999", "f:1: listeners=A://h:9");
	assert_refused("listeners=A://::1:1", "f:1: listeners=A://::1:1: an IPv6 address");
	assert_refused("listeners=A://[::1:1", "f:1: listeners=A://[::1:1: the bracket");
	assert_refused("listeners=A b://h:1", "f:1: listeners=A b://h:1: the name");
	assert_refused("listeners=://h:1", "f:1: listeners=://h:1: the name");
}

static void override__goes_before_the_file(void **state)
{
	struct config_error err;
	struct config c;

	(void)state;
	assert_int_equal(config_init(&c), 0);
	assert_int_equal(config_parse(&c, "f", "num.partitions=3", 16, &err), 0);
	assert_int_equal(config_override(&c, "num.partitions=5", &err), 0);
	assert_int_not_equal(config_override(&c, "num.partitions", &err), 0);
	assert_string_equal(err.text, "--override num.partitions: it must be key=value");
	assert_int_not_equal(config_override(&c, "x=1", &err), 0);
	assert_string_equal(err.text, "--override: x: there is no such setting");
	assert_int_equal(config_finish(&c, &err), 0);
	assert_int_equal(c.num_partitions, 5);
	config_free(&c);
}

static void load__names_what_is_missing(void **state)
{
	struct config_error err;
	struct config c;

	(void)state;
	assert_int_equal(config_init(&c), 0);
	assert_int_not_equal(config_load(&c, "/nonexistent/server.properties", &err), 0);
	assert_string_equal(err.text, "/nonexistent/server.properties: No such file or directory");
	config_free(&c);
}

static void items__are_sorted_and_checked(void **state)
{
	char why[128];

	(void)state;
	for (int i = 0; i < CONFIG_ITEM_COUNT; i++) {
		assert_non_null(config_items[i].doc);
		assert_int_equal(config_item_find(config_items[i].key), i);
		assert_int_equal(config_item_check(&config_items[i], config_items[i].default_value,
						   why, sizeof(why)),
				 0);
		assert_false(config_kafka_key(config_items[i].key));
	}
	/* The table of ignored keys is searched by halves. */
	assert_true(config_kafka_key("alter.config.policy.class.name"));
	assert_true(config_kafka_key("zookeeper.connect"));
	assert_true(config_kafka_key("num.replica.fetchers"));
	assert_false(config_kafka_key("num.replica.fetcher"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finish__defaults),
		cmocka_unit_test(parse__last_one_wins),
		cmocka_unit_test(parse__old_names_yield_to_new_ones),
		cmocka_unit_test(parse__refuses_with_line),
		cmocka_unit_test(parse__ignores_what_only_kafka_has),
		cmocka_unit_test(parse__kafka_s_own_example),
		cmocka_unit_test(topic_default__finer_unit_wins),
		cmocka_unit_test(finish__needs_plaintext),
		cmocka_unit_test(finish__fills_the_cleaner),
		cmocka_unit_test(listeners__forms),
		cmocka_unit_test(override__goes_before_the_file),
		cmocka_unit_test(load__names_what_is_missing),
		cmocka_unit_test(items__are_sorted_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
