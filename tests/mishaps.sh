#!/bin/sh
# What goes wrong around viz while it works, in a network of its own: a clock
# that is set back, an interface that goes down and one that disappears, a port
# used again and again, a scan of 2000 ports.
set -u
cd "$(dirname "$0")/.." || exit 2
viz=$(pwd)/build/bin/viz
[ -z "${VIZ:-}" ] || viz=$(cd "$(dirname "$VIZ")" && pwd -P)/$(basename "$VIZ")
for tool in python3 unshare ip; do
    command -v $tool >/dev/null || { echo "mishaps: skipped, no $tool here"; exit 0; }
done
if [ "$(id -u)" = 0 ]; then spaces=-n; else spaces=-Urn; fi
if ! unshare $spaces ip link set lo up 2>/dev/null; then
    echo 'mishaps: skipped, no network of its own here'
    exit 0
fi
exec unshare $spaces sh -c 'ip link set lo up && exec "$@"' sh \
    python3 tests/mishaps.py "$viz"
