/* See private.h. */
#include "viz/lab/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "viz/browse.h"
#include "viz/headless.h"
#include "viz/lab/call_feed.h"
#include "viz/lab/keeper.h"
#include "viz/lab/mtu.h"
#include "viz/source.h"

enum { STATUS_CANNOT = 2 };

struct run {
    const struct options *options;
    struct keeper *keeper;
    struct session session;
    struct call_feed *feed; /* until the session has it; NULL: no calls */
    bool ended;
    int status; /* of the command, as waitpid(2) has it */
};

static int cannot(const char *text)
{
    fprintf(stderr, "viz: %s\n", text);
    return STATUS_CANNOT;
}

static bool has_ended(void *self)
{
    struct run *run = self;

    keeper_shells(run->keeper, session_event, &run->session); /* what is lost */
    if (!run->ended)
        run->ended = keeper_ended(run->keeper, &run->status) != 0;
    return run->ended;
}

static bool on_screen(const struct options *options)
{
    return options->mode == MODE_SCREEN || options->mode == MODE_DUMP;
}

/* Whether somebody will look at the program's calls. */
static bool wants_calls(const struct options *options)
{
    return on_screen(options) || options->mode == MODE_JSON ||
           options->mode == MODE_EXPORT || options->calls ||
           options->write_path;
}

/* What the keeper starts inherits this. Without it there is no lane, and all
 * else is as it was. */
static void offer_feed(struct run *run)
{
    if (!wants_calls(run->options))
        return;
    run->feed = call_feed_open(TRACE_ALL);
    if (run->feed == NULL && run->options->calls)
        fprintf(stderr, "viz: no calls: build/lib/calls.so: %s\n",
                strerror(errno));
    if (run->feed != NULL && call_feed_offer(call_feed_path(run->feed)) == -1) {
        call_feed_close(run->feed);
        run->feed = NULL;
    }
}

static int enter(struct run *run)
{
    const struct keeper_options wanted = {.quiet = on_screen(run->options)};
    enum keeper_network network;
    struct keeper_refusal refusal;

    offer_feed(run);
    run->keeper = keeper_open(&wanted, &network, &refusal);
    call_feed_withdraw();
    if (run->keeper == NULL || network != KEEPER_PRIVATE)
        return cannot(refusal.text);
    if (run->options->mtu > 0 && mtu_set(run->options->mtu) == -1) {
        fprintf(stderr, "viz: --mtu %u: %s\n", run->options->mtu,
                strerror(errno));
        return STATUS_CANNOT;
    }
    return 0;
}

static int open_session(struct run *run)
{
    const struct options *options = run->options;
    struct capture_error error;
    struct capture *capture;

    capture = capture_open_live(
        options->interface != NULL ? options->interface : "lo",
        options->snaplen, options->filter, &error);
    if (capture == NULL)
        return cannot(error.text);
    if (options->write_path != NULL &&
        capture_keep(capture, options->write_path, &error) == -1) {
        capture_close(capture);
        return cannot(error.text);
    }
    if (session_init(&run->session, capture, sockets_open()) == -1)
        return cannot(strerror(errno));
    if (run->feed != NULL)
        run->session.called = called_new(run->feed);
    run->feed = NULL;
    return 0;
}

static void tell_calls_lost(const struct run *run)
{
    char text[CALLED_TEXT];

    if (run->session.called && *called_lost(run->session.called, text))
        fprintf(stderr, "viz: %s\n", text);
}

static int lose(void *self, const struct loss *loss, char *why, size_t size)
{
    struct run *run = self;

    return keeper_loss(run->keeper, loss, why, size);
}

/* --loss, before the first packet. */
static int start_losing(struct run *run)
{
    const struct loss loss = {run->options->lost, run->options->lost_of};
    char why[256];

    run->session.lose = lose;
    run->session.lose_self = run;
    if (loss.of > 0 && keeper_loss(run->keeper, &loss, why, sizeof why) < 0)
        return cannot(why);
    return 0;
}

static void tell_status(const struct run *run)
{
    const char *name = run->options->command[0];

    if (!run->ended || run->status == 0)
        return;
    if (WIFSIGNALED(run->status))
        fprintf(stderr, "viz: %s was ended by signal %d (%s)\n", name,
                WTERMSIG(run->status), strsignal(WTERMSIG(run->status)));
    else
        fprintf(stderr, "viz: %s ended with status %d\n", name,
                WEXITSTATUS(run->status));
}

static int run_inside(struct run *run)
{
    const struct options *options = run->options;
    pid_t command;
    int status;

    if (keeper_drop_rights() == -1)
        return cannot("the rights in the private network could not be given "
                      "up, so nothing was started.");
    source_beside(&run->session, options);
    if (start_losing(run) != 0)
        return STATUS_CANNOT;
    if (keeper_run(run->keeper, options->command, &command) == -1) {
        fprintf(stderr, "viz: %s cannot be run: %s\n", options->command[0],
                strerror(errno));
        return STATUS_CANNOT;
    }
    status = on_screen(options)
                 ? browse_run_session(&run->session, options, has_ended, run)
                 : headless_run_session(&run->session, options, has_ended, run);
    tell_calls_lost(run);
    tell_status(run);
    return status;
}

int private_run(const struct options *options)
{
    struct run run = {.options = options};
    int status = enter(&run);

    if (status == 0) {
        status = open_session(&run);
        if (status == 0) {
            status = run_inside(&run);
            session_fini(&run.session);
        }
    }
    keeper_close(run.keeper);
    call_feed_close(run.feed);
    return status;
}
