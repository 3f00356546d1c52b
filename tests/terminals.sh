#!/bin/sh
# The screen in real terminals (ptys), with sanitizers: each TERM, without
# colour, in ASCII, 500 random sizes from 1x1 on while keys are typed, and a
# terminal that hangs up. RESIZES=500 SEED=1 by default.
cd "$(dirname "$0")/.." || exit 2
if ! command -v python3 >/dev/null 2>&1; then
    echo 'terminals: skipped, there is no python3 here'
    exit 0
fi
viz=${VIZ:-build/address/bin/viz}
if [ ! -x "$viz" ]; then
    echo "$viz is not built: type make SAN=address all" >&2
    exit 2
fi
exec python3 tests/terminals.py "$viz" "${RESIZES:-500}" "${SEED:-1}"
