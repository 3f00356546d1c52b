#!/bin/sh
# Every field of every TCP packet beside tshark's own: sequence numbers raw and
# relative, acknowledgement, scaled window, flags, payload length, and each
# option. The captures named, or those in tests/captures and some that are made
# here in a private network. No difference is known: each is shown and is a
# fault. Needs tshark and python3.
#
#   sh tests/fields.sh [CAPTURE...]
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
for tool in tshark python3; do
    command -v $tool >/dev/null || { echo "fields: skipped, no $tool here"; exit 0; }
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
if [ $# = 0 ]; then
    for scenario in talk reset refused full_backlog echo_lines never_read; do
        $viz --private --json -w "$work/$scenario.pcap" -- \
            env TERMS=0 sh -c 'cd "$1" && : >out && exec python3 "$2" "$3"' sh \
            "$work" "$(pwd)/tests/terms.py" $scenario >"$work/said" 2>&1 ||
            { cat "$work/said"; rm -f "$work/$scenario.pcap"; break; }
    done
    set -- tests/captures/*.pcap tests/golden/captures/*.pcap
    [ ! -e "$work/talk.pcap" ] || set -- "$@" "$work"/*.pcap
fi
python3 tests/fields.py "$viz" "$@"
