#!/bin/sh
# A terminal of the lab: tools/shell.sh VIZ [wait]. Joins the lesson that runs
# in this checkout; builds nothing, so that it answers at once. With `wait` it
# waits until a lesson runs (the panes of make tmux-N).
set -u
cd "$(dirname "$0")/.." || exit 2
viz=$1
socket=.lab/shell.sock

if [ -n "${TWO_TERMINALS_SHELL:-}" ]; then
    echo "This is terminal $TWO_TERMINALS_SHELL of the lesson already: nothing more is needed here." >&2
    echo "For another one, open a new terminal window and type make shell in it." >&2
    exit 2
fi
if [ "${2:-}" = wait ]; then
    [ -S $socket ] || echo "Waiting for the lesson to start (^C to give up) ..."
    until [ -S $socket ] && [ -x "$viz" ]; do sleep 0.2; done
fi
if [ ! -S $socket ] || [ ! -x "$viz" ]; then
    echo "No lesson is running." >&2
    echo "Type make lesson-1 in another terminal, then make shell here." >&2
    exit 2
fi
exec "$viz" --shell
