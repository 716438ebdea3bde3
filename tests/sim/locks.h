/* SPDX-License-Identifier: Apache-2.0 */
/* The locks of port.h for simulated threads (fiber.h); from port_user.h alone. */
#ifndef TESTS_SIM_LOCKS_H
#define TESTS_SIM_LOCKS_H

#include "tests/sim/fiber.h"

/** struct port_mutex - @holder: 0 is nobody */
struct port_mutex {
	int holder;
};

struct port_spin {
	int holder;
};

static inline void port_mutex_init(struct port_mutex *m)
{
	m->holder = 0;
}

static inline void port_mutex_destroy(struct port_mutex *m)
{
	assert(!m->holder);
}

static inline void port_mutex_lock(struct port_mutex *m)
{
	sim_point();
	while (m->holder)
		sim_wait(&m->holder);
	m->holder = sim_self();
}

static inline bool __must_check port_mutex_trylock(struct port_mutex *m)
{
	sim_point();
	if (m->holder)
		return false;
	m->holder = sim_self();
	return true;
}

static inline void port_mutex_unlock(struct port_mutex *m)
{
	assert(m->holder == sim_self());
	m->holder = 0;
	sim_point();
}

#define port_mutex_assert_held(m) assert((m)->holder == sim_self())

static inline void port_spin_init(struct port_spin *s)
{
	s->holder = 0;
}

static inline void port_spin_destroy(struct port_spin *s)
{
	assert(!s->holder);
}

/* Nobody changes over while he has one, so it is always free. */
static inline void port_spin_lock(struct port_spin *s)
{
	sim_point();
	assert(!s->holder);
	s->holder = sim_self();
	sim_spin(1);
}

static inline void port_spin_unlock(struct port_spin *s)
{
	assert(s->holder == sim_self());
	s->holder = 0;
	sim_spin(-1);
	sim_point();
}

#define port_spin_assert_held(s) assert((s)->holder == sim_self())

/* What is published is seen at once, and by others first. */
#define smp_store_release(p, v)                           \
	do {                                              \
		__atomic_store_n(p, v, __ATOMIC_RELEASE); \
		sim_point();                              \
	} while (0)

#endif /* TESTS_SIM_LOCKS_H */
