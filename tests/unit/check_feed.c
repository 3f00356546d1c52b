/* viz/lesson/feed: whose server outside the lab network is warned of. Each test
 * is a process of its own, in a network of its own. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/netns.h"
#include "tests/unit/frames.h"
#include "viz/lesson/feed.h"

enum { PORT = 7001, NOBODY = 65534 };

static const char lesson[] = "# Lesson\n\n```terminal A\n$ ./server\n```\n"
                             "```observe\nlisten tcp 7001\n```\n";
static struct player player;
static struct feed feed;
static int told;

static void notice(void *self, const struct event *event)
{
    (void)self;
    told += event->kind == EVENT_OUTSIDE;
}

/* The lesson's feed, with the sockets of this network as those outside. */
static void open_feed(void)
{
    struct document_error fault;
    struct document *document = document_parse("L.md", lesson,
                                               sizeof lesson - 1, &fault);
    struct sockets *outside = sockets_open();

    ck_assert_ptr_nonnull(outside);
    ck_assert_int_eq(
        player_init(&player, document, "L.md", "01-x", true, &fault), 0);
    ck_assert_int_eq(feed_live(&feed, &player, NULL, NULL, NULL, outside, PORT),
                     0);
    feed.also = notice;
    told = 0;
}

/* One look outside, without waiting for its turn. */
static void look(void)
{
    struct capture_error error;

    feed.outside_ns = 0;
    ck_assert_int_eq(feed_pump(&feed, &error), 0);
}

static void close_feed(void)
{
    feed_fini(&feed);
    player_fini(&player);
}

static int serve(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1) < 0)
        return -1;
    return fd;
}

/* Another user's server: a child that is nobody, until the pipe is closed. */
static pid_t serve_as_nobody(int *hold)
{
    int ready[2], stay[2];
    char byte = 0;
    pid_t child;

    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(stay), 0);
    child = fork();
    if (child == 0) {
        close(stay[1]);
        if (setuid(NOBODY) < 0 || serve() < 0)
            byte = 1;
        if (write(ready[1], &byte, 1) != 1 || read(stay[0], &byte, 1) != 0)
            _exit(1);
        _exit(0);
    }
    close(stay[0]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 0);
    *hold = stay[1];
    return child;
}

START_TEST(a_server_of_ours_outside_is_warned_of)
{
    enum netns_step failed;
    int fd;

    ck_assert_int_eq(netns_enter(&failed), 0);
    open_feed();
    look();
    ck_assert_int_eq(told, 0);
    fd = serve();
    ck_assert_int_ge(fd, 0);
    look();
    ck_assert_int_eq(told, 1);
    ck_assert_int_ne(player.outside_ns, 0);
    close(fd);
    look();
    ck_assert_int_eq(told, 1);
    close_feed();
}
END_TEST

START_TEST(another_users_server_is_none_of_our_business)
{
    int hold;
    pid_t child;

    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
        return; /* only root can be two users */
    open_feed();
    child = serve_as_nobody(&hold);
    look();
    ck_assert_int_eq(told, 0);
    ck_assert_int_eq(player.outside_ns, 0);
    close(hold);
    waitpid(child, NULL, 0);
    ck_assert_int_ge(serve(), 0); /* it would have been seen */
    look();
    ck_assert_int_eq(told, 1);
    close_feed();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("feed");

    tcase_add_test(tests, a_server_of_ours_outside_is_warned_of);
    tcase_add_test(tests, another_users_server_is_none_of_our_business);
    return run_suite("feed", tests);
}
