#!/bin/sh
# tools/grade.sh GRADE N [OPTION...]: what `make grade-N` runs. In a terminal
# make ends with 0 once the score was told, since fewer points are no error of
# make; elsewhere the grader's own status: 0 all points, 1 fewer, 2 could not.
set -u
grade=$1
number=$2
shift 2

"$grade" "$number" "$@"
status=$?
if [ "$status" = 1 ] && [ -t 1 ]; then
    exit 0
fi
[ "$status" != 141 ] || exit 0 # the reader has seen enough: | head
exit "$status"
