#!/bin/sh
# The pictures of README and docs, made by viz itself from stored captures:
# `make docs`. tests/docs.sh makes them again and compares.
#
#   sh tools/docs.sh [FOLDER]      docs/screens when none is given
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
folder=${1:-docs/screens}
mkdir -p "$folder" || exit 2
failed=0

# name, capture, size, keys
picture() {
    LC_ALL=C.UTF-8 "$viz" -r "$2" --dump "$3" --keys "$4" \
        --svg "$folder/$1.svg" || failed=1
}
captures=tests/captures
picture lesson lessons/01-blocking/replay.pcap 100x22 '<Enter>jjj'
picture connections $captures/s08_backlog_full.pcap 100x24 ''
picture ladder $captures/s01_client_close.pcap 100x26 '<Enter>jjjjjjjj'
picture retransmission $captures/s15_fast_retransmit.pcap 110x34 '<Enter>jjjjjjjjjjjjjjjjjjjjjj'
picture udp $captures/s07_udp_closed.pcap 100x20 '<Enter>j'
[ $failed = 0 ] && echo "made: $folder/{lesson,connections,ladder,retransmission,udp}.svg"
exit $failed
