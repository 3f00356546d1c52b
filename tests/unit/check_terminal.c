/*
 * viz/lab/terminal: bytes of a pty in, events out. Each case is fed whole and
 * byte by byte, and must give the same events both ways.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/lab/plain.h"
#include "viz/lab/terminal.h"

#define PROMPT   "\033]133;A\aA $ \033]133;B\a"
#define RUN(cmd) "\033]133;C;cmdline=" cmd "\a"
#define DONE(n)  "\033]133;D;" #n "\a"

/* The events of a feed as lines: "printed hello". */
static char told[8192];
static size_t told_length;

static void keep(void *self, const struct event *event)
{
    const char *name = event->kind == EVENT_OPENED    ? "opened"
                       : event->kind == EVENT_TYPED   ? "typed"
                       : event->kind == EVENT_PRINTED ? "printed"
                                                      : "exited";
    char rest[TERMINAL_LINE + 8];

    ck_assert_ptr_null(self);
    ck_assert_int_eq(event->terminal, 'A');
    ck_assert_int_eq(event->time_ns, 5);
    if (event->kind == EVENT_EXITED)
        snprintf(rest, sizeof rest, " %d", event->status);
    else
        snprintf(rest, sizeof rest, "%s%s", event->text != NULL ? " " : "",
                 event->text != NULL ? event->text : "");
    told_length += (size_t)snprintf(
        told + told_length, sizeof told - told_length, "%s%s\n", name, rest);
    ck_assert_uint_lt(told_length, sizeof told);
}

static void feed(struct terminal *terminal, const char *bytes, size_t length)
{
    terminal_feed(terminal, bytes, length, 5, keep, NULL);
}

static void begin(struct terminal *terminal)
{
    terminal_init(terminal, 'A');
    told[0] = '\0';
    told_length = 0;
}

static void gives_bytes(const char *bytes, size_t length, const char *events)
{
    struct terminal terminal;

    begin(&terminal);
    feed(&terminal, bytes, length);
    ck_assert_str_eq(told, events);
    begin(&terminal);
    for (size_t i = 0; i < length; i++)
        feed(&terminal, bytes + i, 1);
    ck_assert_str_eq(told, events);
}

static void gives(const char *bytes, const char *events)
{
    gives_bytes(bytes, strlen(bytes), events);
}

/* What a program's bytes look like as lines. */
static void prints(const char *bytes, const char *events)
{
    char all[2048], expected[2048];

    snprintf(all, sizeof all, "%s%s%s", RUN("x"), bytes, DONE(0));
    snprintf(expected, sizeof expected, "typed x\n%sexited 0\n", events);
    gives(all, expected);
}

START_TEST(a_command_is_typed_prints_and_ends)
{
    gives(PROMPT "./server 7001\r\n" RUN(
              "./server 7001") "listening on 127.0.0.1:7001\r\n" DONE(0) PROMPT,
          "opened\ntyped ./server 7001\nprinted listening on 127.0.0.1:7001\n"
          "exited 0\n");
}
END_TEST

START_TEST(a_shell_opens_once)
{
    gives(PROMPT DONE(0) PROMPT DONE(0) PROMPT, "opened\n");
}
END_TEST

START_TEST(only_the_whole_prompt_says_that_bash_waits)
{
    struct terminal terminal;

    begin(&terminal);
    feed(&terminal, "\033]133;A\aA $ ", 12);
    ck_assert(!terminal.at_prompt);
    feed(&terminal, "\033]133;B\a", 8);
    ck_assert(terminal.at_prompt);
    feed(&terminal, RUN("ls"), strlen(RUN("ls")));
    ck_assert(!terminal.at_prompt);
}
END_TEST

START_TEST(what_readline_redraws_is_no_line)
{
    gives(PROMPT "./serv\b\b\b\033[K\r\033[C\033[Cls\r\n./client  ./server\r\n"
                 "A $ l\r\n" RUN("ls") DONE(2),
          "opened\ntyped ls\nexited 2\n");
}
END_TEST

START_TEST(escape_sequences_are_stripped)
{
    prints("\033[1;31mred\033[0m \033]0;title\a\033]8;;http://x\033\\link"
           "\033(B\033=\033Pq#0\033\\ \033[?25hend\r\n",
           "printed red link end\n");
}
END_TEST

START_TEST(control_bytes_are_dropped)
{
    prints("a\a\001\177b\302\233c\302\200d\r\n", "printed abcd\n");
}
END_TEST

START_TEST(a_line_drawn_again_is_the_last_drawing)
{
    prints("10%\r50%\r100%\r\n", "printed 100%\n");
    prints("waiting\r\033[Kdone\r\n", "printed done\n");
    prints("waiting\033[2Kdone\r\n", "printed done\n");
    prints("abcdef\rXY\r\n", "printed XYcdef\n");
    prints("h\303\251llo\rhe\r\n", "printed hello\n");
    prints("abx\b\bcd\r\n", "printed acd\n");
}
END_TEST

START_TEST(tabs_go_to_the_next_eighth_column)
{
    prints("a\tb\r\n", "printed a       b\n");
    prints("12345678\tb\r\n", "printed 12345678        b\n");
}
END_TEST

START_TEST(bad_utf8_becomes_a_question_mark)
{
    prints("gr\303\274n \342\202\254 \360\237\230\200\r\n",
           "printed gr\303\274n \342\202\254 \360\237\230\200\n");
    prints("a\377b\r\n", "printed a?b\n");
    prints("a\303(b\r\n", "printed a?(b\n");
    prints("a\300\257b\r\n", "printed a??b\n");        /* overlong */
    prints("a\340\200\257b\r\n", "printed a?b\n");     /* overlong */
    prints("a\355\240\200b\r\n", "printed a?b\n");     /* a surrogate */
    prints("a\364\220\200\200b\r\n", "printed a?b\n"); /* above 0x10ffff */
    prints("a\342\202\r\n", "printed a?\n");           /* cut off */
    prints("a\342\033[0mb\r\n", "printed a?b\n");
}
END_TEST

START_TEST(a_line_without_end_is_told_when_the_command_ends)
{
    prints("no newline", "printed no newline\n");
    prints("", "");
    prints("\r\n", "printed \n");
}
END_TEST

START_TEST(a_long_line_loses_its_rest)
{
    char bytes[3000], expected[1024];

    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, RUN("x"), strlen(RUN("x")));
    memcpy(bytes + sizeof bytes - 2, "\r\n", 2);
    snprintf(expected, sizeof expected, "typed x\nprinted %0511d\n", 0);
    for (char *at = strstr(expected, "printed ") + 8; *at == '0'; at++)
        *at = 'x';
    gives_bytes(bytes, sizeof bytes, expected);
}
END_TEST

START_TEST(nothing_swallows_the_marks_that_follow)
{
    prints("\033]0;never ended\r\n", "printed \n");
    prints("\033Pnever ended", "");
    prints("\033[12", "");
    prints("\033]52;c;\030text", "printed text\n");
    prints("\303", "printed ?\n");
}
END_TEST

START_TEST(a_command_line_is_made_clean_too)
{
    gives("\033]133;C;cmdline=echo 'h\303\251' \377;ls\033\\" DONE(127),
          "typed echo 'h\303\251' ?;ls\nexited 127\n");
}
END_TEST

START_TEST(a_status_is_one_byte)
{
    gives(RUN("a") DONE(4294967297) RUN("b") "\033]133;D;-1\a",
          "typed a\nexited 1\ntyped b\nexited 255\n");
}
END_TEST

/* Type `typed`, then the terminal shows `shown`. */
static void echoes(const char *typed, const char *shown, const char *events)
{
    struct terminal terminal;

    begin(&terminal);
    feed(&terminal, RUN("x"), strlen(RUN("x")));
    terminal_typed(&terminal, typed, strlen(typed));
    feed(&terminal, shown, strlen(shown));
    feed(&terminal, DONE(0), strlen(DONE(0)));
    ck_assert_str_eq(told + strlen("typed x\n"), events);
}

START_TEST(the_echo_of_typing_is_no_line_of_the_program)
{
    echoes("hello\r", "hello\r\nhello\r\n", "printed hello\nexited 0\n");
    echoes("one\ntwo\n", "one\r\ntwo\r\none\r\n", "printed one\nexited 0\n");
    echoes("name\r", "your name? name\r\nhello name\r\n",
           "printed your name? \nprinted hello name\nexited 0\n");
    echoes("\r", "\r\nanswer\r\n", "printed answer\nexited 0\n");
}
END_TEST

START_TEST(typing_that_was_edited_is_known_by_what_stayed)
{
    echoes("hex\177llo\r", "hex\b \bllo\r\n", "exited 0\n");
    echoes("ab\177\177\r", "ab\b \b\b \b\r\n", "exited 0\n");
    echoes("one two\027\025three\r",
           "one two\b \b\b \b\b \b\b \b\b \b\b \b\b \bthree\r\n", "exited 0\n");
}
END_TEST

START_TEST(control_keys_are_no_lines)
{
    echoes("\003", "^C", "exited 0\n");
    echoes("half\003", "half^C\r\n", "exited 0\n");
    echoes("\032", "^Z\r\n[1]+  Stopped\r\n",
           "printed [1]+  Stopped\nexited 0\n");
    echoes("hello\r\004", "hello\r\n", "exited 0\n");
}
END_TEST

/* Found by fuzzing: the end of a printed character was taken for the echo of a
 * broken one. */
START_TEST(half_a_character_typed_cuts_none_in_two)
{
    echoes("\266rld\n", "w\303\266rld\r\n", "printed w\303\266rld\nexited 0\n");
}
END_TEST

START_TEST(what_was_typed_in_vain_hides_nothing)
{
    echoes("secret\r", "\r\nwelcome\r\n",
           "printed \nprinted welcome\nexited 0\n");
}
END_TEST

/* --- terminals that would print the marks -------------------------------- */

static void shows(const char *bytes, const char *expected)
{
    struct plain plain = {0};
    char shown[256];
    size_t count = plain_strip(&plain, bytes, strlen(bytes), shown);

    ck_assert_uint_eq(count, strlen(expected));
    ck_assert_mem_eq(shown, expected, count);
    plain = (struct plain){0};
    count = 0;
    for (const char *at = bytes; *at != '\0'; at++)
        count += plain_strip(&plain, at, 1, shown + count);
    ck_assert_uint_eq(count, strlen(expected));
    ck_assert_mem_eq(shown, expected, count);
}

START_TEST(a_poor_terminal_is_not_shown_the_marks)
{
    shows(PROMPT RUN("ls") "a\r\n" DONE(0), "A $ a\r\n");
    shows("\033]0;title\033\\\033[31mred\033[0m", "\033[31mred\033[0m");
    shows("\033]never\033[31mended", "\033[31mended");
    shows("\033]never\030ended", "ended");
    shows("\033\033(Ba", "\033(Ba");
    ck_assert(plain_needed("dumb"));
    ck_assert(plain_needed(NULL));
    ck_assert(!plain_needed("xterm-256color"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tcase = tcase_create("terminal");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_command_is_typed_prints_and_ends);
    tcase_add_test(tcase, a_shell_opens_once);
    tcase_add_test(tcase, only_the_whole_prompt_says_that_bash_waits);
    tcase_add_test(tcase, what_readline_redraws_is_no_line);
    tcase_add_test(tcase, escape_sequences_are_stripped);
    tcase_add_test(tcase, control_bytes_are_dropped);
    tcase_add_test(tcase, a_line_drawn_again_is_the_last_drawing);
    tcase_add_test(tcase, tabs_go_to_the_next_eighth_column);
    tcase_add_test(tcase, bad_utf8_becomes_a_question_mark);
    tcase_add_test(tcase, a_line_without_end_is_told_when_the_command_ends);
    tcase_add_test(tcase, a_long_line_loses_its_rest);
    tcase_add_test(tcase, nothing_swallows_the_marks_that_follow);
    tcase_add_test(tcase, a_command_line_is_made_clean_too);
    tcase_add_test(tcase, a_status_is_one_byte);
    tcase_add_test(tcase, the_echo_of_typing_is_no_line_of_the_program);
    tcase_add_test(tcase, typing_that_was_edited_is_known_by_what_stayed);
    tcase_add_test(tcase, control_keys_are_no_lines);
    tcase_add_test(tcase, half_a_character_typed_cuts_none_in_two);
    tcase_add_test(tcase, what_was_typed_in_vain_hides_nothing);
    tcase_add_test(tcase, a_poor_terminal_is_not_shown_the_marks);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
