/*
 * One answer of NETLINK_SOCK_DIAG, read into a sample: the message itself, and
 * what the kernel put beside it (tcp_info, the memory of a UDP socket).
 */
#ifndef VIZ_KERNEL_DIAG_H
#define VIZ_KERNEL_DIAG_H

#include "viz/events/event.h"

struct nlmsghdr;

/* The message must hold a struct inet_diag_msg; attributes may be missing, or
 * shorter than this kernel's headers say. */
void diag_sample(const struct nlmsghdr *header, uint8_t protocol,
                 struct socket_sample *sample);

#endif
