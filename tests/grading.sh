#!/bin/sh
# Whole grades seen from outside: tests/submissions/grading.py says which.
set -u
cd "$(dirname "$0")/.." || exit 2
exec python3 tests/submissions/grading.py "${GRADE:-build/bin/grade}"
