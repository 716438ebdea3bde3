// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/topic_id.h"
#include "tools/sluicectl/ctl.h"

static bool stdout_closed;
static volatile sig_atomic_t interrupted;

int ctl_usage(const struct ctl *ctl, const char *fmt, ...)
{
	const char *usage = ctl->help ? ctl->help : "usage: sluicectl [-j] COMMAND ...";
	va_list ap;

	fputs("sluicectl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n%.*s\n", (int)strcspn(usage, "\n"), usage);
	return CTL_USAGE;
}

int ctl_fail(int err, const char *fmt, ...)
{
	va_list ap;

	fputs("sluicectl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	switch (-err) {
	case ENOENT: return CTL_NOT_FOUND;
	case EEXIST: return CTL_EXISTS;
	case EPERM:
	case EACCES: return CTL_DENIED;
	case EAFNOSUPPORT:
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ETIMEDOUT: return CTL_UNREACHABLE;
	case EINVAL: return CTL_USAGE;
	}
	return CTL_FAILED;
}

bool ctl_parse_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	int64_t v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || end == text || *end || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

bool ctl_closed(void)
{
	return stdout_closed;
}

int ctl_flush(void)
{
	if (stdout_closed)
		return CTL_OK;
	if (!fflush(stdout) && !ferror(stdout))
		return CTL_OK;
	if (errno == EPIPE) {
		stdout_closed = true;
		return CTL_OK;
	}
	if (ferror(stdout))
		clearerr(stdout);
	return ctl_fail(-EIO, "standard output: %s", strerror(errno));
}

int ctl_print_json(json_t *value)
{
	int failed;

	if (!value)
		return ctl_fail(-ENOMEM, "out of memory");
	failed = json_dumpf(value, stdout, JSON_COMPACT);
	json_decref(value);
	if (!failed)
		putchar('\n');
	return ctl_flush();
}

static void add_cell(struct ctl_table *t, char *text)
{
	char **grown;

	if (t->n_cells == t->room) {
		grown = reallocarray(t->cells, t->room * 2 + 64, sizeof(*grown));
		if (!grown) {
			free(text);
			return;
		}
		t->cells = grown;
		t->room = t->room * 2 + 64;
	}
	t->cells[t->n_cells++] = text;
}

void ctl_table_begin(struct ctl_table *t, size_t n_columns, const char *const *titles)
{
	*t = (struct ctl_table){.n_columns = n_columns};
	for (size_t i = 0; i < n_columns; i++)
		ctl_cell(t, "%s", titles[i]);
}

void ctl_cell(struct ctl_table *t, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		add_cell(t, text);
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789-") == strlen(s);
}

static size_t column_width(const struct ctl_table *t, size_t column)
{
	size_t width = 0, len;

	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		len = strlen(t->cells[i]);
		if (len > width)
			width = len;
	}
	return width;
}

int ctl_table_print(struct ctl_table *t)
{
	size_t n_rows = t->n_cells / t->n_columns;
	size_t *widths = calloc(t->n_columns, sizeof(*widths));

	for (size_t c = 0; widths && c < t->n_columns; c++)
		widths[c] = column_width(t, c);
	for (size_t r = 0; widths && r < n_rows; r++) {
		for (size_t c = 0; c < t->n_columns; c++) {
			const char *cell = t->cells[r * t->n_columns + c];
			const char *below =
				n_rows > 1 && r == 0 ? t->cells[t->n_columns + c] : cell;
			bool right = is_number(below), last = c == t->n_columns - 1;

			printf("%*s%s", last && !right ? 0 : (int)(right ? widths[c] : -widths[c]),
			       cell, last ? "\n" : "  ");
		}
	}
	free(widths);
	ctl_table_free(t);
	return ctl_flush();
}

void ctl_table_free(struct ctl_table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
}

const char *ctl_bytes_text(uint64_t bytes, char buf[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes;
	size_t unit = 0;

	while (v >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		v /= 1024;
		unit++;
	}
	snprintf(buf, 32, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return buf;
}

const char *ctl_id_text(const uint8_t id[SLUICE_TOPIC_ID_LEN], char buf[32])
{
	topic_id_format(id, buf);
	return buf;
}

static char *base64(const uint8_t *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((len + 2) / 3 * 4 + 1), *out = text;
	uint32_t v;

	for (size_t i = 0; text && i < len; i += 3) {
		v = (uint32_t)data[i] << 16;
		v |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
		v |= i + 2 < len ? data[i + 2] : 0;
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[v & 63] : '=';
	}
	if (out)
		*out = '\0';
	return text;
}

json_t *ctl_string_json(const void *data, size_t len)
{
	json_t *value = json_stringn(data ? data : "", len);
	char *text;

	if (value)
		return value;
	text = base64(data, len);
	value = text ? json_pack("{ss}", "base64", text) : NULL;
	free(text);
	return value;
}

static void on_signal(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

bool ctl_interrupted(void)
{
	return interrupted;
}

void ctl_catch_signals(void)
{
	/* Without SA_RESTART, so that a wait ends. */
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}
