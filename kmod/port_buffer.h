/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SLUICE_PORT_BUFFER_H
#define SLUICE_PORT_BUFFER_H

/** sluice_port_buffers_exit() - free what port_buffer_put() kept; nobody appends any more. */
void sluice_port_buffers_exit(void);

#endif /* SLUICE_PORT_BUFFER_H */
