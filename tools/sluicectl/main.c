// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl: the command line and its table of commands.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "lib/sluice.h"
#include "tools/sluicectl/ctl.h"

static int cmd_topic(struct ctl *ctl, int argc, char **argv);
static int cmd_partition(struct ctl *ctl, int argc, char **argv);
static int cmd_log(struct ctl *ctl, int argc, char **argv);
static int cmd_socket(struct ctl *ctl, int argc, char **argv);

static const struct ctl_command commands[] = {
	{"up", cmd_up,
	 "usage: sluicectl up [--module FILE] [DIR]\n"
	 "Load the module if need be, recover the logs of a data directory, and open its\n"
	 "topics. Does nothing that is done already.\n"
	 "      --module FILE  load this file instead of 'modprobe sluice'\n"},
	{"down", cmd_down,
	 "usage: sluicectl down [-u] [DIR]\n"
	 "Put all records on stable storage and close the topics: of DIR, or of all\n"
	 "directories.\n"
	 "  -u, --unload  unload the module too\n"},
	{"topic", cmd_topic,
	 "usage: sluicectl topic create|list|describe|config|delete ...\n"
	 "Manage topics; 'sluicectl topic COMMAND --help' says more.\n"},
	{"produce", cmd_produce,
	 "usage: sluicectl produce [-p PARTITION] [-k SEPARATOR] [-H NAME=VALUE] [-d] [-Z]\n"
	 "                         TOPIC [FILE...]\n"
	 "Append each line of the files, or of standard input, as a record.\n"
	 "  -p, --partition N       to this partition; else the key decides\n"
	 "  -k, --key SEPARATOR     what is before the separator is the record's key\n"
	 "  -H, --header NAME=VALUE a header for every record; may repeat\n"
	 "  -d, --durable           go on only when a record is on stable storage\n"
	 "  -Z, --null              an empty value is none: a tombstone\n"
	 "      --linger MS         a batch is in memory for so long before it is in the file\n"
	 "      --batch-bytes N     batches are so large at most; as the topic says else\n"},
	{"consume", cmd_consume,
	 "usage: sluicectl consume [-p PARTITION] [-o OFFSET] [-n COUNT] [-e] [-f FORMAT] TOPIC\n"
	 "Print records as they come, from the end of the topic on.\n"
	 "  -p, --partition N     only this partition\n"
	 "  -o, --offset OFFSET   start at an offset, 'earliest' or 'latest'\n"
	 "      --from-beginning  the same as -o earliest\n"
	 "      --from-time TIME  start at the first record not older than that: ms since\n"
	 "                        the epoch, 2026-11-23T20:00:00Z, or 90s, 10m, 2h, 1d ago\n"
	 "  -n, --count N         end after so many records\n"
	 "  -e, --exit            end when there is no more to read\n"
	 "  -t, --timeout SECONDS end when nothing came for so long\n"
	 "  -f, --format FORMAT   %v value, %k key, %o offset, %p partition, %T time in ms,\n"
	 "                        %t topic, %h headers, %% percent, \\n \\t \\0 \\\\ as in C;\n"
	 "                        '%v\\n' unless given\n"},
	{"partition", cmd_partition,
	 "usage: sluicectl partition list [TOPIC]\n"
	 "       sluicectl partition describe TOPIC PARTITION\n"
	 "       sluicectl partition delete-records TOPIC PARTITION OFFSET\n"
	 "       sluicectl partition truncate TOPIC PARTITION OFFSET\n"
	 "Offsets, sizes, state and counters.\n"},
	{"log", cmd_log,
	 "usage: sluicectl log check|dump ...\n"
	 "Look into the files of logs; 'sluicectl log COMMAND --help' says more.\n"},
	{"config", cmd_config,
	 "usage: sluicectl config [--all-brokers] [-c KEY=VALUE] [-d KEY]\n"
	 "Change settings of the broker at -b, or else at localhost:9092, while it runs, or\n"
	 "show all and which of them can be changed so.\n"
	 "  -c, --config KEY=VALUE  a setting, in Kafka's spelling; may repeat\n"
	 "  -d, --delete KEY        back to what it was before; may repeat\n"
	 "      --all-brokers       what all brokers have that do not set it themselves\n"},
	{"compact", cmd_compact,
	 "usage: sluicectl compact [TOPIC [PARTITION]]\n"
	 "Of each key keep the last record alone, in topics whose cleanup.policy has\n"
	 "'compact'. The data directory must be down.\n"},
	{"socket", cmd_socket,
	 "usage: sluicectl socket list [TOPIC]\n"
	 "Sockets: whose they are, what they read and write, where, and how far behind.\n"},
	{"status", cmd_status,
	 "usage: sluicectl status\n"
	 "The module, its data directories, sockets and topics, and what is wrong.\n"},
	{"monitor", cmd_monitor,
	 "usage: sluicectl monitor [-n COUNT] [-t SECONDS]\n"
	 "Print what happens: directories, topics, segment rolls, partitions going offline.\n"
	 "  -n, --count N          end after so many events\n"
	 "  -t, --timeout SECONDS  end when nothing happened for so long\n"},
	{0},
};

static const struct ctl_command topic_commands[] = {
	{"create", cmd_topic_create,
	 "usage: sluicectl topic create [-p COUNT] [-c KEY=VALUE] [--if-not-exists] TOPIC...\n"
	 "  -p, --partitions COUNT  1 unless given\n"
	 "  -c, --config KEY=VALUE  a setting, in Kafka's spelling; may repeat\n"
	 "  -r, --replication-factor N  only with -b\n"
	 "      --if-not-exists     no error if the topic is there already\n"},
	{"list", cmd_topic_list,
	 "usage: sluicectl topic list [-q]\n"
	 "  -q, --quiet  only the names\n"},
	{"describe", cmd_topic_describe, "usage: sluicectl topic describe TOPIC...\n"},
	{"config", cmd_topic_config,
	 "usage: sluicectl topic config [-c KEY=VALUE] [-d KEY] TOPIC\n"
	 "Change settings of a topic that exists, or show all.\n"
	 "  -c, --config KEY=VALUE  a setting, in Kafka's spelling; may repeat\n"
	 "  -d, --delete KEY        back to the default; may repeat\n"},
	{"delete", cmd_topic_delete,
	 "usage: sluicectl topic delete [--if-exists] TOPIC...\n"
	 "Delete topics with all their records.\n"
	 "      --if-exists  no error if there is no such topic\n"},
	{0},
};

static const struct ctl_command partition_commands[] = {
	{"list", cmd_partition_list, "usage: sluicectl partition list [TOPIC]\n"},
	{"describe", cmd_partition_describe,
	 "usage: sluicectl partition describe TOPIC PARTITION\n"},
	{"delete-records", cmd_partition_delete_records,
	 "usage: sluicectl partition delete-records TOPIC PARTITION OFFSET\n"
	 "Let a partition begin at OFFSET: records below it are gone. 'all': all that are\n"
	 "there now.\n"},
	{"truncate", cmd_partition_truncate,
	 "usage: sluicectl partition truncate TOPIC PARTITION OFFSET\n"
	 "Let a partition end at OFFSET: that record and all behind it are gone, with those\n"
	 "that share a batch with it.\n"},
	{0},
};

static const struct ctl_command log_commands[] = {
	{"check", cmd_log_check,
	 "usage: sluicectl log check [-t TOPIC] [--online] [DIR]\n"
	 "Verify the files of a data directory, or of one partition's. Changes nothing.\n"
	 "Exit status: 0, 1 if something is wrong, 2 if that could not be found out.\n"
	 "  -t, --topic TOPIC  only this topic\n"
	 "      --online       of a directory that is attached: last segments are left out\n"},
	{"dump", cmd_log_dump,
	 "usage: sluicectl log dump [-r] FILE|DIR...\n"
	 "Print segments, indexes and checkpoints, line by line; of a partition's\n"
	 "directory all segments. Changes nothing; the log may be in use.\n"
	 "Exit status: 0, 1 if something is broken, 2 if a file cannot be read.\n"
	 "  -r, --records  the records of uncompressed batches, too\n"},
	{0},
};

static const struct ctl_command socket_commands[] = {
	{"list", cmd_socket_list,
	 "usage: sluicectl socket list [TOPIC]\n"
	 "The sockets of this network namespace, or those that read or write TOPIC.\n"
	 "A '?' is a process of another user; '*' are several.\n"},
	{0},
};

static const char common_help[] =
	"\nEverywhere:\n"
	"  -j, --json            JSON: one object, or one a line\n"
	"  -b, --bootstrap HOST:PORT  topic commands, and config, ask this Kafka broker\n"
	"      --data-dir DIR    instead of $SLUICE_DATA_DIR, log.dirs of\n"
	"                        /etc/sluice/server.properties, or /var/lib/sluice\n"
	"  -h, --help\n";

static int cmd_topic(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, topic_commands, argc - 1, argv + 1);
}

static int cmd_socket(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, socket_commands, argc - 1, argv + 1);
}

static int cmd_partition(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, partition_commands, argc - 1, argv + 1);
}

static int cmd_log(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, log_commands, argc - 1, argv + 1);
}

static void print_help(const struct ctl *ctl)
{
	if (ctl->help) {
		fputs(ctl->help, stdout);
	} else {
		puts("usage: sluicectl [-j] COMMAND ...\n\nCommands:");
		for (const struct ctl_command *c = commands; c->name; c++)
			printf("  %s\n", c->name);
		puts("\n'sluicectl COMMAND --help' says more. The manual is sluicectl(8).");
	}
	fputs(common_help, stdout);
}

int ctl_common_option(struct ctl *ctl, int option)
{
	switch (option) {
	case 'h': print_help(ctl); return CTL_OK;
	case 'j': ctl->json = true; return -1;
	case 'b': ctl->bootstrap = optarg; return -1;
	case CTL_OPTION_DATA_DIR: ctl->data_dir = optarg; return -1;
	}
	/* getopt has said what was wrong. */
	fprintf(stderr, "'sluicectl --help' shows the options.\n");
	return CTL_USAGE;
}

static int common_options(struct ctl *ctl, int argc, char **argv, const char *short_options)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS, {"version", no_argument, NULL, 'V'}, {0}};
	int option, status;

	while ((option = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (option == 'V') {
			printf("sluicectl %s\n", sluice_version());
			return CTL_OK;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	return -1;
}

int ctl_no_options(struct ctl *ctl, int argc, char **argv)
{
	return common_options(ctl, argc, argv, CTL_SHORT_OPTIONS);
}

int ctl_dispatch(struct ctl *ctl, const struct ctl_command *table, int argc, char **argv)
{
	if (argc < 1)
		return ctl_usage(ctl, "a command is missing");
	if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help"))
		return ctl_common_option(ctl, 'h');
	for (const struct ctl_command *c = table; c->name; c++) {
		if (strcmp(argv[0], c->name) != 0)
			continue;
		ctl->help = c->help;
		optind = 0;
		return c->run(ctl, argc, argv);
	}
	return ctl_usage(ctl, "there is no command '%s'", argv[0]);
}

int main(int argc, char **argv)
{
	struct ctl ctl = {0};
	int status;

	/* A reader that has had enough is no failure; writes then say EPIPE. */
	signal(SIGPIPE, SIG_IGN);
	/* '+': what follows the command is the command's. */
	status = common_options(&ctl, argc, argv, "+V" CTL_SHORT_OPTIONS);
	if (status < 0)
		status = ctl_dispatch(&ctl, commands, argc - optind, argv + optind);
	if (ctl_flush() != CTL_OK && status == CTL_OK)
		status = CTL_FAILED;
	return status;
}
