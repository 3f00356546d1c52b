#!/bin/sh
# The version of this kit in one word: what the file VERSION says (an exported
# copy has one), else the newest commit's date and name. The same commit gives
# the same word on any day and any machine.
cd "$(dirname "$0")/.." || exit 2
if [ -r VERSION ]; then
    head -n 1 VERSION | tr -cd 'A-Za-z0-9._+-'
    echo
else
    # A checkout of another user's is no secret: only its newest commit is read.
    TZ=UTC git -c safe.directory='*' log -1 --abbrev=7 \
        --date=format-local:%Y.%m.%d --format=%cd-%h 2>/dev/null ||
        echo unversioned
fi
