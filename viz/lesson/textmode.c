/*
 * Text mode: the live lesson line by line, for screen readers and terminals
 * that cannot do more. Prints a step, its ticks and packets as they come, and
 * waits for a line: Enter goes on, a letter answers or asks.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "viz/lesson/modes.h"
#include "viz/lesson/page.h"

struct textmode {
    struct lesson *lesson;
    size_t printed;          /* ticks of the open step */
    struct page_place place; /* of the ladder */
    bool told_done, told_outside;
    char line[128]; /* what was typed so far */
    size_t length;
};

static const char help[] =
    "Enter  go on to the next step\n"
    "b      back to the step before\n"
    "h      what the open line waits for, and what to do\n"
    "r      the step's observations again\n"
    "?      this help\n"
    "q      leave; the next start goes on here\n"
    "A question is answered by its letter (or number) and Enter.\n";

static void save(const struct textmode *text)
{
    char said[LESSON_SAID];

    if (*lesson_save(text->lesson, said))
        printf("\n%s\n", said);
}

static void print_ticks(struct textmode *text)
{
    struct step *step = player_step(text->lesson->player);

    while (step->observe && text->printed < step->observe->line_count &&
           step->ticks[text->printed].status != EXPECT_WAITING) {
        page_tick(stdout, step->observe->lines[text->printed],
                  &step->ticks[text->printed]);
        text->printed++;
    }
    if (step->observe && step->done && !text->told_done) {
        text->told_done = true;
        page_ladder(stdout, text->lesson->feed->store, &text->place,
                    text->lesson->ascii);
        puts("\nAll of this step came true. Enter goes on.");
    }
}

static void print_step(struct textmode *text)
{
    struct player *player = text->lesson->player;
    struct step *step = player_step(player);

    text->printed = 0;
    text->told_done = false;
    page_here(text->lesson->feed->store, &text->place);
    printf("\n%sStep %zu of %zu\n",
           text->lesson->feed->replay ? "REPLAY  " : "", player->at + 1,
           player->step_count);
    for (size_t i = step->first; i < step->last; i++)
        page_block(stdout, &player->document->blocks[i]);
    if (step->predict && step->before != BEFORE_NEVER && step->answer < 0)
        printf("    (Last time you were %s.)\n",
               step->before == BEFORE_RIGHT ? "right" : "not right");
    if (*text->lesson->feed->wire_why)
        printf("\n%s\n", text->lesson->feed->wire_why);
    if (step->predict)
        puts("\nAnswer by its letter and Enter; Enter alone goes on.");
    else if (step->observe)
        puts(text->lesson->feed->replay
                 ? "\nThe recording did this, and saw:"
                 : "\nDo this in your own terminals; you will see:");
    for (size_t i = 0; step->observe && i < step->observe->line_count; i++) {
        if (step->ticks[i].status == EXPECT_WAITING)
            printf("  [ ] %s\n", step->observe->lines[i]);
    }
    if (!step->predict && !step->observe)
        puts("\nEnter goes on.");
    print_ticks(text);
}

static void print_hint(struct textmode *text)
{
    struct player *player = text->lesson->player;
    struct step *step = player_step(player);
    long awaited = player_awaited(player);
    const char *reason, *nudge;

    if (awaited < 0) {
        puts("Nothing is waited for here. Enter goes on.");
        return;
    }
    reason = expect_reason(step->expect, (size_t)awaited);
    nudge = player_nudge(player);
    printf("Waiting for: %s\n", step->observe->lines[awaited]);
    if (*reason)
        page_prose(stdout, "  ", reason);
    if (*nudge)
        page_prose(stdout, "  ", nudge);
}

static bool leave_step(struct textmode *text)
{
    struct player *player = text->lesson->player;
    size_t done, all;

    if (feed_next(text->lesson->feed)) {
        save(text);
        print_step(text);
        return true;
    }
    player_ticks(player, &done, &all);
    printf("\nThis is the end of the lesson; %zu of %zu came true.\n", done,
           all);
    return false;
}

static void answer(struct textmode *text, int choice)
{
    struct player *player = text->lesson->player;
    struct step *step = player_step(player);

    player_answer(player, choice);
    page_reply(stdout, step->predict, step->answer);
    puts("\nAnother letter answers again; Enter goes on.");
}

/* The letter or number of an answer, -1 when it is none here. */
static int choice_of(const struct step *step, int c)
{
    int choice = -1;

    if (!step->predict)
        return -1;
    if (c >= '1' && c <= '9')
        choice = c - '1';
    else if (c >= 'a' && c <= 'e')
        choice = c - 'a';
    return choice < (int)step->predict->line_count ? choice : -1;
}

/* One line that was typed; false: leave. */
static bool command(struct textmode *text, const char *line)
{
    struct step *step = player_step(text->lesson->player);
    int c = tolower((unsigned char)line[strspn(line, " \t")]);
    int choice = choice_of(step, c);

    if (choice >= 0) {
        answer(text, choice);
        return true;
    }
    switch (c) {
    case '\0':
    case 'n':
        return leave_step(text);
    case 'b':
        if (feed_back(text->lesson->feed))
            print_step(text);
        return true;
    case 'h':
        print_hint(text);
        return true;
    case 'r':
        feed_again(text->lesson->feed);
        print_step(text);
        return true;
    case 'q':
        return false;
    default:
        fputs(help, stdout);
        return true;
    }
}

static bool read_input(struct textmode *text)
{
    char bytes[128];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n == 0)
        return false;
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (text->length + 1 < sizeof text->line)
                text->line[text->length++] = bytes[i];
            continue;
        }
        text->line[text->length] = '\0';
        text->length = 0;
        if (!command(text, text->line))
            return false;
    }
    return true;
}

static void print_outside(struct textmode *text)
{
    const struct player *player = text->lesson->player;

    if (player->outside_ns == 0 || text->told_outside)
        return;
    text->told_outside = true;
    printf("\nYour server is running (port %u), but outside the lab network: "
           "stop it, type make shell, and start it there.\n",
           player->outside_port);
}

static int wait_and_take(struct textmode *text, bool *more)
{
    struct pollfd fds[FEED_FDS + 1];
    int count = feed_fds(text->lesson->feed, fds);
    struct capture_error error;

    fds[count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(fds, (nfds_t)count + 1, feed_timeout(text->lesson->feed)) < 0 &&
        errno != EINTR) {
        fprintf(stderr, "poll: %s\n", strerror(errno));
        return 2;
    }
    if (feed_pump(text->lesson->feed, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    print_ticks(text);
    print_outside(text);
    if (fds[count].revents)
        *more = read_input(text);
    fflush(stdout);
    return ferror(stdout) ? 2 : 0;
}

int textmode_run(struct lesson *lesson)
{
    struct textmode text = {.lesson = lesson};
    bool more = true;
    int status = 0;

    if (lesson->feed->replay)
        puts("REPLAY  A recording of this lesson, not your own network.");
    if (*lesson->refusal)
        puts(lesson->refusal);
    printf("%s (%s). ? and Enter shows the keys.\n",
           lesson->player->document->title, lesson->network);
    if (lesson->resumed && !lesson->feed->replay &&
        !player_finished(lesson->player))
        puts("You left off here. Terminals and servers were closed then: type "
             "make shell\nin each again, and start what should run.");
    print_step(&text);
    fflush(stdout);
    while (status == 0 && more && !*lesson->stop)
        status = wait_and_take(&text, &more);
    save(&text);
    return status;
}
