/*
 * The one file that knows curses. Three cares: the terminal is given back on
 * every way out (return, exit, signal, crash); a signal is only a mark that
 * screen_key() turns into a key; colours are chosen to be read on light and
 * dark backgrounds alike, and mean nothing that a letter does not say too.
 */
#include "viz/screen/screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

enum {
    ESCAPE_DELAY_MS = 25,
    CRASHES = 5,
    REQUESTS = 3,
    TEARDOWN = 512,
    CONTROL_L = 12 /* draw anew: another program wrote over the screen */
};

struct screen {
    SCREEN *curses;
    bool colours;
    int rows, columns;
    struct cell *shown; /* what the terminal shows, rows x columns of it */
};

/* One screen at a time has the terminal; signal handlers see only this. */
static struct {
    struct screen *screen;
    volatile sig_atomic_t resized, leave;
    struct termios before;
    char teardown[TEARDOWN]; /* what takes the terminal out of our mode */
    size_t teardown_length;
    struct sigaction crash_before[CRASHES], request_before[REQUESTS];
    struct sigaction resize_before;
} tty;

static const int crashes[CRASHES] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
static const int requests[REQUESTS] = {SIGINT, SIGTERM, SIGHUP};

/* --- colours --------------------------------------------------------------- */

/* 256-colour terminals get hues of middle brightness (contrast of 3.8 or more
 * with black and with white), and bars with a background of their own;
 * eight-colour ones only magenta, red and green; the attributes alone say
 * enough for NO_COLOR. -1: the terminal's own. */
static const struct {
    short many, back, few;
    attr_t with_many, with_few, plain;
} looks[STYLES] = {
    [STYLE_PLAIN] = {-1, -1, -1, A_NORMAL, A_NORMAL, A_NORMAL},
    [STYLE_DIM] = {243, -1, -1, A_NORMAL, A_DIM, A_DIM},
    [STYLE_STRONG] = {-1, -1, -1, A_BOLD, A_BOLD, A_BOLD},
    [STYLE_KEY] = {30, -1, -1, A_BOLD, A_BOLD, A_BOLD},
    [STYLE_CLIENT] = {32, -1, -1, A_NORMAL, A_NORMAL, A_NORMAL},
    [STYLE_SERVER] = {133, -1, COLOR_MAGENTA, A_NORMAL, A_NORMAL, A_NORMAL},
    [STYLE_GOOD] = {28, -1, COLOR_GREEN, A_NORMAL, A_NORMAL, A_BOLD},
    [STYLE_WARN] = {130, -1, -1, A_BOLD, A_BOLD, A_BOLD},
    [STYLE_BAD] = {160, -1, COLOR_RED, A_BOLD, A_BOLD, A_BOLD | A_UNDERLINE},
    [STYLE_BAR] = {255, 24, -1, A_NORMAL, A_REVERSE, A_REVERSE},
    [STYLE_CURSOR] = {255, 240, -1, A_NORMAL, A_REVERSE, A_REVERSE},
};

static bool start_colours(void)
{
    const char *refused = getenv("NO_COLOR"); /* no-color.org */

    if ((refused && *refused) || !has_colors() || start_color() == ERR ||
        use_default_colors() == ERR)
        return false;
    for (short style = 0; style < STYLES; style++) {
        if (COLORS >= 256)
            init_pair((short)(style + 1), looks[style].many, looks[style].back);
        else
            init_pair((short)(style + 1), looks[style].few, -1);
    }
    return true;
}

static attr_t attributes(const struct screen *screen, enum style style,
                         short *pair)
{
    *pair = screen->colours ? (short)(style + 1) : 0;
    if (!screen->colours)
        return looks[style].plain;
    return COLORS >= 256 ? looks[style].with_many : looks[style].with_few;
}

/* --- signals --------------------------------------------------------------- */

static void on_resize(int signal)
{
    (void)signal;
    tty.resized = 1;
}

static void on_request(int signal)
{
    (void)signal;
    tty.leave = 1;
}

/* Only calls that signal-safety(7) allows: the terminal back, then die as we
 * would have. */
static void on_crash(int signal)
{
    ssize_t ignored;

    tcsetattr(STDIN_FILENO, TCSAFLUSH, &tty.before);
    ignored = write(STDOUT_FILENO, tty.teardown, tty.teardown_length);
    (void)ignored;
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &tty.crash_before[i], NULL);
    raise(signal);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_resize};

    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, &tty.resize_before);
    action.sa_handler = on_request;
    for (int i = 0; i < REQUESTS; i++)
        sigaction(requests[i], &action, &tty.request_before[i]);
    action.sa_handler = on_crash;
    action.sa_flags = (int)SA_NODEFER;
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &tty.crash_before[i]);
}

static void release_signals(void)
{
    sigaction(SIGWINCH, &tty.resize_before, NULL);
    for (int i = 0; i < REQUESTS; i++)
        sigaction(requests[i], &tty.request_before[i], NULL);
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &tty.crash_before[i], NULL);
}

/* A string of terminfo(5), NULL when this terminal has none. (term.h's own
 * names are macros such as `columns`.) */
static const char *capability(const char *name)
{
    const char *sequence = tigetstr(name);

    return sequence == (const char *)-1 ? NULL : sequence;
}

/* Append one of them to what on_crash() writes; tputs(3) would add padding
 * through a function of its own, so padding is cut off here. */
static void add_teardown(const char *sequence)
{
    if (!sequence)
        return;
    for (; *sequence; sequence++) {
        if (sequence[0] == '$' && sequence[1] == '<') {
            sequence = strchr(sequence, '>');
            if (!sequence)
                return;
        } else if (tty.teardown_length < sizeof tty.teardown) {
            tty.teardown[tty.teardown_length++] = *sequence;
        }
    }
}

/* --- open and close -------------------------------------------------------- */

static void close_at_exit(void)
{
    if (tty.screen)
        screen_close(tty.screen);
}

static void settle(void)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_DELAY_MS);
    curs_set(0);
    leaveok(stdscr, TRUE);
}

struct screen *screen_open(void)
{
    static bool registered;
    struct screen *screen;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, &tty.before) < 0) {
        errno = ENOTTY;
        return NULL;
    }
    screen = calloc(1, sizeof *screen);
    if (!screen)
        return NULL;
    setlocale(LC_CTYPE, "");
    screen->curses = newterm(NULL, stdout, stdin); /* initscr() would exit */
    if (!screen->curses || !capability("cup")) {
        if (screen->curses) {
            endwin();
            delscreen(screen->curses);
        }
        free(screen);
        errno = ENXIO;
        return NULL;
    }
    settle();
    screen->colours = start_colours();
    tty.resized = tty.leave = 0;
    tty.teardown_length = 0;
    add_teardown(capability("sgr0"));
    add_teardown(capability("rmkx"));
    add_teardown(capability("cnorm"));
    add_teardown(capability("rmcup"));
    tty.screen = screen;
    catch_signals();
    if (!registered)
        registered = atexit(close_at_exit) == 0;
    return screen;
}

void screen_close(struct screen *screen)
{
    if (!screen)
        return;
    endwin();
    release_signals();
    tty.screen = NULL;
    delscreen(screen->curses);
    free(screen->shown);
    free(screen);
}

void screen_mouse(struct screen *screen)
{
    (void)screen;
    if (!capability("kmous") ||
        mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL) ==
            0)
        return;
    mouseinterval(0); /* a press is told at once, not as half a click */
    add_teardown("\033[?1006l\033[?1000l"); /* xterm's, and who follows it */
}

bool screen_ascii(void)
{
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* --- size ------------------------------------------------------------------ */

static void forget_shown(struct screen *screen)
{
    free(screen->shown);
    screen->shown = NULL;
    screen->rows = screen->columns = 0;
}

/* The size that the terminal has now; false when it does not know. */
static bool terminal_size(struct winsize *size)
{
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, size) == 0 && size->ws_row > 0 &&
           size->ws_col > 0;
}

/* A new size without SIGWINCH: `su -c` starts a program in a session that has
 * no terminal, and so it is told nothing. */
static bool size_differs(void)
{
    struct winsize size;

    return terminal_size(&size) &&
           (size.ws_row != getmaxy(stdscr) || size.ws_col != getmaxx(stdscr));
}

static void take_size(struct screen *screen)
{
    struct winsize size;

    tty.resized = 0;
    forget_shown(screen);
    if (terminal_size(&size))
        resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE); /* what a terminal keeps when it shrinks varies */
}

void screen_size(struct screen *screen, int *rows, int *columns)
{
    if (tty.resized || size_differs())
        take_size(screen);
    getmaxyx(stdscr, *rows, *columns);
    if (*rows > CANVAS_MOST_ROWS)
        *rows = CANVAS_MOST_ROWS;
    if (*columns > CANVAS_MOST_COLUMNS)
        *columns = CANVAS_MOST_COLUMNS;
    if (*rows < 1)
        *rows = 1;
    if (*columns < 1)
        *columns = 1;
}

/* --- keys ------------------------------------------------------------------ */

static int named_key(wint_t key)
{
    switch (key) {
    case KEY_UP:
        return INPUT_UP;
    case KEY_DOWN:
        return INPUT_DOWN;
    case KEY_LEFT:
        return INPUT_LEFT;
    case KEY_RIGHT:
        return INPUT_RIGHT;
    case KEY_PPAGE:
        return INPUT_PAGE_UP;
    case KEY_NPAGE:
        return INPUT_PAGE_DOWN;
    case KEY_HOME:
        return INPUT_HOME;
    case KEY_END:
        return INPUT_END;
    case KEY_ENTER:
        return INPUT_ENTER;
    case KEY_BACKSPACE:
        return INPUT_BACKSPACE;
    case KEY_RESIZE:
        return INPUT_RESIZED;
    default:
        return INPUT_NONE;
    }
}

/* The wheel, or where the first button was pressed. */
static int mouse_key(void)
{
    MEVENT event;

    if (getmouse(&event) != OK)
        return INPUT_NONE;
    if (event.bstate & BUTTON4_PRESSED)
        return INPUT_WHEEL_UP;
    if (event.bstate & BUTTON5_PRESSED)
        return INPUT_WHEEL_DOWN;
    if (!(event.bstate & BUTTON1_PRESSED) || event.y < 0 || event.x < 0 ||
        event.y >= CANVAS_MOST_ROWS || event.x >= CANVAS_MOST_COLUMNS)
        return INPUT_NONE;
    return INPUT_CLICK + event.y * CANVAS_MOST_COLUMNS + event.x;
}

static bool hung_up(void)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

int screen_key(struct screen *screen)
{
    wint_t key;
    int kind;

    if (tty.leave || hung_up())
        return INPUT_HUNG_UP;
    if (tty.resized) {
        take_size(screen);
        return INPUT_RESIZED;
    }
    for (;;) { /* past keys that have no name with us */
        kind = get_wch(&key);
        if (kind == ERR)
            return INPUT_NONE;
        if (kind == KEY_CODE_YES) {
            int named = key == KEY_MOUSE ? mouse_key() : named_key(key);

            if (named != INPUT_NONE)
                return named;
        } else if (key == CONTROL_L) {
            forget_shown(screen);
            clearok(curscr, TRUE);
            return INPUT_RESIZED;
        } else if (key == '\n' || key == '\r') {
            return INPUT_ENTER;
        } else if (key == '\b') {
            return INPUT_BACKSPACE;
        } else if (key > 0 && key <= 0x10FFFF) {
            return (int)key;
        }
    }
}

/* --- showing --------------------------------------------------------------- */

static void show_cell(const struct screen *screen, int row, int column,
                      const struct cell *cell)
{
    wchar_t text[2] = {(wchar_t)cell->code, L'\0'};
    cchar_t character;
    short pair;
    attr_t how = attributes(screen, cell->style, &pair);

    if (cell->code == 0)
        return; /* drawn with its left half */
    /* A locale that knows the character by another width would shift the row. */
    if (cell->code >= 0x80 && wcwidth(text[0]) != code_width(cell->code))
        text[0] = L'?';
    if (setcchar(&character, text, how, pair, NULL) == OK)
        mvadd_wchnstr(row, column, &character, 1);
}

/* The cells that differ from what is shown go to curses, which sends less
 * still. */
void screen_show(struct screen *screen, const struct canvas *canvas)
{
    size_t columns = (size_t)canvas->columns;
    size_t count = (size_t)canvas->rows * columns;
    bool anew = screen->rows != canvas->rows ||
                screen->columns != canvas->columns || !screen->shown;

    if (anew) {
        forget_shown(screen);
        screen->shown = calloc(count, sizeof *screen->shown);
        if (!screen->shown)
            return;
        screen->rows = canvas->rows;
        screen->columns = canvas->columns;
        erase();
    }
    for (size_t i = 0; i < count; i++) {
        const struct cell *cell = &canvas->cells[i];

        if (!anew && cell->code == screen->shown[i].code &&
            cell->style == screen->shown[i].style)
            continue;
        show_cell(screen, (int)(i / columns), (int)(i % columns), cell);
        screen->shown[i] = *cell;
    }
    refresh();
}
