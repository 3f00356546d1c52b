#!/bin/sh
# The pictures of README and docs, made by viz itself from stored captures and
# lesson 1's recording: `make docs`. tests/docs.sh makes them again and compares.
#
#   sh tools/docs.sh [FOLDER]      docs/screens when none is given
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
folder=${1:-docs/screens}
mkdir -p "$folder" || exit 2
failed=0

# name, option, file, size, keys
picture() {
    LC_ALL=C.UTF-8 "$viz" "$2" "$3" --dump "$4" --keys "$5" \
        --svg "$folder/$1.svg" </dev/null || failed=1
}
captures=tests/captures
picture lesson --lesson lessons/01-blocking/README.md 110x34 nnnnnnnnnnnn
picture connections -r $captures/s08_backlog_full.pcap 100x24 ''
picture ladder -r $captures/s01_client_close.pcap 100x26 '<Enter>jjjjjjjj'
picture retransmission -r $captures/s15_fast_retransmit.pcap 110x34 '<Enter>jjjjjjjjjjjjjjjjjjjjjj'
picture udp -r $captures/s07_udp_closed.pcap 100x20 '<Enter>j'
[ $failed = 0 ] && echo "made: $folder/{lesson,connections,ladder,retransmission,udp}.svg"
exit $failed
