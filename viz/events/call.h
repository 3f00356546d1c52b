/*
 * A program's socket calls as words, and to which connection they belong: by
 * the ports of the socket, looked up in what the wire has shown. Pure C.
 */
#ifndef VIZ_EVENTS_CALL_H
#define VIZ_EVENTS_CALL_H

#include "viz/events/event.h"

enum { CALL_TEXT = 96, CALL_FLOWS = 4096, CALL_LISTENERS = 256 };

/* From then on it is told how long the program was inside. */
#define CALL_LONG_NS 1000000

/* "recvfrom"; "?" outside the table. */
const char *call_name(enum call_function function);
/* And back; CALLED_FUNCTIONS for a word that is none. */
enum call_function call_from_name(const char *name);
/* "ECONNREFUSED"; NULL for a number that this table lacks. */
const char *call_error(int error);
/* "connect(3) = -1 ECONNREFUSED", "recv(4) = 6, 1.2 s inside". How long it was
 * inside is told from CALL_LONG_NS on. */
char *call_text(const struct program_call *call, char text[CALL_TEXT]);
/* The same in at most so many characters: without how long it took, then in
 * shorter words, "connect ECONNREFUSED", at last its name alone. */
char *call_text_within(const struct program_call *call, int room,
                       char text[CALL_TEXT]);

/* The newest connection between two ports, and to a port. Places are shared:
 * where many connections are alive an old one may be forgotten, and then its
 * calls belong to none. */
struct call_flows {
    struct {
        bool used;
        uint8_t protocol;
        uint16_t client, server;
        uint32_t id;
    } pairs[CALL_FLOWS];
    struct {
        bool used;
        uint8_t protocol;
        uint16_t server;
        uint32_t id;
        int64_t first_ns;
    } servers[CALL_LISTENERS];
};

/* Every packet in its turn. */
void call_flows_packet(struct call_flows *flows, const struct note *note);
/* Fills flow, has_side and side of the call, as far as they can be told. */
void call_flows_find(const struct call_flows *flows, struct program_call *call);

#endif
