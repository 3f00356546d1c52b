#!/bin/sh
# docs/viz-promises.md: each promise names tests that exist and are run, and each
# of its commands that reads a capture shows the words named after it.
cd "$(dirname "$0")/.." || exit 2
if ! command -v python3 >/dev/null 2>&1; then
    echo 'promises: skipped, there is no python3 here'
    exit 0
fi
viz=${VIZ:-build/bin/viz}
if [ ! -x "$viz" ]; then
    echo "$viz is not built: type make all" >&2
    exit 2
fi
exec python3 tests/promises.py "$viz"
