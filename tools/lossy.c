/*
 * lossy PORT HOST PORT [SCRIPT...]: a UDP relay on loopback that drops, doubles
 * and reorders datagrams by a script (common/lossy.h), and says what it did to
 * each. For lessons and for trying a program of one's own; ^C ends it.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lossy.h"

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static int usage(void)
{
    fputs(
        "usage: lossy PORT HOST PORT [SCRIPT...]\n"
        "as in: lossy 7103 127.0.0.1 7003 drop 1/3 seed 7\n"
        "       lossy 7103 ::1 7003 d..2s back .d\n"
        "A script: letters, one a datagram (. passes, d dropped, 2 twice, s "
        "swapped\n"
        "with the next); drop N/M, dup N/M, swap N/M by chance; seed N; back: "
        "what\n"
        "follows is for the way back.\n",
        stderr);
    return 2;
}

static void tell(void *self, enum lossy_way way, uint64_t number,
                 enum lossy_fate fate, size_t length)
{
    uint64_t *counts = self;

    counts[fate]++;
    printf("%s %llu: %zu byte%s %s\n",
           way == LOSSY_BACK ? "back" : "to the server",
           (unsigned long long)number, length, length == 1 ? "" : "s",
           lossy_fate_text(fate));
    fflush(stdout);
}

/* The words of the script as one line; 0, or -1 when it is too long. */
static int join(char *line, size_t size, char *words[])
{
    size_t used = 0;

    line[0] = '\0';
    for (; *words; words++) {
        int n = snprintf(line + used, size - used, "%s ", *words);

        if (n < 0 || (size_t)n >= size - used)
            return -1;
        used += (size_t)n;
    }
    return 0;
}

/* An address of HOST, and our own on the loopback of its family. 0, or -1
 * after a message. */
static int look_up(char *argv[], struct addrinfo **at, struct addrinfo **server)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
                             .ai_flags = AI_NUMERICSERV};
    int error = getaddrinfo(argv[2], argv[3], &hints, server);

    if (error == 0) {
        hints.ai_family = (*server)->ai_family;
        error = getaddrinfo(NULL, argv[1], &hints, at);
        if (error == 0)
            return 0;
        freeaddrinfo(*server);
    }
    fprintf(stderr, "lossy: %s, ports %s and %s: %s\n", argv[2], argv[1],
            argv[3], gai_strerror(error));
    return -1;
}

static int relay(struct lossy *lossy, const char *host, const char *port,
                 const uint64_t counts[4])
{
    printf("relaying port %u to %s port %s\n", lossy_port(lossy), host, port);
    fflush(stdout);
    while (!stopped)
        if (lossy_turn(lossy, 1000) == -1) {
            fprintf(stderr, "lossy: %s\n", strerror(errno));
            return 2;
        }
    printf("%llu passed, %llu dropped, %llu twice, %llu swapped\n",
           (unsigned long long)counts[LOSSY_PASS],
           (unsigned long long)counts[LOSSY_DROP],
           (unsigned long long)counts[LOSSY_TWICE],
           (unsigned long long)counts[LOSSY_SWAP]);
    return fflush(stdout) == 0 ? 0 : 2;
}

/* A signal ends the poll that waits for datagrams, so no SA_RESTART. One that
 * comes just before the poll is heard when it ends, a second later at most. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char *argv[])
{
    struct addrinfo *at, *server;
    struct lossy_script script;
    struct lossy *lossy;
    uint64_t counts[4] = {0};
    char line[1024], why[160];
    int status;

    if (argc < 4)
        return usage();
    snprintf(why, sizeof why, "the script is too long");
    if (join(line, sizeof line, argv + 4) == -1 ||
        lossy_read(&script, line, why, sizeof why) == -1) {
        fprintf(stderr, "lossy: %s\n", why);
        return usage();
    }
    if (look_up(argv, &at, &server) == -1)
        return 2;
    catch_signals();
    lossy = lossy_open(at->ai_addr, server->ai_addr, server->ai_addrlen,
                       &script, tell, counts);
    if (lossy == NULL)
        fprintf(stderr, "lossy: port %s: %s\n", argv[1], strerror(errno));
    status = lossy == NULL ? 2 : relay(lossy, argv[2], argv[3], counts);
    lossy_close(lossy);
    freeaddrinfo(at);
    freeaddrinfo(server);
    return status;
}
