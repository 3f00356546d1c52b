/* See options.h. */
#include "viz/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#define LOOPBACK "lo"
#else
#define LOOPBACK "lo0"
#endif

/* What an option is, in the order of the usage text. Those without a letter
 * count on from where letters end. */
enum id {
    ID_INTERFACE = 'i',
    ID_READ = 'r',
    ID_FILTER = 'f',
    ID_WRITE = 'w',
    ID_SNAPLEN = 's',
    ID_COUNT = 'c',
    ID_HELP = 'h',
    ID_DURATION = 256,
    ID_TEXT,
    ID_JSON,
    ID_SUMMARY,
    ID_STREAM,
    ID_EXPECT,
    ID_PRIVATE,
    ID_LOSS,
    ID_MTU,
    ID_JOIN,
    ID_LESSON,
    ID_PLAY,
    ID_RECORD,
    ID_REPLAY,
    ID_DUMP,
    ID_KEYS,
    ID_ASCII,
    ID_DOCTOR,
    ID_SHELL,
    ID_CALLS,
    ID_SVG,
    ID_EXPORT,
    ID_CONNECTION,
    ID_PREDICT,
    ID_WIRESHARK
};

/* Reads the value of one option into *options. 0, or -1 with *error. */
typedef int reader_fn(struct options *options, const char *value,
                      struct options_error *error);

/* --- values ---------------------------------------------------------------- */

static int fail(struct options_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(struct options_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    errno = EINVAL;
    return -1;
}

/* A whole number at *text, moved on behind it. */
static int read_number(const char **text, uint64_t most, uint64_t *number)
{
    const char *at = *text;

    *number = 0;
    if (*at < '0' || *at > '9')
        return -1;
    for (; *at >= '0' && *at <= '9'; at++) {
        *number = *number * 10 + (uint64_t)(*at - '0');
        if (*number > most)
            return -1;
    }
    *text = at;
    return 0;
}

static int read_whole(const char *text, uint64_t least, uint64_t most,
                      uint64_t *number)
{
    if (read_number(&text, most, number) < 0 || *text != '\0' ||
        *number < least)
        return -1;
    return 0;
}

/* Each of the rest reads the value of one option. */

static int read_snaplen(struct options *options, const char *value,
                        struct options_error *error)
{
    uint64_t number;

    if (read_whole(value, 64, 262144, &number) < 0)
        return fail(error, "--snaplen is from 64 to 262144 bytes, not %s",
                    value);
    options->snaplen = (uint32_t)number;
    return 0;
}

static int read_loss(struct options *options, const char *value,
                     struct options_error *error)
{
    const char *at = value;
    uint64_t lost, of;

    if (read_number(&at, 1000, &lost) < 0 || *at++ != '/' ||
        read_whole(at, 1, 1000, &of) < 0 || lost == 0 || lost > of)
        return fail(error,
                    "--loss is N/M, as in 1/3: of each 3 packets one way "
                    "the last is lost (M at most 1000), not %s",
                    value);
    options->lost = (unsigned)lost;
    options->lost_of = (unsigned)of;
    return 0;
}

static int read_mtu(struct options *options, const char *value,
                    struct options_error *error)
{
    uint64_t number;

    if (read_whole(value, 576, 65535, &number) < 0)
        return fail(error, "--mtu is from 576 to 65535 bytes, not %s", value);
    options->mtu = (unsigned)number;
    return 0;
}

static int read_count(struct options *options, const char *value,
                      struct options_error *error)
{
    if (read_whole(value, 1, UINT64_C(1) << 62, &options->count) < 0)
        return fail(error, "--count is a number of packets, from 1 on, not %s",
                    value);
    return 0;
}

static int read_duration(struct options *options, const char *value,
                         struct options_error *error)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"", 1000000000},
                 {"s", 1000000000},
                 {"ms", 1000000},
                 {"m", UINT64_C(60000000000)}};
    const char *at = value;
    uint64_t number = 0;

    if (read_number(&at, 1000000, &number) < 0)
        number = 0;
    for (size_t i = 0; number > 0 && i < sizeof units / sizeof *units; i++) {
        if (strcmp(at, units[i].name) != 0)
            continue;
        options->duration_ns = (int64_t)(number * units[i].ns);
        return 0;
    }
    return fail(error, "--duration is a time such as 5s, 500ms or 2m, not %s",
                value);
}

static int read_connection(struct options *options, const char *value,
                           struct options_error *error)
{
    uint64_t number;

    if (read_whole(value, 0, UINT32_MAX, &number) < 0)
        return fail(error,
                    "--connection is a number, from 0, as --summary has them, "
                    "not %s",
                    value);
    options->connection = (uint32_t)number;
    return 0;
}

static int read_dump(struct options *options, const char *value,
                     struct options_error *error)
{
    const char *at = value;
    uint64_t width, height;

    if (read_number(&at, 1000, &width) < 0 || *at++ != 'x' ||
        read_whole(at, 1, 1000, &height) < 0 || width == 0)
        return fail(error,
                    "--dump is a size in columns and rows such as 80x24, at "
                    "most 1000x1000, not %s",
                    value);
    options->dump_columns = (int)width;
    options->dump_rows = (int)height;
    return 0;
}

static int read_predict(struct options *options, const char *value,
                        struct options_error *error)
{
    (void)options;
    if (value[strspn(value, "abcd")] == '\0')
        return 0;
    return fail(error,
                "--predict takes the letters of the answers, a to d, as in "
                "--predict abca; '' only asks. Not %s",
                value);
}

int options_export_form(const char *path, enum export_form *form)
{
    static const char *const endings[] = {[EXPORT_TEXT] = ".txt",
                                          [EXPORT_MARKDOWN] = ".md",
                                          [EXPORT_SVG] = ".svg",
                                          [EXPORT_PCAP] = ".pcap"};
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);

        if (length <= ending || strcmp(path + length - ending, endings[i]) != 0)
            continue;
        *form = (enum export_form)i;
        return 0;
    }
    return -1;
}

static int read_export(struct options *options, const char *value,
                       struct options_error *error)
{
    if (options_export_form(value, &options->export_form) == 0)
        return 0;
    return fail(error, "--export FILE ends in .txt, .md, .svg or .pcap, not %s",
                value);
}

static int add_term(struct options *options, const char *term,
                    struct options_error *error)
{
    size_t size = (options->term_count + 1) * sizeof *options->terms;
    const char **terms = realloc(options->terms, size);

    if (!terms) {
        snprintf(error->text, sizeof error->text, "there is no memory left");
        return -1;
    }
    options->terms = terms;
    terms[options->term_count++] = term;
    return 0;
}

/* --- the options ----------------------------------------------------------- */

/* One option: what the usage text says of it, and what it does. */
struct choice {
    enum id id;
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;     /* NULL: not in the usage text */
    const char *heading;  /* printed above it */
    size_t field;         /* of struct options, set when it stands there: a
                             bool, or the argument's text; 0: none */
    enum mode mode;       /* what viz is then; MODE_SCREEN: as before */
    reader_fn *read;      /* of a value that can be wrong */
};

#define FIELD(name) .field = offsetof(struct options, name)

static const struct choice choices[] = {
    {ID_INTERFACE, "interface", "IF",
     "watch this interface (" LOOPBACK " when none is given)",
     "Where packets come from", FIELD(interface)},
    {ID_READ, "read", "FILE", "read a capture file; - is standard input", NULL,
     FIELD(read_path)},
    {ID_PRIVATE, "private", NULL,
     "run the command after -- in a network of its own", NULL,
     FIELD(private_network)},
    {ID_LOSS, "loss", "N/M",
     "with --private: lose the last N of M packets each way", NULL,
     .read = read_loss},
    {ID_MTU, "mtu", "BYTES",
     "with --private: packets of so many bytes, such as 1500", NULL,
     .read = read_mtu},
    {ID_JOIN, "join", "WHO",
     "a network that runs already: of this pid or program", NULL, FIELD(join)},
    {ID_FILTER, "filter", "FILTER",
     "only what matches, as for tcpdump: 'tcp port 7001'", NULL, FIELD(filter)},
    {ID_SNAPLEN, "snaplen", "BYTES", "keep so many bytes of a packet (512)",
     NULL, .read = read_snaplen},
    {ID_WRITE, "write", "FILE", "also keep the packets in this pcap file", NULL,
     FIELD(write_path)},
    {ID_COUNT, "count", "N", "end after N packets", "When it ends",
     .read = read_count},
    {ID_DURATION, "duration", "TIME", "end after this time: 5s, 500ms, 2m",
     NULL, .read = read_duration},
    {ID_TEXT, "text", NULL, "the ladder, a line a packet",
     "What it shows (without any of these: the screen)", FIELD(text)},
    {ID_CALLS, "calls", NULL,
     "with --text --private: the program's socket calls too", NULL,
     FIELD(calls)},
    {ID_JSON, "json", NULL, "an object a line: see docs/viz-json.md", NULL,
     .mode = MODE_JSON},
    {ID_WIRESHARK, "wireshark", NULL, "with --json: also what tshark 4.0 says",
     NULL, FIELD(wireshark)},
    {ID_SUMMARY, "summary", NULL, "each connection in words, at the end", NULL,
     .mode = MODE_SUMMARY},
    {ID_EXPECT, "expect", "TERM",
     "tick off observations: 'handshake tcp 7001' ...", NULL,
     .mode = MODE_EXPECT, .read = add_term},
    {ID_PREDICT, "predict", "ABC", "ask what comes next; score these answers",
     NULL, .mode = MODE_PREDICT, .read = read_predict, FIELD(predict)},
    {ID_EXPORT, "export", "FILE", "one connection: as .txt, .md, .svg or .pcap",
     NULL, .mode = MODE_EXPORT, .read = read_export, FIELD(export_path)},
    {ID_STREAM, "stream", NULL, "what was said on one connection, as text",
     NULL, .mode = MODE_STREAM},
    {ID_CONNECTION, "connection", "N", "which one (0), as --summary has them",
     NULL, .read = read_connection},
    {ID_DUMP, "dump", "WxH", "the screen as text: 80x24", NULL,
     .read = read_dump},
    {ID_SVG, "svg", "FILE", "the screen as a picture; --dump says its size",
     NULL, FIELD(svg_path)},
    {ID_KEYS, "keys", "KEYS", "pressed before the dump: 'j<Enter>'", NULL,
     FIELD(keys)},
    {ID_ASCII, "ascii", NULL, "draw with ASCII characters only", NULL,
     FIELD(ascii)},
    {ID_LESSON, "lesson", "FILE", "open a lesson; make lesson-1 does this",
     "The lab", .mode = MODE_LESSON, FIELD(lesson)},
    {ID_PLAY, "play", NULL, "with --lesson: it plays by itself", NULL,
     FIELD(play)},
    {ID_RECORD, "record", NULL,
     "with --play: store what was seen, for later replays", NULL,
     FIELD(record)},
    {ID_REPLAY, "replay", NULL, "with --lesson: from what is stored", NULL,
     FIELD(replay)},
    {ID_SHELL, "shell", NULL, "a terminal in the running lesson's network",
     NULL, .mode = MODE_SHELL},
    {ID_DOCTOR, "doctor", NULL, "what this machine allows, and what helps",
     NULL, .mode = MODE_DOCTOR},
    {ID_HELP, "help", NULL, "this text", NULL, .mode = MODE_HELP},
};

enum { SVG_COLUMNS = 100, SVG_ROWS = 30 }; /* without --dump */

enum { CHOICES = sizeof choices / sizeof choices[0] };

/* --- usage ----------------------------------------------------------------- */

static const char examples[] =
    "\nExamples\n"
    "  viz                              watch the loopback interface\n"
    "  viz -r capture.pcap --text       a capture as a ladder\n"
    "  viz -f 'tcp port 7001' --json    one JSON object a packet\n"
    "  viz -r capture.pcap --expect 'handshake tcp 7001' \\\n"
    "      'close tcp 7001 by client'   did both happen, in this order?\n"
    "  viz --private --text -- sh lab.sh\n"
    "\nStatus: 0 fine; 1 an expectation stayed untrue; 2 cannot, and says "
    "why.\n";

void options_usage(FILE *out)
{
    char left[64], letter[8];

    fputs("usage: viz [-i IF | -r FILE] [-f FILTER] [-w FILE] [what it shows]\n"
          "       viz [what it shows] --private -- COMMAND\n",
          out);
    for (int i = 0; i < CHOICES; i++) {
        const struct choice *choice = &choices[i];

        if (!choice->help)
            continue;
        if (choice->heading)
            fprintf(out, "\n%s\n", choice->heading);
        if (choice->id < ID_DURATION)
            snprintf(letter, sizeof letter, "-%c,", (char)choice->id);
        else
            snprintf(letter, sizeof letter, "   ");
        snprintf(left, sizeof left, "%s --%s%s%s", letter, choice->name,
                 choice->argument ? " " : "",
                 choice->argument ? choice->argument : "");
        fprintf(out, "  %-24s%s\n", left, choice->help);
    }
    fputs(examples, out);
}

/* --- reading --------------------------------------------------------------- */

/* The row of an option; every id has one. */
static const struct choice *choice_of(enum id id)
{
    int i = 0;

    while (choices[i].id != id)
        i++;
    return &choices[i];
}

/* While reading: which options stood there, by their rows. */
struct seen {
    uint64_t rows;
    enum id mode; /* 0: none yet */
};
_Static_assert(CHOICES <= 64, "a bit for each option");

static bool stood(const struct seen *seen, enum id id)
{
    return seen->rows >> (choice_of(id) - choices) & 1;
}

static int set_mode(struct options *options, struct seen *seen, enum mode mode,
                    enum id id, struct options_error *error)
{
    if (seen->mode != 0 && seen->mode != id)
        return fail(error, "--%s and --%s: only one of them at a time",
                    choice_of(seen->mode)->name, choice_of(id)->name);
    seen->mode = id;
    options->mode = mode;
    return 0;
}

/* One option that getopt_long() has found. */
static int take(struct options *options, struct seen *seen, enum id id,
                const char *value, struct options_error *error)
{
    const struct choice *choice = choice_of(id);
    char *field = (char *)options + choice->field;

    if (choice->read && choice->read(options, value, error) < 0)
        return -1;
    if (choice->field && choice->argument)
        memcpy(field, &value, sizeof value);
    else if (choice->field)
        *(bool *)field = true;
    seen->rows |= UINT64_C(1) << (choice - choices);
    if (choice->mode == MODE_SCREEN)
        return 0;
    if (choice->mode != MODE_HELP)
        return set_mode(options, seen, choice->mode, id, error);
    options->mode = MODE_HELP; /* whatever else stood there */
    return 0;
}

/* --- what goes together ---------------------------------------------------- */

static int check_source(const struct options *options, const struct seen *seen,
                        struct options_error *error)
{
    bool live_or_file = options->mode <= MODE_DUMP;

    if (options->read_path && stood(seen, ID_INTERFACE))
        return fail(error, "-i is live and -r is a file: give one of them");
    if (options->private_network &&
        (options->read_path || stood(seen, ID_INTERFACE)))
        return fail(error, "--private has a network of its own: it takes "
                           "neither -i nor -r");
    if (options->private_network && !options->command)
        return fail(error, "--private wants the command to run: viz --private "
                           "--text -- ./server 7001");
    if (options->private_network &&
        (!live_or_file || options->mode == MODE_DUMP))
        return fail(error, "--private goes with the screen, --text, --json, "
                           "--summary or --expect");
    if (options->join && (options->read_path || options->private_network))
        return fail(error, "--join looks into a network that runs already: it "
                           "takes neither -r nor --private");
    if (options->lost_of > 0 && !options->private_network)
        return fail(error, "--loss is for a network of its own: viz --loss 1/3 "
                           "--private -- ./server 7001");
    if (options->mtu > 0 && !options->private_network)
        return fail(error, "--mtu is for a network of its own: viz --mtu 1500 "
                           "--private -- ./server 7001");
    if (options->command && !options->private_network)
        return fail(error, "what stands after -- is a command for --private");
    if (options->read_path && options->duration_ns > 0)
        return fail(error, "--duration is for live packets; for a file there "
                           "is --count");
    if (!live_or_file &&
        (options->read_path || stood(seen, ID_INTERFACE) || options->filter ||
         options->write_path || options->join || stood(seen, ID_SNAPLEN) ||
         stood(seen, ID_COUNT) || stood(seen, ID_DURATION)))
        return fail(error,
                    "--%s takes no -i, -r, -f, -w, -s, --join, --count or "
                    "--duration",
                    choice_of(seen->mode)->name);
    return 0;
}

/* --dump and --svg: what a picture is made of. */
static int check_picture(struct options *options, struct seen *seen,
                         struct options_error *error)
{
    if (!stood(seen, ID_DUMP) && !options->svg_path)
        return 0;
    if (!stood(seen, ID_DUMP)) {
        options->dump_columns = SVG_COLUMNS;
        options->dump_rows = SVG_ROWS;
    }
    if (options->mode == MODE_LESSON) {
        options->replay = true;
        if (options->play || options->text || options->record)
            return fail(error, "a picture of a lesson is made from its "
                               "recording: without --play, --text and "
                               "--record");
        return 0;
    }
    if (options->mode != MODE_SCREEN && !stood(seen, ID_DUMP))
        return fail(error, "--svg draws the screen: it goes with --dump, -i, "
                           "-r and --lesson only");
    return set_mode(options, seen, MODE_DUMP, ID_DUMP, error);
}

static int check(struct options *options, struct seen *seen,
                 struct options_error *error)
{
    if (check_picture(options, seen, error) < 0)
        return -1;
    if (options->text && options->mode != MODE_LESSON &&
        set_mode(options, seen, MODE_TEXT, ID_TEXT, error) < 0)
        return -1;
    if ((options->play || options->record || options->replay) &&
        options->mode != MODE_LESSON)
        return fail(error, "--play, --record and --replay go with --lesson");
    if (options->calls &&
        (options->mode != MODE_TEXT || !options->private_network))
        return fail(error, "--calls goes with --text and --private; the screen "
                           "and --json have the calls by themselves");
    if (options->play && options->text)
        return fail(error, "--play prints text by itself; --text is for who "
                           "types: give one of them");
    if (options->record && !options->play)
        return fail(error, "--record goes with --play");
    if (stood(seen, ID_CONNECTION) && options->mode != MODE_EXPORT &&
        options->mode != MODE_STREAM)
        return fail(error, "--connection goes with --export and --stream");
    if (options->mode == MODE_EXPORT && options->export_form == EXPORT_PCAP &&
        options->write_path)
        return fail(error, "--export FILE.pcap and -w: one of them at a time");
    if (options->wireshark && options->mode != MODE_JSON)
        return fail(error, "--wireshark goes with --json");
    if (options->keys[0] != '\0' && options->dump_columns == 0)
        return fail(error, "--keys goes with --dump and --svg");
    return check_source(options, seen, error);
}

/* A word that is no option: a term, or a filter as tcpdump takes it. */
static int take_word(struct options *options, const char *word,
                     struct options_error *error)
{
    if (options->mode == MODE_EXPECT)
        return add_term(options, word, error);
    return fail(error,
                "\"%.80s\" is no option; a filter is written -f "
                "'tcp port 7001', a file -r FILE",
                word);
}

/* getopt_long()'s own tables, made from ours. */
static void make_tables(struct option *table, char *letters)
{
    *letters++ = '-'; /* words come in their order, as option 1 */
    *letters++ = ':';
    for (int i = 0; i < CHOICES; i++) {
        table[i] = (struct option){
            .name = choices[i].name,
            .has_arg = choices[i].argument ? required_argument : no_argument,
            .val = (int)choices[i].id};
        if (choices[i].id >= ID_DURATION)
            continue;
        *letters++ = (char)choices[i].id;
        if (choices[i].argument)
            *letters++ = ':';
    }
    *letters = '\0';
    memset(&table[CHOICES], 0, sizeof table[CHOICES]);
}

/* What getopt_long() did not take: optopt has the letter or the id where it
 * knows one, else `word` is what stood there. */
static int refuse(int found, const char *word, struct options_error *error)
{
    char name[48];

    if (optopt >= ID_DURATION)
        snprintf(name, sizeof name, "--%s", choice_of((enum id)optopt)->name);
    else if (optopt > ' ')
        snprintf(name, sizeof name, "-%c", (char)optopt);
    else
        snprintf(name, sizeof name, "%.40s", word);
    if (found == ':')
        return fail(error, "%s wants a value; viz --help tells which", name);
    if (optopt >= ID_DURATION)
        return fail(error, "%s takes no value", name);
    return fail(error, "%s is no option of viz; viz --help lists them", name);
}

int options_read(struct options *options, int argc, char *argv[],
                 struct options_error *error)
{
    struct option table[CHOICES + 1];
    char letters[2 * CHOICES + 3];
    struct seen seen = {0};
    int found;

    *options = (struct options){.interface = LOOPBACK, .keys = ""};
    make_tables(table, letters);
    opterr = 0;
    optind = 0; /* anew, for tests that call this twice */
    while ((found = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        if (found == ':' || found == '?')
            return refuse(found, argv[optind > 0 ? optind - 1 : 0], error);
        if (found == 1
                ? take_word(options, optarg, error) < 0
                : take(options, &seen, (enum id)found, optarg, error) < 0)
            return -1;
        if (options->mode == MODE_HELP)
            return 0;
    }
    if (optind < argc)
        options->command = argv + optind;
    else if (optind > 0 && strcmp(argv[optind - 1], "--") == 0)
        return fail(error, "a command for --private should stand after --");
    return check(options, &seen, error);
}

void options_fini(struct options *options)
{
    free(options->terms);
    options->terms = NULL;
    options->term_count = 0;
}
