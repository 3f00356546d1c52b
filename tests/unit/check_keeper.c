/*
 * viz/lab/keeper: what it starts, what it refuses, and that nothing of it is
 * left. Each test works in an empty folder of its own (KEEPER_SOCKET is
 * relative) and is a process of its own, so it may enter and drop as viz does.
 */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/netns.h"
#include "viz/lab/door.h"
#include "viz/lab/keeper.h"
#include "viz/lab/terminal.h"
#include "viz/lab/words.h"

/* All tests' folders are in one, which the process that has all its rights
 * removes: a test may have given up the right, or be killed. */
static char all[] = "/tmp/check-keeper-XXXXXX";
static char folder[] = "/tmp/check-keeper-XXXXXX/test-XXXXXX";

static void make_all(void)
{
    ck_assert_ptr_nonnull(mkdtemp(all));
    memcpy(folder, all, strlen(all));
}

static void remove_all(void)
{
    if (fork() == 0)
        execlp("rm", "rm", "-rf", all, (char *)NULL);
    wait(NULL);
}

static void go_to_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static struct keeper *open_with(bool shells)
{
    const struct keeper_options options = {.title = "lesson 1",
                                           .shells = shells};
    struct keeper_refusal refusal;
    enum keeper_network network;
    struct keeper *keeper = keeper_open(&options, &network, &refusal);

    ck_assert_msg(keeper != NULL, "%s", refusal.text);
    ck_assert_msg(network == KEEPER_PRIVATE, "%s", refusal.text);
    ck_assert_str_eq(refusal.text, "");
    return keeper;
}

/* How many processes are in our network, without this one. */
static int others_inside(void)
{
    struct stat ours, theirs;
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    char path[300];
    int count = 0;

    ck_assert_int_eq(stat("/proc/self/ns/net", &ours), 0);
    while ((entry = readdir(proc)) != NULL) {
        snprintf(path, sizeof path, "/proc/%s/ns/net", entry->d_name);
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            atoi(entry->d_name) != getpid() && stat(path, &theirs) == 0 &&
            theirs.st_ino == ours.st_ino)
            count++;
    }
    closedir(proc);
    return count;
}

static int open_descriptors(void)
{
    DIR *fds = opendir("/proc/self/fd");
    int count = -3; /* ".", "..", and the folder's own */

    while (readdir(fds) != NULL)
        count++;
    closedir(fds);
    return count;
}

/* --- terminals ----------------------------------------------------------- */

/* What came from a terminal so far, as text. */
struct seen {
    char text[16384];
    size_t length;
    int exited, opened;
};

static void keep(void *self, const struct event *event)
{
    struct seen *seen = self;

    seen->opened += event->kind == EVENT_OPENED;
    seen->exited += event->kind == EVENT_EXITED;
    if (event->kind != EVENT_PRINTED && event->kind != EVENT_TYPED)
        return;
    seen->length += (size_t)snprintf(
        seen->text + seen->length, sizeof seen->text - seen->length, "%c%s%s\n",
        event->terminal, event->kind == EVENT_TYPED ? "$ " : " ", event->text);
    ck_assert_uint_lt(seen->length, sizeof seen->text);
}

/* Feed what the pty gives until bash waits for a command; false at its end. */
static bool until_prompt(int master, struct terminal *terminal,
                         struct seen *seen)
{
    char bytes[4096];

    do {
        ssize_t n = read(master, bytes, sizeof bytes);

        if (n <= 0)
            return false;
        terminal_feed(terminal, bytes, (size_t)n, 0, keep, seen);
    } while (!terminal->at_prompt);
    return true;
}

static void command(int master, struct terminal *terminal, struct seen *seen,
                    const char *line)
{
    ck_assert(until_prompt(master, terminal, seen));
    terminal->at_prompt = false;
    ck_assert_int_eq(write(master, line, strlen(line)), (ssize_t)strlen(line));
    ck_assert(until_prompt(master, terminal, seen));
}

static int start_a(struct keeper *keeper, struct terminal *terminal,
                   struct seen *seen)
{
    int master = keeper_terminal(keeper, 'A', 24, 80);

    ck_assert_int_ne(master, -1);
    terminal_init(terminal, 'A');
    memset(seen, 0, sizeof *seen);
    return master;
}

static struct seen seen;
static struct terminal terminal;

START_TEST(a_terminal_runs_commands_as_the_student_without_rights)
{
    struct keeper *keeper = open_with(false);
    char name[32];
    int master;

    ck_assert_int_eq(keeper_drop_rights(), 0);
    master = start_a(keeper, &terminal, &seen);
    command(master, &terminal, &seen,
            "id -u; echo \"t=$TERM l=$TWO_TERMINALS_SHELL\"; tty; stty size; "
            "pwd; grep -hE 'Cap|NoNew' /proc/self/status; "
            "ls /proc/self/fd | tr '\\n' ' '; ls -l /proc/self/ns/net\n");
    snprintf(name, sizeof name, "\nA %u\n", getuid());
    ck_assert_ptr_nonnull(strstr(seen.text, name));
    ck_assert_ptr_nonnull(strstr(seen.text, "t=xterm-256color l=A"));
    ck_assert_ptr_nonnull(strstr(seen.text, "A /dev/pts/"));
    ck_assert_ptr_nonnull(strstr(seen.text, "A 24 80"));
    ck_assert_ptr_nonnull(strstr(seen.text, folder));
    ck_assert_ptr_nonnull(strstr(seen.text, "CapEff: 0000000000000000"));
    ck_assert_ptr_nonnull(strstr(seen.text, "CapBnd: 0000000000000000"));
    ck_assert_ptr_nonnull(strstr(seen.text, "NoNewPrivs:     1"));
    ck_assert_ptr_nonnull(strstr(seen.text, "A 0 1 2 3 ")); /* 3: the folder */
    ck_assert_int_eq(seen.opened, 1);
    ck_assert_int_eq(seen.exited, 1);
    close(master);
    keeper_close(keeper);
}
END_TEST

START_TEST(terminals_share_our_network)
{
    struct keeper *keeper = open_with(false);
    struct stat ours;
    char text[64];
    int master;

    ck_assert_int_eq(stat("/proc/self/ns/net", &ours), 0);
    snprintf(text, sizeof text, "A net:[%lu]", (unsigned long)ours.st_ino);
    master = start_a(keeper, &terminal, &seen);
    command(master, &terminal, &seen, "readlink /proc/self/ns/net\n");
    ck_assert_ptr_nonnull(strstr(seen.text, text));
    close(master);
    keeper_close(keeper);
}
END_TEST

START_TEST(command_lines_come_as_they_were_typed)
{
    static const char *const lines[] = {
        "echo 'a  b' \"$HOME\" `true` ; true # note", ": é \\\\n $((1+1)) %s",
        "  echo indented", "false"};
    struct keeper *keeper = open_with(false);
    int master = start_a(keeper, &terminal, &seen);
    char line[128];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(line, sizeof line, "%s\n", lines[i]);
        ck_assert(until_prompt(master, &terminal, &seen) || i > 0);
        terminal.at_prompt = false;
        seen.length = 0;
        seen.text[0] = '\0';
        ck_assert_int_gt(write(master, line, strlen(line)), 0);
        ck_assert(until_prompt(master, &terminal, &seen));
        snprintf(line, sizeof line, "A$ %s\n",
                 lines[i] + strspn(lines[i], " "));
        ck_assert_msg(strstr(seen.text, line) == seen.text, "%s", seen.text);
        ck_assert_int_gt(write(master, "\n", 1), 0); /* another prompt */
        terminal.at_prompt = false;
    }
    close(master);
    keeper_close(keeper);
}
END_TEST

START_TEST(a_letter_is_had_once_and_freed_when_its_shell_ends)
{
    struct keeper *keeper = open_with(false);
    int first = start_a(keeper, &terminal, &seen), second;

    ck_assert_int_eq(keeper_terminal(keeper, 'A', 24, 80), -1);
    ck_assert_int_eq(errno, EBUSY);
    ck_assert_int_eq(keeper_terminal(keeper, 'D', 24, 80), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert(until_prompt(first, &terminal, &seen));
    ck_assert_int_eq(write(first, "exit 3\n", 7), 7);
    terminal.at_prompt = false;
    ck_assert(!until_prompt(first, &terminal, &seen));
    close(first);
    do { /* until the keeper has reaped it */
        second = keeper_terminal(keeper, 'A', 24, 80);
        sched_yield();
    } while (second == -1 && errno == EBUSY);
    ck_assert_int_ne(second, -1);
    close(second);
    keeper_close(keeper);
}
END_TEST

START_TEST(it_tells_what_a_program_in_a_terminal_waits_for)
{
    struct keeper *keeper = open_with(false);
    struct wait_info info[4];
    int master;
    pid_t cat;

    ck_assert_int_eq(keeper_drop_rights(), 0);
    master = start_a(keeper, &terminal, &seen);
    ck_assert(until_prompt(master, &terminal, &seen));
    cat = tcgetpgrp(master); /* bash itself, so far */
    ck_assert_int_eq(write(master, "cat\n", 4), 4);
    while (tcgetpgrp(master) == cat)
        sched_yield();
    cat = tcgetpgrp(master);
    do
        ck_assert_int_ge(keeper_waits(keeper, cat, info, 4), 0);
    while (info[0].running || info[0].fd != 0);
    ck_assert_int_eq(info[0].call, WAIT_OTHER); /* read(2) of a terminal */
    /* Nobody outside is shown: pid 1, or our own parent. */
    ck_assert_int_eq(keeper_waits(keeper, 1, info, 4), -1);
    ck_assert_int_eq(errno, EACCES);
    ck_assert_int_eq(keeper_waits(keeper, getppid(), info, 4), -1);
    close(master);
    keeper_close(keeper);
}
END_TEST

/* --- commands ------------------------------------------------------------ */

START_TEST(a_command_runs_here_and_its_status_comes)
{
    char sh[] = "sh", c[] = "-c", argument[] = "a b";
    char script[] = "echo \"$1\" > here; exit 7";
    char *argv[] = {sh, c, script, sh, argument, NULL};
    struct keeper *keeper = open_with(false);
    struct pollfd news = {keeper_shells_fd(keeper), POLLIN, 0};
    pid_t pid = 0;
    int status;

    ck_assert_int_eq(keeper_ended(keeper, &status), 0);
    ck_assert_int_eq(keeper_run(keeper, argv, &pid), 0);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(poll(&news, 1, -1), 1);
    ck_assert_int_eq(keeper_ended(keeper, &status), 1);
    ck_assert_int_eq(WEXITSTATUS(status), 7);
    ck_assert_int_eq(access("here", F_OK), 0);
    keeper_close(keeper);
}
END_TEST

START_TEST(a_command_that_cannot_run_says_why)
{
    char name[] = "./missing";
    char *missing[] = {name, NULL}, *none[] = {NULL};
    struct keeper *keeper = open_with(false);
    pid_t pid;

    ck_assert_int_eq(keeper_run(keeper, missing, &pid), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(keeper_run(keeper, none, &pid), -1);
    ck_assert_int_eq(errno, EINVAL);
    keeper_close(keeper);
}
END_TEST

START_TEST(arguments_that_are_too_long_are_refused)
{
    char name[] = "true", *argument = malloc(WORDS_ARGUMENTS + 1);
    char *argv[] = {name, argument, NULL};
    struct keeper *keeper = open_with(false);
    pid_t pid;

    memset(argument, 'x', WORDS_ARGUMENTS);
    argument[WORDS_ARGUMENTS] = '\0';
    ck_assert_int_eq(keeper_run(keeper, argv, &pid), -1);
    ck_assert_int_eq(errno, E2BIG);
    free(argument);
    keeper_close(keeper);
}
END_TEST

/* --- the door ------------------------------------------------------------ */

static int knock(struct welcome *welcome, int *fds, int *count)
{
    int fd = door_knock();

    ck_assert_int_ne(fd, -1);
    ck_assert_int_eq(words_receive(fd, welcome, sizeof *welcome, fds, count),
                     sizeof *welcome);
    return fd;
}

static void close_fds(int *fds, int count)
{
    while (count > 0)
        close(fds[--count]);
}

START_TEST(shells_get_the_first_free_letter)
{
    struct keeper *keeper = open_with(true);
    struct welcome welcome;
    int shells[3], fds[WORDS_FDS], count;
    struct stat socket_file;

    ck_assert_int_eq(stat(KEEPER_SOCKET, &socket_file), 0);
    ck_assert_uint_eq(socket_file.st_mode & 0777, 0600);
    for (int i = 0; i < 3; i++) {
        shells[i] = knock(&welcome, fds, &count);
        ck_assert_uint_eq(welcome.kind, WELCOME);
        ck_assert_int_eq(welcome.letter, 'A' + i);
        ck_assert_str_eq(welcome.title, "lesson 1");
        ck_assert_int_eq(count, WORDS_FDS);
        close_fds(fds, count);
    }
    close(knock(&welcome, fds, &count));
    ck_assert_uint_eq(welcome.kind, WELCOME_FULL);
    ck_assert_int_eq(count, 0);
    close(shells[1]);
    do {
        close(shells[1]);
        shells[1] = knock(&welcome, fds, &count);
        close_fds(fds, count);
    } while (welcome.kind == WELCOME_FULL);
    ck_assert_int_eq(welcome.letter, 'B');
    for (int i = 0; i < 3; i++)
        close(shells[i]);
    keeper_close(keeper);
}
END_TEST

START_TEST(what_a_shell_sends_becomes_events)
{
    static const char packets[][64] = {"o\033]133;A\aA $ \033]133;B\a",
                                       "o\033]133;C;cmdline=cat\a",
                                       "ihello\n",
                                       "ohello\r\nhel",
                                       "olo\r\n",
                                       "?not a kind of packet"};
    struct keeper *keeper = open_with(true);
    struct welcome welcome;
    int fds[WORDS_FDS], count;
    struct pollfd ready = {keeper_shells_fd(keeper), POLLIN, 0};
    int shell = knock(&welcome, fds, &count);

    close_fds(fds, count);
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++)
        ck_assert_int_eq(
            words_send(shell, packets[i], strlen(packets[i]), NULL, 0), 0);
    close(shell);
    memset(&seen, 0, sizeof seen);
    ck_assert_int_eq(poll(&ready, 1, -1), 1);
    ck_assert_int_eq(keeper_shells(keeper, keep, &seen), 0);
    ck_assert_str_eq(seen.text, "A$ cat\nA hello\n");
    ck_assert_int_eq(seen.opened, 1);
    keeper_close(keeper);
}
END_TEST

START_TEST(a_second_lesson_is_told_of_the_first)
{
    const struct keeper_options options = {.shells = true};
    struct keeper *keeper = open_with(true), *second;
    struct keeper_refusal refusal;
    enum keeper_network network;
    struct stat before, after;

    ck_assert_int_eq(stat("/proc/self/ns/net", &before), 0);
    second = keeper_open(&options, &network, &refusal);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(refusal.text, "already running in /tmp/"));
    ck_assert_int_eq(stat("/proc/self/ns/net", &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_int_eq(access(KEEPER_SOCKET, F_OK), 0);
    keeper_close(keeper);
}
END_TEST

START_TEST(the_socket_of_a_dead_lesson_is_replaced)
{
    struct welcome welcome;
    struct keeper *keeper;
    int fds[WORDS_FDS], count, file;

    ck_assert_int_eq(mkdir(".lab", 0755), 0);
    file = open(KEEPER_SOCKET, O_CREAT | O_WRONLY, 0600);
    close(file);
    keeper = open_with(true);
    close(knock(&welcome, fds, &count));
    ck_assert_uint_eq(welcome.kind, WELCOME);
    close_fds(fds, count);
    keeper_close(keeper);
    ck_assert_int_eq(access(KEEPER_SOCKET, F_OK), -1);
    ck_assert_int_eq(door_knock(), -1);
}
END_TEST

/* --- the wire ------------------------------------------------------------ */

static void count_lost(void *self, const struct event *event)
{
    int *lost = self;

    if (event->kind != EVENT_LOST)
        return;
    ck_assert_uint_eq(event->lost.destination.port, 7003);
    ++*lost;
}

static struct sockaddr_in here(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(7003)};
}

static void send_datagrams(int from, int count)
{
    struct sockaddr_in to = here();

    for (int n = 0; n < count; n++)
        ck_assert_int_eq(
            sendto(from, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
}

START_TEST(the_wire_loses_what_it_is_told_and_tells_of_each)
{
    struct keeper *keeper = open_with(false);
    struct pollfd news = {keeper_shells_fd(keeper), POLLIN, 0};
    struct sockaddr_in at = here();
    int to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), lost = 0;
    char why[256];

    ck_assert_int_eq(bind(to, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(keeper_drop_rights(), 0); /* it is the keeper's right */
    ck_assert_int_eq(keeper_loss(keeper, &(struct loss){1, 2}, why, sizeof why),
                     0);
    send_datagrams(from, 4);
    while (lost < 2) {
        ck_assert_int_eq(poll(&news, 1, 10000), 1);
        ck_assert_int_eq(keeper_shells(keeper, count_lost, &lost), 0);
    }
    ck_assert_int_eq(keeper_loss(keeper, &(struct loss){0, 0}, why, sizeof why),
                     0);
    send_datagrams(from, 4);
    ck_assert_int_eq(keeper_loss(keeper, &(struct loss){1, 4}, why, sizeof why),
                     0); /* asked again: told on the same descriptor */
    send_datagrams(from, 4);
    while (lost < 3) {
        ck_assert_int_eq(poll(&news, 1, 10000), 1);
        ck_assert_int_eq(keeper_shells(keeper, count_lost, &lost), 0);
    }
    ck_assert_int_eq(lost, 3); /* none of those between */
    close(from);
    close(to);
    keeper_close(keeper);
}
END_TEST

START_TEST(a_loss_that_cannot_be_says_why)
{
    struct keeper *keeper = open_with(false);
    char why[256] = "";

    ck_assert_int_eq(keeper_loss(keeper, &(struct loss){3, 2}, why, sizeof why),
                     -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "loss 3/2"));
    ck_assert_int_eq(
        keeper_loss(keeper, &(struct loss){1, LOSS_MOST + 1}, why, sizeof why),
        -1);
    keeper_close(keeper);
}
END_TEST

/* --- refusals ------------------------------------------------------------ */

START_TEST(without_namespaces_the_lab_still_opens_and_says_why)
{
    const struct keeper_options options = {.title = "lesson 1"};
    enum netns_step failed;
    struct keeper_refusal refusal;
    enum keeper_network network;
    struct keeper *keeper;
    FILE *limit;
    int master;

    ck_assert_int_eq(netns_enter(&failed), 0);
    limit = fopen("/proc/sys/user/max_user_namespaces", "we");
    if (limit == NULL)
        return; /* /proc/sys is read-only, as in some containers */
    fputs("0", limit);
    ck_assert_int_eq(fclose(limit), 0);
    keeper = keeper_open(&options, &network, &refusal);
    ck_assert_ptr_nonnull(keeper);
    ck_assert_int_eq(network, KEEPER_LOOPBACK); /* we may capture here */
    ck_assert_ptr_nonnull(strstr(refusal.text, "max_user_namespaces = 0"));
    ck_assert_int_eq(keeper_drop_rights(), 0);
    ck_assert_int_eq(keeper_loss(keeper, &(struct loss){1, 3}, refusal.text,
                                 sizeof refusal.text),
                     -1);
    ck_assert_int_eq(errno, ENETDOWN); /* never in the machine's own */
    ck_assert_ptr_nonnull(strstr(refusal.text, "make doctor"));
    master = start_a(keeper, &terminal, &seen);
    command(master, &terminal, &seen, "echo here\n");
    ck_assert_ptr_nonnull(strstr(seen.text, "A here"));
    close(master);
    keeper_close(keeper);
}
END_TEST

START_TEST(without_any_right_there_is_no_network)
{
    const struct keeper_options options = {.title = "lesson 1"};
    struct keeper_refusal refusal;
    enum keeper_network network;
    enum netns_step failed;
    struct keeper *keeper;
    FILE *limit;

    ck_assert_int_eq(netns_enter(&failed), 0);
    limit = fopen("/proc/sys/user/max_user_namespaces", "we");
    if (limit == NULL)
        return;
    fputs("0", limit);
    ck_assert_int_eq(fclose(limit), 0);
    ck_assert_int_eq(netns_drop(), 0);
    keeper = keeper_open(&options, &network, &refusal);
    ck_assert_ptr_nonnull(keeper);
    ck_assert_int_eq(network, KEEPER_NONE);
    keeper_close(keeper);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    const struct keeper_options options = {.directory = "build/missing"};
    struct keeper_refusal refusal;
    enum keeper_network network;

    ck_assert_ptr_null(keeper_open(&options, &network, &refusal));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(refusal.text, "build/missing"));
}
END_TEST

/* --- nothing is left ----------------------------------------------------- */

/* Something stubborn in the terminal: in the background, deaf to SIGHUP, in a
 * session of its own. */
static const char stubborn[] =
    "nohup setsid sh -c 'trap \"\" HUP TERM INT; exec tail -f /dev/null' "
    ">/dev/null 2>&1 & disown; echo started\n";

START_TEST(closing_ends_everything)
{
    struct keeper *keeper = open_with(true);
    int master = start_a(keeper, &terminal, &seen);

    command(master, &terminal, &seen, stubborn);
    ck_assert_int_gt(others_inside(), 2);
    keeper_close(keeper);
    ck_assert_int_eq(others_inside(), 0);
    ck_assert_int_eq(access(KEEPER_SOCKET, F_OK), -1);
    close(master);
}
END_TEST

/* Each opening is one user namespace deeper, and 32 is the most: so four
 * processes, 25 times each. */
static void open_and_close_often(void)
{
    int before = open_descriptors();

    for (int i = 0; i < 25; i++) {
        struct keeper *keeper = open_with(true);
        int master = keeper_terminal(keeper, 'B', 24, 80);

        ck_assert_int_ne(master, -1);
        close(master);
        keeper_close(keeper);
        ck_assert_int_eq(others_inside(), 0);
        ck_assert_int_eq(open_descriptors(), before);
        ck_assert_int_eq(access(KEEPER_SOCKET, F_OK), -1);
        ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
        ck_assert_int_eq(errno, ECHILD);
    }
}

START_TEST(a_hundred_times_leave_nothing)
{
    int status;

    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            open_and_close_often();
            _exit(0);
        }
        ck_assert_int_ne(wait(&status), -1);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

START_TEST(when_viz_is_killed_everything_goes)
{
    int alive[2], status;
    pid_t viz;

    /* All that viz starts has the pipe's other end, until it is gone. */
    ck_assert_int_eq(pipe(alive), 0);
    viz = fork();
    if (viz == 0) {
        struct keeper *keeper;
        int master;

        dup2(alive[1], STDERR_FILENO);
        close(alive[1]);
        keeper = open_with(true);
        master = start_a(keeper, &terminal, &seen);
        keeper_drop_rights();
        command(master, &terminal, &seen, stubborn);
        raise(SIGKILL);
    }
    close(alive[1]);
    ck_assert_int_eq(waitpid(viz, &status, 0), viz);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    ck_assert_int_eq(read(alive[0], &(char){0}, 1), 0); /* the keeper's end */
    ck_assert_int_eq(access(KEEPER_SOCKET, F_OK), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper");
    TCase *tcase = tcase_create("keeper");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 30);
    tcase_add_unchecked_fixture(tcase, make_all, remove_all);
    tcase_add_checked_fixture(tcase, go_to_folder, NULL);
    tcase_add_test(tcase,
                   a_terminal_runs_commands_as_the_student_without_rights);
    tcase_add_test(tcase, terminals_share_our_network);
    tcase_add_test(tcase, command_lines_come_as_they_were_typed);
    tcase_add_test(tcase, a_letter_is_had_once_and_freed_when_its_shell_ends);
    tcase_add_test(tcase, it_tells_what_a_program_in_a_terminal_waits_for);
    tcase_add_test(tcase, a_command_runs_here_and_its_status_comes);
    tcase_add_test(tcase, a_command_that_cannot_run_says_why);
    tcase_add_test(tcase, arguments_that_are_too_long_are_refused);
    tcase_add_test(tcase, shells_get_the_first_free_letter);
    tcase_add_test(tcase, what_a_shell_sends_becomes_events);
    tcase_add_test(tcase, a_second_lesson_is_told_of_the_first);
    tcase_add_test(tcase, the_socket_of_a_dead_lesson_is_replaced);
    tcase_add_test(tcase, the_wire_loses_what_it_is_told_and_tells_of_each);
    tcase_add_test(tcase, a_loss_that_cannot_be_says_why);
    tcase_add_test(tcase, without_namespaces_the_lab_still_opens_and_says_why);
    tcase_add_test(tcase, without_any_right_there_is_no_network);
    tcase_add_test(tcase, a_folder_that_is_not_there_is_named);
    tcase_add_test(tcase, closing_ends_everything);
    tcase_add_test(tcase, a_hundred_times_leave_nothing);
    tcase_add_test(tcase, when_viz_is_killed_everything_goes);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
