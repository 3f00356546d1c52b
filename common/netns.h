/*
 * A user and network namespace of one's own, without root (user_namespaces(7),
 * network_namespaces(7)). The caller keeps their name in it: their uid is
 * mapped to itself. Used by viz's keeper and by the grader's driver.
 */
#ifndef COMMON_NETNS_H
#define COMMON_NETNS_H

#include <stdbool.h>
#include <stddef.h>

enum netns_step { NETNS_DONE, NETNS_UNSHARE, NETNS_MAP, NETNS_LOOPBACK };

/* Move the calling process (it must have one thread) into a new user and
 * network namespace and bring lo up; a RST does not end TIME_WAIT there (where
 * that can be set: sysctl net.ipv4.tcp_rfc1337). Afterwards it holds all
 * capabilities there; see netns_drop(). 0; or -1 with errno and in *failed the
 * step that was refused, and then the caller is where it was, with the rights
 * it had. Root maps the whole range of ids, so that it keeps its access to the
 * files of others only until netns_drop(). */
int netns_enter(enum netns_step *failed);

/* What a machine says about namespaces, as far as it can be read; -1 where it
 * says nothing. */
struct netns_facts {
    long max_user, max_net; /* sysctls user.max_{user,net}_namespaces */
    long unprivileged;      /* kernel.unprivileged_userns_clone (Debian) */
    long apparmor;          /* kernel.apparmor_restrict_unprivileged_userns */
    bool root;              /* effective uid 0 */
    bool unmapped;          /* our user namespace has no ids: unshare -U */
    bool changed_root;      /* inside a chroot(2) */
    bool filtered;          /* under a seccomp filter */
    bool container;         /* Docker, Podman, systemd-nspawn, LXC */
};
void netns_facts_read(struct netns_facts *facts);

/* Why, in words, and the one command that helps, at most 8 lines of at most 80
 * columns into `text`, without a last newline. Returns text. */
char *netns_explain(enum netns_step failed, int error, char *text, size_t size);
/* The same from facts that were read before. */
char *netns_explain_facts(const struct netns_facts *facts,
                          enum netns_step failed, int error, char *text,
                          size_t size);

/* Move into namespaces by descriptors of /proc/PID/ns/user and /ns/net (user
 * may be -1: already there). 0 or -1 with errno. */
int netns_join(int user_fd, int net_fd);

/* Give up every capability for good: effective, permitted, inheritable,
 * ambient, bounding; securebits so that uid 0 gains none by exec; and
 * no_new_privs. Who never had the right to empty the bounding set
 * (CAP_SETPCAP) keeps it; no_new_privs then makes it worthless. 0 or -1 with
 * errno. */
int netns_drop(void);

#endif
