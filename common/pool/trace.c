/* Debug mode: what happens, in plain words on stderr, one write a line; and
 * which callback kept everybody waiting. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/pool/inside.h"

enum { LINE = 512, SLOW_MS = 50 };

static void put_line(char *line, size_t size)
{
    size_t length = strnlen(line, size - 2);

    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0)
        return; /* nobody reads it */
}

static void name(const struct pool_socket *socket, char *text, size_t size)
{
    static const char *const kinds[] = {
        [LISTENER] = "listener", [STREAM] = "stream", [DATAGRAM] = "datagrams"};
    char address[NET_ADDRESS_TEXT];
    struct net_address where;
    bool known = socket->fd >= 0 &&
                 ((socket->kind == STREAM ? net_peer : net_local)(socket->fd,
                                                                  &where) == 0);

    snprintf(text, size, "socket %u (%s%s%s)", socket->slot,
             kinds[socket->kind], known ? " " : "",
             known ? net_address_text(&where, address) : "");
}

void trace_say(struct pool_socket *socket, const char *format, ...)
{
    char line[LINE], who[LINE / 3], what[LINE / 2];
    va_list arguments;

    name(socket, who, sizeof who);
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "pool: %s: %s", who, what);
    put_line(line, sizeof line);
}

void trace_call_begins(struct pool *pool, const struct pool_socket *socket,
                       const char *role, callback_fn *function)
{
    pool->call.role = role;
    pool->call.function = function;
    pool->call.slot = socket ? socket->slot : NO_SLOT;
    pool->call.began = clock_now();
}

void trace_call_ended(struct pool *pool)
{
    int64_t took = (clock_now() - pool->call.began) / CLOCK_MS;
    char line[LINE], of[32] = "", function[LINE / 4];
    bool known;

    if (took <= SLOW_MS)
        return;
    if (pool->call.slot != NO_SLOT)
        snprintf(of, sizeof of, " of socket %u", pool->call.slot);
    known = name_of_function(pool->call.function, function, sizeof function);
    snprintf(line, sizeof line,
             "pool: the %s callback%s%s%s%s kept the loop for %lld ms: nobody "
             "else was served meanwhile",
             pool->call.role, of, known ? ", " : "", known ? function : "",
             known ? "()," : "", (long long)took);
    put_line(line, sizeof line);
}
