/* viz/lesson/stage: play mode types a line only when the one before was read.
 * What is written to a pty's master arrives later, by a worker of the kernel:
 * a stage that trusts FIONREAD alone is fooled here within a few hundred
 * lines. */
#include "viz/lesson/stage.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { LINES = 5000 };

static int master, slave;

static void open_pty(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(slave, 0);
}

static void close_pty(void)
{
    close(slave);
    close(master);
}

/* Type `keys`, then read them; how often they were taken for read too early,
 * and how often not at all. */
static void type_and_read(const char *keys, int *early, int *never)
{
    char bytes[64];
    ssize_t length = (ssize_t)strlen(keys);

    *early = *never = 0;
    for (int i = 0; i < LINES; i++) {
        if (write(master, keys, (size_t)length) != length)
            ck_abort_msg("the pty takes no line");
        *early += stage_input_taken(master);
        if (read(slave, bytes, sizeof bytes) < 0)
            ck_abort_msg("the pty gives no line");
        *never += !stage_input_taken(master);
        tcflush(master, TCIFLUSH); /* the echo */
    }
}

START_TEST(a_line_on_its_way_is_not_read_yet)
{
    int early, never;

    type_and_read("recv 3 100\n", &early, &never);
    ck_assert_int_eq(early, 0);
    ck_assert_int_eq(never, 0);
}
END_TEST

START_TEST(without_echo_too)
{
    struct termios mode;
    int early, never;

    ck_assert_int_eq(tcgetattr(slave, &mode), 0);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    ck_assert_int_eq(tcsetattr(slave, TCSANOW, &mode), 0);
    type_and_read("secret\n", &early, &never);
    ck_assert_int_eq(early, 0);
    ck_assert_int_eq(never, 0);
}
END_TEST

START_TEST(the_end_of_input_is_input)
{
    int early, never;

    type_and_read("\004", &early, &never);
    ck_assert_int_eq(early, 0);
    ck_assert_int_eq(never, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stage");
    TCase *typing = tcase_create("typing");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(typing, open_pty, close_pty);
    tcase_add_test(typing, a_line_on_its_way_is_not_read_yet);
    tcase_add_test(typing, without_echo_too);
    tcase_add_test(typing, the_end_of_input_is_input);
    tcase_set_timeout(typing, 60);
    suite_add_tcase(suite, typing);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
