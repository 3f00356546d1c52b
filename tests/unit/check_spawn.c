/* A child that becomes its program, and one that cannot. */
#include <check.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/frames.h"
#include "viz/lab/spawn.h"

static void become(void *self)
{
    const char *path = self;

    execl(path, path, "-c", "exit 7", (char *)NULL);
}

/* As bash.c does: 9 is taken for something else on the way. */
static void become_on_other_descriptors(void *self)
{
    for (int fd = 3; fd < 20; fd++)
        dup2(2, fd);
    become(self);
}

static void give_up(void *self)
{
    (void)self;
    errno = EDOM;
}

START_TEST(a_child_becomes_its_program)
{
    char shell[] = "/bin/sh";
    pid_t child = spawn(become, shell);
    int status;

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

START_TEST(what_failed_is_told_and_no_child_is_left)
{
    char missing[] = "/no/such/program";

    ck_assert_int_eq(spawn(become, missing), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(spawn(become_on_other_descriptors, missing), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(spawn(give_up, NULL), -1);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("spawn");

    tcase_add_test(tests, a_child_becomes_its_program);
    tcase_add_test(tests, what_failed_is_told_and_no_child_is_left);
    return run_suite("spawn", tests);
}
