#!/bin/sh
# The house's rules that a machine can check: the floors over #include lines,
# each header alone, calls that do not bound what they write, sleeping tests,
# files that open with their idea, and the format. Prints every breach.
set -u
cd "$(dirname "$0")/.." || exit 2
CC=${CC:-cc}
breaches=$(mktemp) || exit 2
trap 'rm -f "$breaches"' EXIT
breach() { awk -v rule="$1" '{ print "  " rule ": " $0 }' >>"$breaches"; }

sources() { git ls-files '*.c' '*.h' | grep -v '^tests/submissions/'; }

# Who may include what: files, then the one pattern that their quoted includes
# must match.
floor() { # name, files, allowed
    sources | grep -E "$2" | while read -r file; do
        grep -nE '^#include "' "$file" | grep -vE "#include \"($3)" |
            awk -v file="$file" '{ print file ":" $0 }'
    done | breach "$1"
}
floor 'common knows nothing above it' '^common/' 'common/'
floor 'lessons use common only' '^lessons/' 'common/'
floor 'labs use common only' '^labs/' 'common/'
floor 'decode is bytes in, structs out' '^viz/decode/' 'viz/decode/'
floor 'track uses decode' '^viz/track/' 'viz/(decode|track)/'
floor 'events use decode and track' '^viz/events/' 'viz/(decode|track|events)/'
floor 'capture and kernel are below the screens' '^viz/(capture|kernel)/' \
    'common/|viz/(decode|track|events|capture|kernel)/'
floor 'explain is texts about packets and states' '^viz/explain/' \
    'viz/(decode|track|explain)/'
floor 'screen draws cells and knows no packet' '^viz/screen/' 'viz/screen/'
floor 'views read the store' '^viz/views/' \
    'common/|viz/(decode|track|events|explain|screen|views|lesson)/'
floor 'grader and checks look at the wire, never at screens' \
    '^tests/(grader|checks)/' \
    'common/|tests/(grader|checks)/|viz/(decode|track|events|kernel|capture|calls)/'
floor 'the preload library stands alone' '^viz/calls/' 'viz/calls/'

# The pure rooms: no pcap, screen, socket or clock header.
sources | grep -E '^viz/(decode|track|events|explain)/' |
    xargs grep -nE '#include <(pcap|curses|ncurses|sys/socket|netinet|arpa|net/|linux/|time\.h|sys/time|unistd|poll)' |
    breach 'decode, track, events and explain are pure C'
one_home() { # header pattern, file
    sources | xargs grep -lE "#include <$1" | grep -v "^$2\$" |
        breach "$1 is included by $2 only"
}
# The bench's loop is what libpcap takes by itself: the yardstick.
one_home 'pcap' '\(viz/capture/capture\|tests/bench/viz_loop\).c'
one_home '(ncurses|ncursesw/|curses)' viz/screen/curses.c
one_home 'cmark' viz/lesson/document.c
one_home 'libmnl' 'viz/kernel/[a-z]*.c'
sources | grep -v '^tests/' | xargs grep -nE '#include "tests/' |
    breach 'nothing depends on tests'

sources | xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|scanf) *\(' |
    breach 'a call that does not bound what it writes'
git ls-files 'tests/*.c' 'tests/*.sh' | grep -v '^tests/lint.sh$' |
    grep -v '^tests/submissions/' |
    xargs grep -nE '(^|[^a-z_])(sleep|usleep|nanosleep) *[(0-9]' |
    breach 'a test that sleeps instead of waiting for the event'
sources | while read -r file; do
    head -n 1 "$file" | grep -qE '^(/\*|//)' || echo "$file"
done | breach 'a file that does not open with its idea'
git ls-files | grep -vE '^tests/(lint.sh$|fuzz/corpus/)|\.pcap$' |
    xargs grep -nE '\b(TODO|FIXME|XXX)\b' | grep -v '^labs/' |
    breach 'an unfinished mark outside lab starters'

# Headers alone.
sources | grep '\.h$' | while read -r header; do
    printf '#include "%s"\n' "$header" |
        $CC -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -fsyntax-only \
            -x c - 2>&1 | head -n 3
done | breach 'a header that does not compile alone'

# clang-format differs between its versions; 14 is what the file is kept for.
if command -v clang-format >/dev/null 2>&1; then
    case $(clang-format --version) in
    *'version 14.'*)
        sources | xargs clang-format --dry-run --Werror 2>&1 |
            grep -E 'error:' | breach 'not formatted (make format)' ;;
    *) echo '  (format not checked: this is not clang-format 14)' ;;
    esac
fi

if [ -s "$breaches" ]; then
    cat "$breaches"
    echo "lint: $(wc -l <"$breaches") breaches of the house's rules"
    exit 1
fi
echo 'lint: the floors, the headers and the format are as they should be'
