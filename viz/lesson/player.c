/* See player.h. */
#include "viz/lesson/player.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/progress.h"
#include "viz/lesson/evidence.h"

/* --- the steps --------------------------------------------------------- */

static struct expect *expect_of(const struct player *player,
                                const struct block *observe,
                                struct document_error *error)
{
    struct expect *expect = expect_new(player->kernel);
    char why[240];

    if (!expect)
        return NULL;
    for (size_t i = 0; i < observe->line_count; i++) {
        if (expect_add(expect, observe->lines[i], why, sizeof why) == 0)
            continue;
        expect_free(expect);
        document_fault(error, player->path, observe->line + 1 + (int)i, "%s",
                       why);
        errno = EINVAL;
        return NULL;
    }
    return expect;
}

static struct step *add_step(struct player *player, size_t first)
{
    struct step *more = player->steps;

    if (player->step_count % 32 == 0) {
        more = realloc(more, (player->step_count + 32) * sizeof *more);
        if (!more)
            return NULL;
        player->steps = more;
    }
    more = &player->steps[player->step_count++];
    memset(more, 0, sizeof *more);
    more->first = more->last = first;
    more->answer = -1;
    return more;
}

/* Whether a block opens a new step although the one before has no stop. */
static bool begins_step(const struct player *player, const struct step *step,
                        const struct block *block)
{
    if (block->kind != BLOCK_HEADING || block->level > 2)
        return false;
    for (size_t i = step->first; i < step->last; i++) {
        if (player->document->blocks[i].kind != BLOCK_HEADING)
            return true;
    }
    return false;
}

static int cut_steps(struct player *player, struct document_error *error)
{
    struct document *document = player->document;
    struct step *step = NULL;

    for (size_t i = 0; i < document->block_count; i++) {
        struct block *block = &document->blocks[i];

        if (!step || begins_step(player, step, block))
            step = add_step(player, i);
        if (!step)
            return -1;
        step->last = i + 1;
        if (block->kind == BLOCK_OBSERVE) {
            step->observe = block;
            step->expect = expect_of(player, block, error);
            step->ticks = calloc(block->line_count, sizeof *step->ticks);
            if (!step->expect || !step->ticks)
                return -1;
        }
        if (block->kind == BLOCK_PREDICT)
            step->predict = block;
        if (step->observe || step->predict)
            step = NULL;
    }
    return 0;
}

static void start_ticks(struct player *player);

static bool asks_no_more(const struct player *player, size_t n)
{
    const struct step *step = &player->steps[n];

    if (!step->observe || step->done)
        return true;
    return n != player->at && step->early && expect_done(step->expect);
}

struct step *player_heard(const struct player *player)
{
    size_t n = player->at;

    while (player->eager && n + 1 < player->step_count &&
           asks_no_more(player, n))
        n++;
    return &player->steps[n];
}

static void listen_ahead(struct player *player)
{
    struct step *step = player_heard(player);

    if (player->quiet || step == player_step(player) || step->early ||
        step->done || !step->expect)
        return;
    step->early = true;
    expect_open(step->expect);
}

static void open_step(struct player *player)
{
    struct step *step = player_step(player);

    if (step->early)
        start_ticks(player); /* with what it has heard */
    else if (step->expect && !step->done)
        player_again(player);
    step->early = false;
    listen_ahead(player);
    player->changes++;
}

int player_init(struct player *player, struct document *document,
                const char *path, const char *name, bool kernel,
                struct document_error *error)
{
    int saved;

    memset(player, 0, sizeof *player);
    error->line = 0;
    error->text[0] = '\0';
    player->document = document;
    player->path = path;
    player->name = name;
    player->kernel = kernel;
    errno = ENOMEM;
    if (cut_steps(player, error) == 0) {
        open_step(player);
        return 0;
    }
    saved = errno;
    if (!error->text[0])
        document_fault(error, path, 0, "out of memory");
    player_fini(player);
    errno = saved;
    return -1;
}

void player_fini(struct player *player)
{
    for (size_t i = 0; i < player->step_count; i++) {
        expect_free(player->steps[i].expect);
        free(player->steps[i].ticks);
    }
    free(player->steps);
    document_free(player->document);
    memset(player, 0, sizeof *player);
}

struct step *player_step(const struct player *player)
{
    return &player->steps[player->at];
}

/* --- events ------------------------------------------------------------ */

static void start_ticks(struct player *player);

static bool is_not(const struct step *step, size_t line)
{
    return strncmp(step->observe->lines[line], "not ", 4) == 0;
}

/* Take over what expect says of the open step's lines; the event that has just
 * been fed is the evidence of the first line that it made true. */
static void look_at_ticks(struct player *player, const struct event *event)
{
    struct step *step = player_step(player);
    bool explained = false;

    for (size_t i = 0; i < step->observe->line_count; i++) {
        struct tick *tick = &step->ticks[i];
        enum expect_status now = expect_status(step->expect, i);

        if (tick->status == EXPECT_TRUE || now == tick->status)
            continue;
        tick->status = now;
        player->changes++;
        if (now == EXPECT_TRUE && is_not(step, i))
            continue; /* no event makes it true: nothing happened */
        if (event && now != EXPECT_WAITING && !explained) {
            evidence_text(event, tick->evidence, sizeof tick->evidence);
            explained = true;
        }
    }
    if (!step->done && expect_done(step->expect)) {
        /* What must not happen has not, as far as the block reaches. */
        for (size_t i = 0; i < step->observe->line_count; i++)
            step->ticks[i].status = EXPECT_TRUE;
        step->done = true;
        step->skipped = false;
        player->changes++;
    }
}

static void watch_terminal(struct player *player, const struct event *event)
{
    struct player_terminal *terminal;

    if (event->terminal < 'A' || event->terminal > 'C')
        return;
    terminal = &player->terminals[event->terminal - 'A'];
    terminal->open = true;
    if (event->kind == EVENT_OPENED || event->kind == EVENT_EXITED)
        terminal->busy = false;
    if (event->kind == EVENT_TYPED) {
        terminal->busy = true;
        snprintf(terminal->command, sizeof terminal->command, "%.*s",
                 DOCUMENT_LINE, event->text);
    }
    if (event->kind != EVENT_PRINTED)
        player->changes++;
}

void player_event(void *self, const struct event *event)
{
    struct player *player = self;

    switch (event->kind) {
    case EVENT_OPENED:
    case EVENT_TYPED:
    case EVENT_PRINTED:
    case EVENT_EXITED:
        watch_terminal(player, event);
        break;
    case EVENT_OUTSIDE:
        player->changes += player->outside_ns == 0;
        player->outside_ns = event->time_ns;
        player->outside_port = event->socket.local.port;
        break;
    default:
        break;
    }
    /* All steps hear it: what is open now must be known when they open. */
    for (size_t i = 0; i < player->step_count; i++) {
        if (player->steps[i].expect)
            expect_feed(player->steps[i].expect, event);
    }
    if (player_step(player)->expect && !player->quiet)
        look_at_ticks(player, event);
    listen_ahead(player);
}

int player_forget(struct player *player)
{
    struct document_error error;

    memset(player->terminals, 0, sizeof player->terminals);
    player->outside_ns = 0;
    for (size_t i = 0; i < player->step_count; i++) {
        struct step *step = &player->steps[i];

        step->early = false;
        if (!step->observe)
            continue;
        expect_free(step->expect);
        step->expect = expect_of(player, step->observe, &error);
        if (!step->expect)
            return -1;
    }
    return 0;
}

/* --- choices ----------------------------------------------------------- */

bool player_next(struct player *player)
{
    struct step *step = player_step(player);

    if (!step->observe)
        step->done = true;
    else if (!step->done)
        step->skipped = true;
    if (player->at + 1 == player->step_count) {
        player->changes++;
        return false;
    }
    player->at++;
    open_step(player);
    return true;
}

bool player_back(struct player *player)
{
    if (player->at == 0)
        return false;
    player->at--;
    open_step(player);
    return true;
}

static void start_ticks(struct player *player)
{
    struct step *step = player_step(player);

    memset(step->ticks, 0, step->observe->line_count * sizeof *step->ticks);
    step->done = false;
    look_at_ticks(player, NULL);
    player->changes++;
}

void player_again(struct player *player)
{
    struct step *step = player_step(player);

    if (!step->expect)
        return;
    expect_open(step->expect);
    start_ticks(player);
}

void player_answer(struct player *player, int answer)
{
    struct step *step = player_step(player);

    if (!step->predict || answer < 0 ||
        (size_t)answer >= step->predict->line_count)
        return;
    step->answer = answer;
    step->before = answer == step->predict->right ? BEFORE_RIGHT : BEFORE_WRONG;
    player->changes++;
}

/* --- what may be asked ------------------------------------------------- */

long player_awaited(const struct player *player)
{
    const struct step *step = player_step(player);

    for (size_t i = 0; step->observe && i < step->observe->line_count; i++) {
        if (step->ticks[i].status == EXPECT_WAITING && !is_not(step, i))
            return (long)i;
    }
    return -1;
}

const struct block *player_typed(const struct player *player)
{
    const struct step *step = player_step(player);

    for (size_t i = step->first; i < step->last; i++) {
        if (player->document->blocks[i].kind == BLOCK_TERMINAL)
            return &player->document->blocks[i];
    }
    return NULL;
}

/* What the lesson started last in that terminal, up to this block; NULL. */
static const char *last_command(const struct player *player,
                                const struct block *block)
{
    const struct block *first = player->document->blocks;

    for (const struct block *at = block; at >= first; at--) {
        if (at->kind != BLOCK_TERMINAL || at->terminal != block->terminal)
            continue;
        for (size_t n = at->typed_count; n-- > 0;)
            if (at->typed[n].kind == TYPED_COMMAND)
                return at->typed[n].text;
    }
    return NULL;
}

/* In which other terminal this command runs, 0: in none. */
static char runs_in(const struct player *player, char but, const char *command)
{
    for (char letter = 'A'; letter <= 'C'; letter++) {
        const struct player_terminal *terminal =
            &player->terminals[letter - 'A'];

        if (letter != but && terminal->busy &&
            strcmp(terminal->command, command) == 0)
            return letter;
    }
    return 0;
}

const char *player_nudge(struct player *player)
{
    const struct block *block = player_typed(player);
    const struct player_terminal *terminal;
    const char *command;
    char other;
    char *text = player->nudge;
    size_t size = sizeof player->nudge;

    text[0] = '\0';
    if (!block || player_awaited(player) < 0)
        return text;
    terminal = &player->terminals[block->terminal - 'A'];
    if (!terminal->open && block->typed[0].kind == TYPED_COMMAND &&
        strcmp(block->typed[0].text, "make shell") == 0)
        return text; /* that is just what this step asks for */
    if (!terminal->open)
        snprintf(text, size,
                 "Terminal %c is not open yet: open another terminal window "
                 "in this folder and type make shell there.",
                 block->terminal);
    else if (block->typed[0].kind == TYPED_COMMAND && terminal->busy &&
             strcmp(terminal->command, block->typed[0].text) != 0)
        snprintf(text, size,
                 "In terminal %c this still runs: %.80s. End it with Ctrl-C, "
                 "then type: %.80s",
                 block->terminal, terminal->command, block->typed[0].text);
    else if (block->typed[0].kind == TYPED_COMMAND && !terminal->busy &&
             (other = runs_in(player, block->terminal, block->typed[0].text)))
        snprintf(text, size,
                 "It runs in terminal %c: end it there with Ctrl-C, then type "
                 "in terminal %c: %.80s",
                 other, block->terminal, block->typed[0].text);
    else if (block->typed[0].kind == TYPED_COMMAND && !terminal->busy)
        snprintf(text, size, "Type in terminal %c: %.120s", block->terminal,
                 block->typed[0].text);
    else if (!terminal->busy && (command = last_command(player, block)))
        snprintf(
            text, size,
            "No program runs in terminal %c. Start it there again: %.80s%s",
            block->terminal, command,
            block->terminal == 'A'
                ? ""
                : ". If the server has ended too, that comes first.");
    return text;
}

void player_ticks(const struct player *player, size_t *done, size_t *all)
{
    *done = *all = 0;
    for (size_t i = 0; i < player->step_count; i++) {
        const struct step *step = &player->steps[i];

        if (!step->observe)
            continue;
        *all += step->observe->line_count;
        for (size_t n = 0; n < step->observe->line_count; n++)
            *done += step->done || step->ticks[n].status == EXPECT_TRUE;
    }
}

bool player_finished(const struct player *player)
{
    if (player->at + 1 < player->step_count)
        return false;
    for (size_t i = 0; i < player->step_count; i++) {
        if (player->steps[i].observe && !player->steps[i].done)
            return false;
    }
    return true;
}

/* --- the progress file ------------------------------------------------- */

static void key_of(const struct player *player, const char *what,
                   const char *id, char *key, size_t size)
{
    snprintf(key, size, "lesson.%s.%s%s", player->name, what, id);
}

static void load_signs(struct player *player, const char *signs)
{
    for (size_t i = 0; i < player->step_count; i++) {
        struct step *step = &player->steps[i];

        step->done = signs[i] == '+';
        step->skipped = signs[i] == 's';
        for (size_t n = 0;
             step->done && step->observe && n < step->observe->line_count; n++)
            step->ticks[n].status = EXPECT_TRUE;
    }
}

bool player_load(struct player *player, const char *progress)
{
    char key[160], value[256];
    size_t at;

    for (size_t i = 0; i < player->step_count; i++) {
        struct step *step = &player->steps[i];

        if (!step->predict)
            continue;
        key_of(player, "predict.", step->predict->info, key, sizeof key);
        if (progress_get(progress, key, value, sizeof value) == 0)
            step->before = strcmp(value, "right") == 0 ? BEFORE_RIGHT
                                                       : BEFORE_WRONG;
    }
    key_of(player, "steps", "", key, sizeof key);
    if (progress_get(progress, key, value, sizeof value) < 0 ||
        strlen(value) != player->step_count)
        return false;
    load_signs(player, value);
    key_of(player, "at", "", key, sizeof key);
    if (progress_get(progress, key, value, sizeof value) < 0)
        return false;
    at = strtoul(value, NULL, 10);
    if (at < 1 || at > player->step_count)
        return false;
    player->at = at - 1;
    open_step(player);
    return at > 1;
}

/* The lines to write, gathered. */
struct keep {
    const struct player *player;
    struct progress_line lines[PROGRESS_LINES];
    size_t count;
};

static void keep(struct keep *keep, const char *what, const char *id,
                 const char *value)
{
    struct progress_line *line = &keep->lines[keep->count];

    if (keep->count == PROGRESS_LINES)
        return; /* more than 60 questions: the last ones are not kept */
    key_of(keep->player, what, id, line->key, sizeof line->key);
    snprintf(line->value, sizeof line->value, "%s", value);
    keep->count++;
}

static char sign_of(const struct step *step)
{
    return step->done ? '+' : step->skipped ? 's' : '.';
}

int player_save(const struct player *player, const char *progress, int *kept)
{
    struct keep lines = {.player = player};
    char value[201];
    size_t done, all;

    snprintf(value, sizeof value, "%zu", player->at + 1);
    keep(&lines, "at", "", value);
    player_ticks(player, &done, &all);
    snprintf(value, sizeof value, "%zu/%zu", done, all);
    keep(&lines, "ticks", "", value);
    if (player->step_count < sizeof value) {
        for (size_t i = 0; i < player->step_count; i++)
            value[i] = sign_of(&player->steps[i]);
        value[player->step_count] = '\0';
        keep(&lines, "steps", "", value);
    }
    if (player_finished(player))
        keep(&lines, "done", "", "yes");
    for (size_t i = 0; i < player->step_count; i++) {
        const struct step *step = &player->steps[i];

        if (step->predict && step->before != BEFORE_NEVER)
            keep(&lines, "predict.", step->predict->info,
                 step->before == BEFORE_RIGHT ? "right" : "wrong");
    }
    return progress_set_all(progress, lines.lines, lines.count, kept);
}
