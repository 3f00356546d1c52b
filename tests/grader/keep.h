/*
 * What a grading leaves on disk: captures and logs of the checks under
 * .lab/runs, the score in the learner's progress, a report written beside its
 * file and renamed over it. Relative to the project's root, where make runs.
 */
#ifndef TESTS_GRADER_KEEP_H
#define TESTS_GRADER_KEEP_H

#include "tests/grader/report.h"
#include "tests/grader/submission.h"

/* Captures (memfds by check, -1: none) as .lab/runs/NN-CHECKID.pcap, the
 * program's words as .txt. What cannot be kept is said on stderr. */
void keep_runs(const struct report *report, const int *captures);
void keep_score(const struct report *report);
/* 0 or -1 with errno; the file is whole or as it was. */
int keep_report(const char *path,
                int (*write)(FILE *out, const struct report *report),
                const struct report *report);
/* Whether the submission is labs/NAME as it came, byte for byte. */
bool keep_untouched(const char *lab, const struct submission *submission);

#endif
