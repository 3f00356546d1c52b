/*
 * Loopback as if it were an Ethernet: packets of an MTU, each cut by TCP
 * itself. Without it a packet on lo holds up to 64 KB, and what TCP hands down
 * is cut by nobody (TSO, GSO) or joined again (GRO).
 */
#ifndef VIZ_LAB_MTU_H
#define VIZ_LAB_MTU_H

/* For the network namespace of the caller, who needs its rights
 * (CAP_NET_ADMIN): netdevice(7), and what ethtool -K lo tso off gso off gro off
 * does. 0, or -1 with errno. */
int mtu_set(unsigned mtu);

#endif
