/*
 * The one table of ideas that can be wrong. Symptoms come from the checks as
 * verdicts and signs (probes.h); a rule is a whole vector of them, so that one
 * failing check never names anything by itself. The text is for the student.
 */
#include "tests/grader/misconceptions.h"

#include <stdio.h>
#include <string.h>

#define FAILS(id)           \
    {                       \
        MUST_FAIL, id, NULL \
    }
#define SIGN(id, name)      \
    {                       \
        MUST_SIGN, id, name \
    }
#define NO_FAIL(id)             \
    {                           \
        MUST_NOT_FAIL, id, NULL \
    }
#define NO_SIGN(id, name)       \
    {                           \
        MUST_NOT_SIGN, id, name \
    }

static const struct misconception table[] = {
    {
        .id = "recv-zero-not-eof",
        .lab = "01-blocking",
        .place = "1.1",
        .met = "check half-close",
        .likely = "recv() returned 0: the client has said goodbye, and there "
                  "will never be more. Your loop takes 0 for \"nothing yet\" "
                  "and asks again, for ever. A blocking recv() never returns "
                  "0 for that: it waits. Treat 0 as the end of the input: "
                  "answer, then close.",
        .read = "recv(2), RETURN VALUE; lesson 1, \"Half a goodbye\"",
        .explains = "*",
        .rank = 50,
        .rule = {{FAILS("half-close"), SIGN("half-close", "no-reply"),
                  SIGN("half-close", "recv-after-zero")},
                 {FAILS("half-close"), SIGN("half-close", "spins"),
                  SIGN("half-close", "close-wait")}},
    },
    {
        .id = "strlen-on-received",
        .lab = "01-blocking",
        .place = "1.2",
        .met = "check binary-bytes",
        .likely = "What came was measured with a string function. recv() "
                  "gives bytes and a count, and no zero byte after them: a "
                  "zero byte in the data ends the count early, and a short "
                  "message runs on into an older, longer one. The length of "
                  "what came is the return value, and nothing else.",
        .read = "recv(2), RETURN VALUE; lesson 1, \"One byte is enough\"",
        .explains = " drip exact-sizes half-close contract ",
        .rank = 60,
        .rule = {{FAILS("binary-bytes"),
                  SIGN("binary-bytes", "zero-byte-stops")},
                 {FAILS("binary-bytes"),
                  SIGN("binary-bytes", "old-bytes-counted")}},
    },
    {
        .id = "nul-terminator-overflow",
        .lab = "01-blocking",
        .place = "1.3",
        .met = "check exact-sizes",
        .likely = "There is no room for the terminator. When as many bytes "
                  "come as the buffer holds, buf[n] is the byte after its "
                  "end; when recv() fails, n is -1 and buf[n] is the byte "
                  "before its start. Ask for sizeof buf - 1, or write no "
                  "terminator at all, and look at n before you use it.",
        .read = "recv(2); lesson 1, \"One byte is enough\"",
        .explains = " contract ",
        .rank = 80,
        .rule = {{FAILS("exact-sizes"), SIGN("exact-sizes", "overflow"),
                  SIGN("exact-sizes", "write-overflow")},
                 {FAILS("exact-sizes"), SIGN("exact-sizes", "beside-array")}},
    },
    {
        .id = "minus-one-as-length",
        .lab = "01-blocking",
        .place = "lab 1",
        .met = "check exact-sizes",
        .likely = "recv() returned -1, which is an error and no length. Your "
                  "program went on with it as a count of bytes, and as a "
                  "size_t it is the largest number there is. Ask whether n is "
                  "-1 before you use it; while ((n = recv(...)) != 0) does "
                  "not ask.",
        .read = "recv(2), RETURN VALUE; lesson 1, \"What a call returns\"",
        .explains = " lost-clients churn ",
        .rank = 70,
        .rule = {{FAILS("exact-sizes"), SIGN("exact-sizes", "reached-reset"),
                  SIGN("exact-sizes", "read-overflow"),
                  NO_SIGN("exact-sizes", "write-overflow"),
                  NO_SIGN("exact-sizes", "beside-array")}},
    },
    {
        .id = "send-assumed-complete",
        .lab = "01-blocking",
        .place = "1.4",
        .met = "check one-client",
        .likely = "send() may take fewer bytes than you offered, and says how "
                  "many in its return value. Nobody looked at it, so the rest "
                  "never left your process. Loop: advance by what was taken, "
                  "until nothing is left.",
        .read = "send(2), RETURN VALUE; lesson 1, \"A short send\"",
        .explains = " lost-clients ",
        .rank = 60,
        .rule = {{FAILS("one-client"),
                  SIGN("one-client", "cut-at-short-count")}},
    },
    {
        .id = "sizeof-pointer-or-array",
        .lab = "01-blocking",
        .place = "1.5",
        .met = "check one-client, as a remark: the answers are right",
        .likely = "Inside a function a buffer is a pointer, and sizeof of it "
                  "is the size of an address: your server reads the world "
                  "that many bytes at a time. Pass the capacity beside it.",
        .read = "recv(2); lesson 1, \"What a call is given\"",
        .rank = 10,
    },
    {
        .id = "sends-the-nul",
        .lab = "01-blocking",
        .place = "1.5",
        .met = "check one-client",
        .likely = "The answer ends with a zero byte: sizeof, or strlen() + 1, "
                  "counts the string's terminator, and it was sent with the "
                  "rest. The length of a line that you made is what "
                  "snprintf() returned, or strlen() of it.",
        .read = "snprintf(3); lesson 1, \"What a call is given\"",
        .rank = 70,
        .rule = {{FAILS("one-client"), SIGN("one-client", "trailing-zero")}},
    },
    {
        .id = "sigpipe-death",
        .lab = "01-blocking",
        .place = "1.6",
        .met = "check lost-clients",
        .likely = "Your server did not crash: SIGPIPE killed it. The client "
                  "was gone, the connection was dead, and a send() on a dead "
                  "connection raises that signal. Ignore SIGPIPE (or send "
                  "with MSG_NOSIGNAL), and take EPIPE for what it is: this "
                  "client has left, the next one waits.",
        .read = "send(2), EPIPE; signal(7); lesson 1, \"The second send\"",
        .rank = 70,
        .rule = {{FAILS("lost-clients"),
                  SIGN("lost-clients", "reached-leaving"),
                  SIGN("lost-clients", "killed-by-SIGPIPE")}},
    },
    {
        .id = "lost-client-is-fatal",
        .lab = "01-blocking",
        .place = "lab 1",
        .met = "check lost-clients",
        .likely = "A client was gone, recv() or send() said so by -1 "
                  "(ECONNRESET, EPIPE), and your server ended. That is the end "
                  "of one conversation, not of the program: close this "
                  "client's socket, and go back to accept().",
        .read = "send(2), ERRORS; recv(2), ERRORS; lesson 1, \"EPIPE\"",
        .explains = " churn ",
        .rank = 70,
        .rule = {{FAILS("lost-clients"),
                  SIGN("lost-clients", "reached-leaving"),
                  SIGN("lost-clients", "gave-up")}},
    },
    {
        .id = "no-reuseaddr",
        .lab = "01-blocking",
        .place = "1.7",
        .met = "check restart",
        .likely = "Your server's end of a connection is still in TIME_WAIT, "
                  "and bind() refuses the port until it is gone, a minute "
                  "later. Set SO_REUSEADDR on the listening socket before "
                  "bind(). (If you have just added it and it fails once more: "
                  "the leftover belongs to the program before.)",
        .read = "socket(7), SO_REUSEADDR; lesson 1, \"The cure\"",
        .rank = 70,
        .rule = {{FAILS("restart"), SIGN("restart", "reached-restart"),
                  SIGN("restart", "exited-early"),
                  SIGN("restart", "reuseaddr-absent")},
                 {FAILS("restart"), SIGN("restart", "reached-restart"),
                  SIGN("restart", "exited-early"),
                  SIGN("restart", "reuseaddr-late")},
                 {FAILS("restart"), SIGN("restart", "reached-restart"),
                  SIGN("restart", "exited-early"),
                  SIGN("restart", "reuseaddr-on-client")}},
    },
    {
        .id = "htons-forgotten",
        .lab = "01-blocking",
        .place = "1.8",
        .met = "check port-asked",
        .likely = "The same bytes in the other order are another port, and "
                  "127.0.0.1 so becomes 1.0.0.127, which is nobody here. Port "
                  "and address stand in a sockaddr_in in network byte order, "
                  "whatever your machine's own is: htons(port), "
                  "htonl(INADDR_LOOPBACK). (htonl() of a port leaves 0 in its "
                  "16 bits, and the kernel picks any port.)",
        .read = "ip(7); byteorder(3); lesson 1, \"What a call is given\"",
        .explains = "*",
        .rank = 90,
        .rule = {{FAILS("port-asked"), SIGN("port-asked", "port-swapped")},
                 {FAILS("port-asked"), SIGN("port-asked", "address-swapped")},
                 {FAILS("port-asked"), SIGN("port-asked", "port-zero")}},
    },
    {
        .id = "one-client-then-exit",
        .lab = "01-blocking",
        .place = "1.9",
        .met = "check ten-clients",
        .likely = "There are two sockets: the listener is the door, and "
                  "accept() gives a new one for each visitor. You closed the "
                  "door when the first visitor left. Close only what accept() "
                  "gave, and go back to accept().",
        .read = "accept(2); lesson 1, \"Two sockets\"",
        .explains = " lost-clients churn ",
        .rank = 80,
        .rule = {{FAILS("ten-clients"), NO_FAIL("one-client"),
                  SIGN("ten-clients", "second-client-refused")}},
    },
    {
        .id = "accept-outside-loop",
        .lab = "01-blocking",
        .place = "1.9",
        .met = "check ten-clients",
        .likely = "Your program never accepts again. The second client could "
                  "still connect: the kernel completes handshakes on its own "
                  "and queues them, but nobody takes it from the queue. Put "
                  "accept() into the loop: it gives a new socket for each "
                  "visitor.",
        .read = "accept(2); listen(2); lesson 1, \"Nobody accepts\"",
        .explains = " lost-clients churn ",
        .rank = 80,
        .rule = {{FAILS("ten-clients"), NO_FAIL("one-client"),
                  SIGN("ten-clients", "unaccepted")}},
    },
    {
        .id = "close-forgotten",
        .lab = "01-blocking",
        .place = "1.10",
        .met = "checks ten-clients and churn",
        .likely = "Each client that leaves stays with you as CLOSE_WAIT: its "
                  "FIN has come, and yours never left. You hold a descriptor "
                  "for every past visitor. Close the accepted socket on every "
                  "path, the failing ones too.",
        .read = "close(2); tcp(7); lesson 1, \"The other half\"",
        .explains = " ten-clients churn ",
        .rank = 50,
        .rule = {{FAILS("churn"), SIGN("churn", "descriptor-leak")},
                 {FAILS("ten-clients"), SIGN("ten-clients", "no-eof"),
                  SIGN("ten-clients", "close-wait"),
                  NO_SIGN("ten-clients", "spins"),
                  NO_SIGN("ten-clients", "unaccepted")}},
    },
    {
        .id = "stale-errno",
        .lab = "01-blocking",
        .place = "1.11",
        .met = "check lost-clients",
        .likely = "errno was looked at after a call that succeeded. It means "
                  "something only when the call has just returned -1; success "
                  "does not reset it, so you read the leftovers of an earlier "
                  "failure.",
        .read = "errno(3); lesson 1, \"What a call returns\"",
        .rank = 70,
        .rule = {{FAILS("lost-clients"),
                  SIGN("lost-clients", "reached-dirty-errno"),
                  NO_SIGN("lost-clients", "wrong-bytes")}},
    },
    {
        .id = "eintr-is-fatal",
        .lab = "01-blocking",
        .place = "1.12",
        .met = "check lost-clients",
        .likely = "A call was interrupted (EINTR), nothing is broken: a "
                  "signal came by. Call accept(), recv() or send() again; "
                  "accept() also on ECONNABORTED, which only says that one "
                  "client changed its mind. (close() is not called again.)",
        .read = "accept(2), ERRORS; signal(7); lesson 1, \"Interrupted\"",
        .rank = 60,
        .rule = {{FAILS("lost-clients"), SIGN("lost-clients", "reached-eintr"),
                  NO_SIGN("lost-clients", "reached-dirty-errno"),
                  NO_SIGN("lost-clients", "wrong-bytes"),
                  NO_SIGN("one-client", "cut-at-short-count")},
                 {FAILS("lost-clients"),
                  SIGN("lost-clients", "stopped-at-eintr")}},
    },
    {
        .id = "one-recv-one-message",
        .lab = "01-blocking",
        .place = "2.1",
        .met = "check half-close",
        .likely = "You took what one recv() gave for all that the client has "
                  "to say. TCP is a stream: the sender's calls leave no marks "
                  "in it, and a pause, a newline or a small piece is no end. "
                  "Go on receiving until recv() returns 0.",
        .read = "recv(2); tcp(7); lesson 1, \"Bytes, not messages\"",
        .explains = " binary-bytes drip exact-sizes contract ",
        .rank = 55,
        .rule = {{FAILS("half-close"), SIGN("half-close", "early-reply"),
                  SIGN("half-close", "reached-first-piece")}},
    },
    {
        .id = "state-per-recv",
        .lab = "01-blocking",
        .place = "lab 1",
        .met = "check drip",
        .likely = "Whether you are inside a word is forgotten between two "
                  "calls of recv(). TCP is a stream: one recv() may end in "
                  "the middle of a word, and the next begins there. Keep that "
                  "state beside the counts, outside the loop.",
        .read = "recv(2); tcp(7); lesson 1, \"Bytes, not messages\"",
        .rank = 60,
        .rule = {{FAILS("drip"), SIGN("drip", "state-per-recv")}},
    },
    {
        .id = "state-never-reset",
        .lab = "01-blocking",
        .place = "lab 1",
        .met = "check ten-clients",
        .likely = "The second client's numbers contain the first one's: what "
                  "was counted is kept for the whole program. It belongs to "
                  "one conversation. Set it to zero after each accept(), or "
                  "better, keep it in a variable of the function that serves "
                  "one client, neither global nor static.",
        .read = "accept(2); lesson 1, \"Two sockets\"",
        .explains = " lost-clients churn ",
        .rank = 60,
        .rule = {{FAILS("ten-clients"),
                  SIGN("ten-clients", "earlier-clients-counted")}},
    },
};

enum { TABLE = sizeof table / sizeof *table };

const struct misconception *misconception_at(size_t n)
{
    return n < TABLE ? &table[n] : NULL;
}

const struct misconception *misconception_by_id(const char *id)
{
    for (size_t i = 0; i < TABLE; i++)
        if (strcmp(table[i].id, id) == 0)
            return &table[i];
    return NULL;
}

/* The result of the check with this id; NULL when it was not run. */
static struct result *of_check(const struct lab *lab,
                               struct result *const *results, const char *id)
{
    for (size_t i = 0; i < lab->check_count; i++)
        if (strcmp(lab->checks[i].id, id) == 0)
            return results[i];
    return NULL;
}

static bool holds(const struct condition *condition,
                  const struct result *result)
{
    switch (condition->kind) {
    case ALWAYS:
        return true;
    case MUST_FAIL:
        return result && result->grade == GRADE_FAIL;
    case MUST_SIGN:
        return result && result_has_sign(result, condition->sign);
    case MUST_NOT_FAIL:
        return !result || result->grade != GRADE_FAIL;
    case MUST_NOT_SIGN:
        return !result || !result_has_sign(result, condition->sign);
    }
    return false;
}

/* The result that carries the name when a rule of it holds; NULL else. */
static struct result *match(const struct misconception *m,
                            const struct lab *lab,
                            struct result *const *results)
{
    for (int r = 0; r < MISCONCEPTION_RULES; r++) {
        const struct condition *rule = m->rule[r];
        int i = 0;

        if (rule[0].kind == ALWAYS)
            continue;
        while (i < RULE_CONDITIONS &&
               holds(&rule[i], rule[i].check
                                   ? of_check(lab, results, rule[i].check)
                                   : NULL))
            i++;
        if (i == RULE_CONDITIONS)
            return of_check(lab, results, rule[0].check);
    }
    return NULL;
}

/* The most specific name first, the others "also noticed". */
static void give(struct result *result, const struct misconception *m)
{
    const struct misconception *other = m;

    if (!result->misconception) {
        result->misconception = m->id;
        return;
    }
    if (misconception_by_id(result->misconception)->rank < m->rank) {
        other = misconception_by_id(result->misconception);
        result->misconception = m->id;
    }
    if (result->also_count < RESULT_NAMES)
        result->also[result->also_count++] = other->id;
}

bool misconception_explains(const struct misconception *m, const char *check)
{
    char key[80];

    if (!m->explains)
        return false;
    snprintf(key, sizeof key, " %s ", check);
    return strcmp(m->explains, "*") == 0 || strstr(m->explains, key) != NULL;
}

/* Failures without a name that follow from one that was given. */
static void explain(const struct lab *lab, struct result *const *results)
{
    for (size_t i = 0; i < lab->check_count; i++) {
        struct result *result = results[i];
        const struct misconception *best = NULL;

        if (!result || result->grade != GRADE_FAIL || result->misconception)
            continue;
        for (size_t n = 0; n < lab->check_count; n++) {
            const struct misconception *m =
                results[n] && results[n]->misconception
                    ? misconception_by_id(results[n]->misconception)
                    : NULL;

            if (m && misconception_explains(m, lab->checks[i].id) &&
                (!best || m->rank > best->rank))
                best = m;
        }
        result->explained_by = best ? best->id : NULL;
    }
}

void misconceptions_diagnose(const struct lab *lab,
                             struct result *const *results)
{
    for (size_t i = 0; i < TABLE; i++) {
        struct result *result;

        if (strcmp(table[i].lab, lab->name) != 0)
            continue;
        result = match(&table[i], lab, results);
        if (result)
            give(result, &table[i]);
    }
    explain(lab, results);
}

void misconceptions_page(FILE *out)
{
    const char *lab = "";

    fputs("# The ideas that can be wrong\n\n"
          "The grader names these when every sign of one has been seen; "
          "`tests/grader/misconceptions.c` is the table, and this page is "
          "`build/bin/grade --misconceptions`.\n"
          "Each name is proved by a wrong program in `tests/submissions/`.\n",
          out);
    for (size_t i = 0; i < TABLE; i++) {
        const struct misconception *m = &table[i];

        if (strcmp(lab, m->lab) != 0)
            fprintf(out, "\n## %s\n", m->lab);
        lab = m->lab;
        fprintf(out, "\n### %s `%s`\n\n%s\n\nMet in: %s.\nRead: %s.\n",
                m->place, m->id, m->likely, m->met, m->read);
    }
}
