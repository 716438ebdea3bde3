/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SLUICE_AF_SLUICE_H
#define SLUICE_AF_SLUICE_H

/** sluice_family - the number of the address family in use (module parameter). */
extern int sluice_family;

/* Registration of the family: net/socket.c, and /proc/net/sluice (proc.c). */
int sluice_af_init(void);
void sluice_af_exit(void);
int sluice_proc_init(void);
void sluice_proc_exit(void);

#endif /* SLUICE_AF_SLUICE_H */
