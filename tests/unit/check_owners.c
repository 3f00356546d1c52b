/*
 * Who holds a socket: this very process, asked about its own.
 */
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/frames.h"
#include "viz/kernel/owners.h"

START_TEST(a_socket_of_this_process_is_found_and_forgotten_when_closed)
{
    struct owners owners = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct owner *owner;
    struct stat facts;

    ck_assert_int_eq(fstat(fd, &facts), 0);
    ck_assert_int_eq(owners_look(&owners), 0);
    owner = owners_find(&owners, (uint32_t)facts.st_ino);
    ck_assert_ptr_nonnull(owner);
    ck_assert_int_eq(owner->pid, getpid());
    ck_assert_str_eq(owner->name, "check_owners");
    close(fd);
    ck_assert_int_eq(owners_look(&owners), 0);
    ck_assert_ptr_null(owners_find(&owners, (uint32_t)facts.st_ino));
    ck_assert_ptr_null(owners_find(&owners, 0));
    owners_fini(&owners);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("owners");

    tcase_add_test(tests,
                   a_socket_of_this_process_is_found_and_forgotten_when_closed);
    return run_suite("owners", tests);
}
