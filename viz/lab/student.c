/* See student.h. */
#include "viz/lab/student.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/netns.h"

/* An id from the environment: 1 .. 2^31, or false. */
static bool read_id(const char *name, unsigned long *id)
{
    const char *text = getenv(name);
    char *end;

    if (text == NULL || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *id = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *id > 0 && *id < 0x80000000ul;
}

void student_read(struct student *student)
{
    unsigned long uid, gid;

    *student = (struct student){.uid = geteuid(), .gid = getegid()};
    if (student->uid == 0 && read_id("SUDO_UID", &uid) &&
        read_id("SUDO_GID", &gid))
        *student = (struct student){
            .uid = (uid_t)uid, .gid = (gid_t)gid, .behind_sudo = true};
}

/* sudo sets HOME and the like to root's on many systems. */
static void take_name(const struct passwd *person)
{
    setenv("HOME", person->pw_dir, 1);
    setenv("USER", person->pw_name, 1);
    setenv("LOGNAME", person->pw_name, 1);
}

int student_become(const struct student *student)
{
    if (student->behind_sudo) {
        const struct passwd *person = getpwuid(student->uid);

        if (person != NULL) {
            take_name(person);
            if (initgroups(person->pw_name, student->gid) == -1)
                return -1;
        } else if (setgroups(0, NULL) == -1) {
            return -1;
        }
        /* The capabilities must outlive the change of uid by a moment: it takes
         * one of them to empty the bounding set. */
        prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
        if (setresgid(student->gid, student->gid, student->gid) == -1 ||
            setresuid(student->uid, student->uid, student->uid) == -1)
            return -1;
    }
    return netns_drop();
}
