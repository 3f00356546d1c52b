/*
 * Packets lost on purpose: nf_tables rules at the input hook of the caller's
 * network namespace (nft(8), here through libmnl, so that no program need be
 * there). A packet is dropped where it arrives: its sender's TCP learns nothing
 * and sends it again, as on a real wire. A capture sits before that hook and
 * shows the packet, so the kernel logs each one that it drops (NFLOG), and
 * loss_take() tells which they were.
 */
#ifndef VIZ_KERNEL_LOSS_H
#define VIZ_KERNEL_LOSS_H

#include "viz/events/event.h"

/*
 * Of every `of` packets the last `lost` are lost; {0, 0}: none. Counted, not
 * thrown by dice, so that the same traffic loses the same packets each time:
 * `loss 1/3` is the 3rd, 6th, 9th ... Four counts, each of its own: TCP and
 * UDP, towards a server (ports below LOSS_CLIENTS) and back to a client. The
 * counts begin anew with each loss_set(). ICMP is never lost.
 */
struct loss {
    unsigned lost, of;
};

enum { LOSS_MOST = 1000, LOSS_CLIENTS = 32768, LOSS_TEXT = 32 };

/* From "clean" or "loss 1/3" (also "1/3"); 0, or -1 with errno EINVAL. */
int loss_read(struct loss *loss, const char *words);
/* "clean" or "loss 1/3" into `text`; returns it. */
char *loss_text(const struct loss *loss, char text[LOSS_TEXT]);

/* From now on in this network; replaces what was. Wants CAP_NET_ADMIN there. 0,
 * or -1 with errno: EPERM; EOPNOTSUPP when the kernel has no nf_tables. */
int loss_set(const struct loss *loss);

/* A socket that hears of every packet dropped; wants CAP_NET_ADMIN to be
 * opened, and nothing to be read. -1 with errno. The caller's to close. */
int loss_watch(void);
/* All that it has to tell: an EVENT_LOST each, in order. Never blocks. */
void loss_take(int fd, event_sink_fn *sink, void *self);

#endif
