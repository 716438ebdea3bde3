// SPDX-License-Identifier: Apache-2.0
/* Sending, and writing down outside of the machine what was acknowledged. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/crash/load.h"
#include "tests/crash/value.h"
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"

int open_outside(const char *dir, const char *name, uint32_t number)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%" PRIu32, dir, name, number);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

void open_acks(struct load *l, const char *dir, const char *disk_dir)
{
	char path[4096], disk_path[4096];
	bool on_disk = strcmp(disk_dir, "-") && l->topic == &topics[TOPIC_PLAIN];

	snprintf(path, sizeof(path), "%s/acks.%" PRIu32, dir, l->producer);
	snprintf(disk_path, sizeof(disk_path), "%s/acks.%" PRIu32, disk_dir, l->producer);
	if (on_disk)
		acks_make(disk_path);
	acks_open(&l->acks, path, on_disk ? disk_path : NULL);
}

void write_outside(int fd, const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (write(fd, text, (size_t)len) != len)
		die("outside cannot be written to: %s", strerror(errno));
}

uint32_t next_ticket(struct shared *s)
{
	return atomic_fetch_add(&s->ticket, 1) + 1;
}

static int one_receipt(struct load *l, const struct sluice_event *ev, char *text, size_t room)
{
	struct sent *s = &l->sent[ev->cookie % WINDOW];

	if (!s->waiting)
		die("producer %u: a receipt nobody waits for", l->producer);
	s->waiting = false;
	l->waiting--;
	if (ev->error == -ESTALE && l->stale_is_fine)
		return 0;
	if (ev->error)
		die("producer %u: receipt with error %d: %s", l->producer, ev->error,
		    strerror(-ev->error));
	atomic_fetch_add(l->acked, 1);
	return snprintf(text, room, "ack %s %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %lld %u %u\n",
			l->topic->name, l->producer, s->first, s->count, ev->partition,
			(long long)ev->offset, s->ticket, next_ticket(l->shared));
}

static void take_receipts(struct load *l)
{
	struct sluice_event events[WINDOW];
	struct pollfd pfd = {.fd = l->fd};
	char text[WINDOW * ACKS_LINE_MAX];
	size_t len = 0;
	ssize_t n;

	if (poll(&pfd, 1, 60000) != 1)
		die("producer %u: no receipt within a minute", l->producer);
	n = read_events(l->fd, events, WINDOW);
	for (ssize_t i = 0; i < n; i++)
		len += (size_t)one_receipt(l, &events[i], text + len, sizeof(text) - len);
	if (n < 0 || acks_note(&l->acks, text, len))
		die("producer %u: %s", l->producer, strerror(errno));
}

void load_wait(struct load *l)
{
	while (l->waiting)
		take_receipts(l);
}

void load_send(struct load *l, struct record *r, uint32_t count)
{
	struct sluice_receipt_request request = {.when = l->when};
	struct sent *s = l->sent;
	ssize_t sent;

	while (l->waiting >= l->window)
		take_receipts(l);
	while (s->waiting)
		s++;
	*s = (struct sent){l->sequence, count, atomic_load(&l->shared->ticket), true};
	request.cookie = (uint64_t)(s - l->sent);
	r->receipt = &request;
	sent = send_record(l->fd, r, 0);
	if (sent != (ssize_t)r->value_len)
		die("producer %u: %s: %s", l->producer,
		    sent < 0 ? strerror(errno) : "only the first batches", error_text(l->fd));
	l->waiting++;
	l->sequence += count;
	/* Sometimes all of them are waited for: syncs with nothing behind them. */
	if (mix(l->producer, l->sequence) % 20 == 0)
		load_wait(l);
}

void load_batches(struct load *l, const uint32_t *counts, unsigned int n,
		  const int64_t *producer_id)
{
	static uint8_t buf[BATCHES_MAX * (AT_RECORDS + BATCH_RECORDS * (VALUE_MAX + 40))];
	static char values[BATCH_RECORDS][VALUE_MAX + 1];
	const char *pointers[BATCH_RECORDS];
	struct batch_header h = BATCH_HEADER_INIT;
	struct record r = {.value = buf};
	struct timespec now;
	uint32_t total = 0;

	/* An old time would let the log forget the producer, and the records. */
	clock_gettime(CLOCK_REALTIME, &now);
	h.base_timestamp = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	for (unsigned int b = 0; b < n; b++) {
		if (producer_id) {
			h.producer_id = *producer_id;
			h.producer_epoch = 0;
			h.base_sequence = (int32_t)(l->sequence + total);
		}
		for (uint32_t i = 0; i < counts[b]; i++, total++) {
			make_value(l->producer, l->sequence + total, values[i]);
			pointers[i] = values[i];
		}
		r.value_len += batch_encode(buf + r.value_len, &h, pointers, counts[b]);
	}
	load_send(l, &r, total);
}
