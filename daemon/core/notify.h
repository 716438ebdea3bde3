/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the service manager how far we are. */
#ifndef SLUICE_CORE_NOTIFY_H
#define SLUICE_CORE_NOTIFY_H

/**
 * notify - send @state ("READY=1") to the socket that $NOTIFY_SOCKET names
 * (sd_notify(3)); does nothing if nobody listens
 */
void notify(const char *state);

/** notify_reloading - with the time that sd_notify(3) wants; READY=1 follows */
void notify_reloading(void);

#endif /* SLUICE_CORE_NOTIFY_H */
