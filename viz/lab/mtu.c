/* See mtu.h. */
#include "viz/lab/mtu.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int turn_off(int fd, struct ifreq *request, unsigned command)
{
    struct ethtool_value value = {.cmd = command, .data = 0};

    request->ifr_data = (void *)&value;
    return ioctl(fd, SIOCETHTOOL, request);
}

int mtu_set(unsigned mtu)
{
    static const unsigned offloads[] = {ETHTOOL_STSO, ETHTOOL_SGSO,
                                        ETHTOOL_SGRO};
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), failed, error;

    if (fd == -1)
        return -1;
    request.ifr_mtu = (int)mtu;
    failed = ioctl(fd, SIOCSIFMTU, &request);
    for (size_t i = 0; !failed && i < sizeof offloads / sizeof *offloads; i++)
        failed = turn_off(fd, &request, offloads[i]);
    error = errno;
    close(fd);
    errno = error;
    return failed ? -1 : 0;
}
