/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of sluicectl share. A command is one function in one file;
 * main.c has the table. It returns an exit status, having said on stderr in
 * one sentence what was wrong and what to do.
 */
#ifndef SLUICECTL_CTL_H
#define SLUICECTL_CTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "daemon/log/log_dir.h"

/* Exit statuses, documented in sluicectl(8). */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NOT_FOUND = 3,
	CTL_EXISTS = 4,
	CTL_DENIED = 5,
	CTL_UNREACHABLE = 6, /* the module is not loaded, or no broker answers */
};

struct ctl {
	bool json;
	const char *data_dir;  /* --data-dir, or NULL */
	const char *bootstrap; /* -b host:port, or NULL */
	const char *help;      /* of the command that runs */
};

struct ctl_command {
	const char *name;
	int (*run)(struct ctl *ctl, int argc, char **argv);
	const char *help; /* first line: "usage: ..." without the program's name */
};

/** ctl_dispatch() - run the command that argv[0] names */
int ctl_dispatch(struct ctl *ctl, const struct ctl_command *commands, int argc, char **argv);

/* Every command takes these, before or behind its name. */
#define CTL_SHORT_OPTIONS     "hjb:"
#define CTL_OPTION_DATA_DIR   256
#define CTL_OPTION_FIRST_FREE 257
#define CTL_LONG_OPTIONS                                                    \
	{"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'}, \
		{"bootstrap", required_argument, NULL, 'b'},                \
	{                                                                   \
		"data-dir", required_argument, NULL, CTL_OPTION_DATA_DIR    \
	}

/**
 * ctl_common_option() - act on one of them
 * Returns -1 to go on, or an exit status: after --help, or if the option is
 * none.
 */
int ctl_common_option(struct ctl *ctl, int option);

/** ctl_no_options() - for a command that has no options of its own; as above. */
int ctl_no_options(struct ctl *ctl, int argc, char **argv);

/** ctl_usage() - a wrong command line; returns CTL_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** ctl_fail() - a sentence to stderr; returns the status that fits -errno @err. */
int ctl_fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** ctl_parse_number() - all of @text, from @min to @max */
bool ctl_parse_number(const char *text, int64_t min, int64_t max, int64_t *ret);

/* Output (output.c). */

/** ctl_print_json() - one line; takes @value, which may be NULL (no memory). */
int ctl_print_json(json_t *value);

/** ctl_flush() - push stdout out; a closed pipe is CTL_OK and ctl_closed(). */
int ctl_flush(void);
bool ctl_closed(void);

/**
 * struct ctl_table - columns as wide as their widest cell
 * Filled row by row with ctl_cell(); printed and freed by ctl_table_print().
 */
struct ctl_table {
	size_t n_columns;
	char **cells;
	size_t n_cells, room;
};
void ctl_table_begin(struct ctl_table *t, size_t n_columns, const char *const *titles);
void ctl_cell(struct ctl_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int ctl_table_print(struct ctl_table *t);
void ctl_table_free(struct ctl_table *t);

/** ctl_bytes_text() - "12.3 MiB" */
const char *ctl_bytes_text(uint64_t bytes, char buf[32]);
const char *ctl_id_text(const uint8_t id[SLUICE_TOPIC_ID_LEN], char buf[32]);
/** ctl_string_json() - a string, or {"base64": ...} if it is not UTF-8 */
json_t *ctl_string_json(const void *data, size_t len);

/* The module and the data directories (module.c, data_dir.c). */

/** ctl_kern() - open the family; on failure CTL_* after saying why */
int ctl_kern(struct kern **ret_k);

/** ctl_kern_load() - the same, loading the module first if need be */
int ctl_kern_load(const char *module_file, struct kern **ret_k);
int ctl_module_unload(void);

/**
 * ctl_default_data_dirs() - --data-dir, $SLUICE_DATA_DIR, log.dirs of
 *	server.properties, or /var/lib/sluice
 * NULL-terminated; free with ctl_strings_free(). NULL: no memory.
 */
char **ctl_default_data_dirs(const struct ctl *ctl);
void ctl_strings_free(char **strings);

/**
 * ctl_attached_data_dir() - the one that a new topic goes to
 * @ret_path: free it
 */
int ctl_attached_data_dir(struct ctl *ctl, struct kern *k, char **ret_path);

/** ctl_interrupted() - SIGINT or SIGTERM came; installs nothing by itself. */
bool ctl_interrupted(void);
void ctl_catch_signals(void);

/* Commands. */
int cmd_up(struct ctl *ctl, int argc, char **argv);
int cmd_down(struct ctl *ctl, int argc, char **argv);
int cmd_topic_create(struct ctl *ctl, int argc, char **argv);
int cmd_topic_list(struct ctl *ctl, int argc, char **argv);
int cmd_topic_describe(struct ctl *ctl, int argc, char **argv);
int cmd_topic_config(struct ctl *ctl, int argc, char **argv);
int cmd_topic_delete(struct ctl *ctl, int argc, char **argv);
int cmd_produce(struct ctl *ctl, int argc, char **argv);
int cmd_consume(struct ctl *ctl, int argc, char **argv);
int cmd_partition_list(struct ctl *ctl, int argc, char **argv);
int cmd_partition_describe(struct ctl *ctl, int argc, char **argv);
int cmd_log_check(struct ctl *ctl, int argc, char **argv);
int cmd_log_dump(struct ctl *ctl, int argc, char **argv);
int cmd_partition_delete_records(struct ctl *ctl, int argc, char **argv);
int cmd_partition_truncate(struct ctl *ctl, int argc, char **argv);
int cmd_socket_list(struct ctl *ctl, int argc, char **argv);
int cmd_status(struct ctl *ctl, int argc, char **argv);
int cmd_monitor(struct ctl *ctl, int argc, char **argv);
int cmd_config(struct ctl *ctl, int argc, char **argv);
int cmd_compact(struct ctl *ctl, int argc, char **argv);

#endif /* SLUICECTL_CTL_H */
