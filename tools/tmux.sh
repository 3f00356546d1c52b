#!/bin/sh
# The lesson and its two terminals in one tmux window: tools/tmux.sh N.
set -u
cd "$(dirname "$0")/.." || exit 2
n=$1
if ! command -v tmux >/dev/null 2>&1; then
    echo "tmux is not on this machine. Type:  sudo apt-get install -y tmux" >&2
    echo "Or open three terminals: make lesson-$n in one, make shell in the others." >&2
    exit 2
fi
if [ ! -t 0 ] || [ ! -t 1 ]; then
    echo "make tmux-$n needs a terminal. Without one: make lesson-$n plays the lesson by itself." >&2
    exit 2
fi
if [ -n "${TMUX:-}" ]; then start=new-window; else start='new-session -s two-terminals'; fi
# shellcheck disable=SC2086 # words on purpose
exec tmux $start "make --no-print-directory lesson-$n || { echo; echo 'Press Enter to close.'; read -r _; }" \; \
    split-window -v -l 12 "sh tools/shell.sh build/bin/viz wait" \; \
    split-window -h "sh tools/shell.sh build/bin/viz wait" \; \
    select-pane -t :.0
