#!/bin/sh
# viz has no right left while it works: /proc/PID/status of a running viz in
# each of its modes, and that each goes on working. The filter itself:
# tests/unit/check_confine.c.
cd "$(dirname "$0")/.." || exit 2
if ! command -v python3 >/dev/null 2>&1; then
    echo 'confine: skipped, there is no python3 here'
    exit 0
fi
exec python3 tests/confine.py "${VIZ:-build/bin/viz}"
