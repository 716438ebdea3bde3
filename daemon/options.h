/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of sluiced. */
#ifndef SLUICE_OPTIONS_H
#define SLUICE_OPTIONS_H

#include "daemon/config/config.h"

/**
 * options_read - command line and configuration
 * @config: initialized; finished if 0 is returned
 * Returns 0 to go on, 1 if all is done (--help, --version, --check-config), or
 * -EINVAL when what was wrong has been said.
 */
int options_read(int argc, char **argv, struct config *config);

/** options_reload - the same once more, without what is for the terminal; 0 or -errno */
int options_reload(int argc, char **argv, struct config *config);

#endif /* SLUICE_OPTIONS_H */
