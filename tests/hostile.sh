#!/bin/sh
# Broken, cut and hostile capture files through viz as a whole, built with
# sanitizers: each ends with 0, or with 2 and one message, within ten seconds.
# MUTATIONS=2000 SEED=1 by default.
cd "$(dirname "$0")/.." || exit 2
if ! command -v python3 >/dev/null 2>&1; then
    echo 'hostile: skipped, there is no python3 here'
    exit 0
fi
viz=${VIZ:-build/address/bin/viz}
if [ ! -x "$viz" ]; then
    echo "$viz is not built: type make SAN=address all" >&2
    exit 2
fi
exec python3 tests/hostile.py "$viz" "${MUTATIONS:-2000}" "${SEED:-1}"
