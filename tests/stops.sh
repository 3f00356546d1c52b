#!/bin/sh
# However viz is stopped, no packet that was on its way to it is lost: a
# connection of just 11 packets, and the stop in the very moment after the last
# of them, RUNS times (100) in all: by SIGINT, SIGTERM and SIGHUP, by q in the
# screen, by --count and by --duration. What -w kept must have all 11 too.
set -u
cd "$(dirname "$0")/.." || exit 2
viz=$(pwd)/build/bin/viz
[ -z "${VIZ:-}" ] || viz=$(cd "$(dirname "$VIZ")" && pwd -P)/$(basename "$VIZ")
for tool in python3 unshare ip; do
    command -v $tool >/dev/null || { echo "stops: skipped, no $tool here"; exit 0; }
done
# A loopback of its own, on which nobody else talks.
if [ "$(id -u)" = 0 ]; then spaces=-n; else spaces=-Urn; fi
if ! unshare $spaces ip link set lo up 2>/dev/null; then
    echo 'stops: skipped, no network of its own here'
    exit 0
fi
exec unshare $spaces sh -c 'ip link set lo up && exec "$@"' sh \
    python3 tests/stops.py "$viz" "${RUNS:-100}"
