/*
 * Play mode: the lesson does itself what it tells the student to do, prints
 * text, ticks and the ladder, and is true only if every observation was. CI
 * runs this, so that no sentence of a lesson can be false.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "viz/decode/decode.h"
#include "viz/kernel/owners.h"
#include "viz/lesson/excerpt.h"
#include "viz/lesson/modes.h"
#include "viz/lesson/page.h"
#include "viz/lesson/stage.h"

enum { TURN_MS = 20, THREADS_MOST = 16, SHOWN_SOCKETS = 12 };

/* How long `not` lines behind the last positive one must hold. */
#define HOLD_SECONDS 0.5

struct play {
    struct lesson *lesson;
    struct stage stage;
    size_t printed;          /* ticks of the open step */
    struct page_place place; /* of the ladder */
};

/* --- when it goes wrong ------------------------------------------------ */

static void print_terminals(const struct play *play)
{
    for (char letter = 'A'; letter <= 'C'; letter++) {
        const char *line = stage_shown(&play->stage, letter, 0);

        if (!line)
            continue;
        printf("  terminal %c showed last:\n", letter);
        for (unsigned n = 0;
             (line = stage_shown(&play->stage, letter, n)) != NULL; n++)
            printf("    %s\n", line);
    }
}

/* In which calls the owner of a listener is. */
static void print_waits(const struct play *play,
                        const struct socket_sample *listener)
{
    struct wait_info threads[THREADS_MOST];
    int pid = owners_ask(listener->inode), count;

    if (pid <= 0 || !play->lesson->feed->keeper)
        return;
    count = keeper_waits(play->lesson->feed->keeper, pid, threads,
                         THREADS_MOST);
    for (int i = 0; i < count && i < THREADS_MOST; i++) {
        if (threads[i].running)
            printf("    its thread %d runs\n", (int)threads[i].thread);
        else if (threads[i].call == WAIT_OTHER)
            printf("    its thread %d is in system call %ld, descriptor %d\n",
                   (int)threads[i].thread, threads[i].number, threads[i].fd);
        else
            printf("    its thread %d waits in %s(), descriptor %d\n",
                   (int)threads[i].thread, wait_call_name(threads[i].call),
                   threads[i].fd);
    }
}

static void print_sockets(const struct play *play)
{
    const struct store *store = play->lesson->feed->store;
    char local[64], remote[64];

    if (store_sockets(store) == 0)
        return;
    printf("  the kernel has:\n");
    for (size_t i = 0; i < store_sockets(store) && i < SHOWN_SOCKETS; i++) {
        const struct socket_sample *socket = store_socket(store, i);

        printf("    %-11s %s %s, queues %u %u\n",
               socket->protocol == PROTO_UDP ? "udp"
                                             : tcp_state_name(socket->state),
               endpoint_text(&socket->local, local, sizeof local),
               endpoint_text(&socket->remote, remote, sizeof remote),
               socket->receive_queue, socket->send_queue);
        if (socket->state == TCP_LISTEN)
            print_waits(play, socket);
    }
}

static void print_state(struct play *play)
{
    page_ladder(stdout, play->lesson->feed->store, &play->place,
                play->lesson->ascii);
    print_terminals(play);
    print_sockets(play);
}

/* The line that did not come true, why, and what there was instead. */
static int untrue(struct play *play, size_t line, const char *how)
{
    struct step *step = player_step(play->lesson->player);
    const char *reason = expect_reason(step->expect, line);

    printf("\nNOT TRUE  %s:%d: %s\n", play->lesson->path,
           step->observe->line + 1 + (int)line, step->observe->lines[line]);
    printf("  %s%s%s\n", how, *reason ? ": " : "", reason);
    print_state(play);
    return 1;
}

static int cannot_type(struct play *play, const struct block *block, size_t n)
{
    printf("\nNOT TYPED  %s:%d\n  %s\n", play->lesson->path,
           block->line + 1 + (int)n, play->stage.why);
    print_state(play);
    return 1;
}

static int interrupted(const struct play *play, const char *what)
{
    fprintf(stderr, "%s: %s.\n", play->lesson->path, what);
    return 2;
}

/* --- ticks ------------------------------------------------------------- */

static void print_ticks(struct play *play)
{
    struct step *step = player_step(play->lesson->player);

    while (step->observe && play->printed < step->observe->line_count &&
           step->ticks[play->printed].status != EXPECT_WAITING) {
        page_tick(stdout, step->observe->lines[play->printed],
                  &step->ticks[play->printed]);
        play->printed++;
    }
    fflush(stdout);
}

static int broken_line(const struct step *step)
{
    for (size_t i = 0; i < step->observe->line_count; i++) {
        if (expect_status(step->expect, i) == EXPECT_BROKEN)
            return (int)i;
    }
    return 0;
}

/* `not` lines at the end: nothing true can end their wait. */
static int hold(struct play *play)
{
    struct step *step = player_step(play->lesson->player);
    size_t last = step->observe->line_count - 1;
    int64_t deadline = clock_now() + (int64_t)(HOLD_SECONDS * CLOCK_SECOND);

    if (strncmp(step->observe->lines[last], "not ", 4) != 0)
        return 0;
    while (!expect_broken(step->expect) && clock_now() < deadline) {
        if (stage_turn(&play->stage, TURN_MS) < 0)
            return interrupted(play, play->stage.why);
    }
    if (expect_broken(step->expect))
        return untrue(play, (size_t)broken_line(step), "this happened");
    return 0;
}

/* Until all lines of the open step are true, each with its own patience. */
static int observe(struct play *play)
{
    struct player *player = play->lesson->player;
    struct step *step = player_step(player);
    long awaited = -2;
    int64_t deadline = 0;

    while (!step->done) {
        long now = player_awaited(player);
        double patience = expect_patience(step->expect,
                                          now < 0 ? 0 : (size_t)now);

        if (expect_broken(step->expect))
            return untrue(play, (size_t)broken_line(step), "this happened");
        if (now != awaited)
            deadline = stage_deadline(&play->stage, patience);
        awaited = now;
        print_ticks(play);
        if (clock_now() > deadline) {
            char how[64];

            snprintf(how, sizeof how, "it did not come true within %.0f s",
                     patience * play->stage.slowness);
            return untrue(play, now < 0 ? 0 : (size_t)now, how);
        }
        if (*play->lesson->stop)
            return interrupted(play, "stopped");
        if (stage_turn(&play->stage, TURN_MS) < 0)
            return interrupted(play, play->stage.why);
    }
    print_ticks(play);
    return hold(play);
}

/* The same from a recording: all that happened in the step has happened. */
static int observe_replay(struct play *play)
{
    struct step *step = player_step(play->lesson->player);
    struct capture_error error;
    long awaited;

    feed_pump(play->lesson->feed, &error);
    print_ticks(play);
    awaited = player_awaited(play->lesson->player);
    if (step->done)
        return 0;
    return untrue(play,
                  awaited < 0 ? (size_t)broken_line(step) : (size_t)awaited,
                  "the recording does not make it true");
}

/* --- steps ------------------------------------------------------------- */

static int type_block(struct play *play, const struct block *block)
{
    for (size_t i = 0; i < block->typed_count; i++) {
        if (*play->lesson->stop)
            return interrupted(play, "stopped");
        if (stage_type(&play->stage, block->terminal, &block->typed[i]) < 0)
            return cannot_type(play, block, i);
    }
    return 0;
}

static int play_block(struct play *play, const struct block *block)
{
    bool replay = play->lesson->feed->replay != NULL;

    page_block(stdout, block);
    fflush(stdout);
    switch (block->kind) {
    case BLOCK_PREDICT:
        page_reply(stdout, block, -1);
        return 0;
    case BLOCK_TERMINAL:
        return replay ? 0 : type_block(play, block);
    case BLOCK_OBSERVE:
        return replay ? observe_replay(play) : observe(play);
    case BLOCK_WIRE:
        return feed_wire(play->lesson->feed) < 0
                   ? interrupted(play, play->lesson->feed->wire_why)
                   : 0;
    default:
        return 0;
    }
}

static int play_step(struct play *play)
{
    struct player *player = play->lesson->player;
    struct step *step = player_step(player);
    struct capture_error error; /* if any, the next turn tells it again */
    int status;

    play->printed = 0;
    if (play->lesson->feed->replay && player->at > 0)
        printf("\n- REPLAY -\n");
    for (size_t i = step->first; i < step->last; i++) {
        status = play_block(play, &player->document->blocks[i]);
        if (status != 0)
            return status;
    }
    if (step->observe && !play->lesson->feed->replay)
        session_drain(&play->lesson->feed->session, clock_wall(), &error);
    if (step->observe)
        page_ladder(stdout, play->lesson->feed->store, &play->place,
                    play->lesson->ascii);
    return 0;
}

static void print_heading(const struct lesson *lesson)
{
    if (lesson->feed->replay)
        printf("REPLAY  A recording of this lesson, not your own network.\n");
    if (*lesson->refusal)
        printf("%s\n", lesson->refusal);
    printf("(%s; played by itself)\n", lesson->network);
}

int play_run(struct lesson *lesson)
{
    struct play play = {.lesson = lesson};
    struct document_error fault;
    size_t done, all;
    int status;

    if (excerpt_check(lesson->player->document, lesson->path, &fault) < 0) {
        printf("NOT TRUE  %s\n", fault.text);
        return 1;
    }
    stage_init(&play.stage, lesson->feed);
    print_heading(lesson);
    do
        status = play_step(&play);
    while (status == 0 && feed_next(lesson->feed));
    stage_fini(&play.stage);
    player_ticks(lesson->player, &done, &all);
    if (status == 0)
        printf("\nAll %zu observations came true.\n", all);
    else if (status == 1)
        printf("\n%zu of %zu observations came true.\n", done, all);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "standard output: %s\n", strerror(errno));
        return 2;
    }
    return status;
}
