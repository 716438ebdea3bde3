/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLUICECTL_FILTER_BPF_H
#define SLUICECTL_FILTER_BPF_H

/**
 * filter_bpf_attach() - load an object file and attach its program to a socket
 * @path: an ELF file with one socket filter, as `clang -target bpf` makes it
 * Returns CTL_OK, or another status after it has said why.
 */
int filter_bpf_attach(const char *path, int fd);

#endif /* SLUICECTL_FILTER_BPF_H */
