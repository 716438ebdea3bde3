/* SPDX-License-Identifier: Apache-2.0 */
/* Doubly linked lists whose links lie inside the entries. */
#ifndef SLUICE_CORE_LIST_H
#define SLUICE_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** struct list - a list's head, or an entry's link; an unlinked one points to itself */
struct list {
	struct list *next;
	struct list *prev;
};

/** list_entry - the struct that holds a link */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/** list_for_each_safe - walk; the entry @at may be removed, no other */
#define list_for_each_safe(at, after, head)                             \
	for ((at) = (head)->next, (after) = (at)->next; (at) != (head); \
	     (at) = (after), (after) = (at)->next)

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *entry)
{
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_prepend(struct list *head, struct list *entry)
{
	list_append(head->next, entry);
}

/** list_remove - unlink; does nothing to an entry that is not linked */
static inline void list_remove(struct list *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	list_init(entry);
}

/** list_take - unlink the first entry; NULL if there is none */
static inline struct list *list_take(struct list *head)
{
	struct list *first = head->next;

	if (first == head)
		return NULL;
	list_remove(first);
	return first;
}

/** list_move - append all of @from to @to; @from is empty then */
static inline void list_move(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#endif /* SLUICE_CORE_LIST_H */
