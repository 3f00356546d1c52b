#!/bin/sh
# The screens of viz as text, compared with those under tests/golden/screens:
# every stored capture as connections and as ladder, small and large, and the
# rest of what a reader can see without a live wire. RECORD=1 writes them anew
# (then read the diff: git shows what changed on the screen).
#
#   sh tests/golden-screens.sh [NAME-PART]      only names that contain it
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
golden=tests/golden/screens
captures=tests/captures
only=${1:-}
passed=0
failed=0
got=$(mktemp) || exit 2
trap 'rm -f "$got"' EXIT

if [ ! -x "$viz" ]; then
    echo "$viz is not built: type make all" >&2
    exit 2
fi

# name, capture, size, keys, locale
screen() {
    drawn "$1" "$5" -r "$captures/$2.pcap" --dump "$3" --keys "$4"
}
# name, size, keys, locale: the lesson player on a stored recording
lesson() {
    drawn "$1" "$4" --lesson tests/lessons/fixture/README.md --dump "$2" --keys "$3"
}
# name, locale, arguments
drawn() {
    case $1 in
    *"$only"*) ;;
    *) return ;;
    esac
    screen=$1 locale=$2
    shift 2
    LC_ALL=$locale "$viz" "$@" >"$got" 2>&1 </dev/null
    set -- "$screen"
    status=$?
    if [ "$status" != 0 ]; then
        echo "$1: status $status"
        head -n 5 "$got"
        failed=$((failed + 1))
    elif [ "${RECORD:-}" = 1 ]; then
        cp "$got" "$golden/$1.txt"
        passed=$((passed + 1))
    elif diff -u "$golden/$1.txt" "$got"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

[ "${RECORD:-}" = 1 ] && mkdir -p "$golden"
for file in "$captures"/*.pcap; do
    name=$(basename "$file" .pcap)
    for size in 80x24 140x45; do
        screen "$name-connections-$size" "$name" $size '' C.UTF-8
        screen "$name-ladder-$size" "$name" $size '<Enter>' C.UTF-8
    done
done
screen last-packets s09_zero_window 80x24 '<Enter><End>' C.UTF-8
screen scrolled-back s09_zero_window 80x24 '<Enter><End><PgUp>kk' C.UTF-8
screen all-connections s08_backlog_full 80x24 '2jjj' C.UTF-8
screen next-connection s08_backlog_full 80x24 '<Enter><Right><Right>' C.UTF-8
screen sorted s08_backlog_full 140x45 'sss' C.UTF-8
for name in s01_client_close s04_rst_linger0 s13_simultaneous_open; do
    screen "$name-states-80x24" $name 80x24 3 C.UTF-8
    screen "$name-states-140x45" $name 140x45 3 C.UTF-8
done
screen states-of-one-packet s01_client_close 80x24 '2jjjjjjj3' C.UTF-8
screen states-of-datagrams s19_udp_echo_frag 80x24 3 C.UTF-8
screen states-small s01_client_close 60x15 3 C.UTF-8
screen ascii-states s01_client_close 80x24 3 C
screen explain-syn s01_client_close 80x24 '2<Enter>' C.UTF-8
screen explain-fin-more s01_client_close 80x24 '2jjjjjjjee' C.UTF-8
screen explain-fin-all s01_client_close 140x45 '2jjjjjjjeee' C.UTF-8
screen explain-refused s06_refused 80x24 '2jee' C.UTF-8
screen explain-unreachable s07_udp_closed 80x24 '2jee' C.UTF-8
screen explain-retransmission s08_backlog_full 140x45 '2jjjjjjjjjeee' C.UTF-8
beside=../golden/captures/beside
screen beside-80x24 $beside 80x24 4 C.UTF-8
screen beside-140x45 $beside 140x45 4 C.UTF-8
screen beside-ascii $beside 80x24 4 C
screen beside-alone s19_udp_echo_frag 80x24 4 C.UTF-8
screen filter s08_backlog_full 80x24 '2/flag:R or state:CLOSE_WAIT<Enter>' C.UTF-8
screen filter-bad s08_backlog_full 80x24 '/prot 80<Enter>' C.UTF-8
screen filter-typed s08_backlog_full 80x24 '/' C.UTF-8
screen broken-arrows s08_backlog_full 80x24 '2jjjjjjjjm' C.UTF-8
screen replay-still s01_client_close 80x24 '2:8<Enter>' C.UTF-8
screen replay-stepped-back s01_client_close 140x45 '2:10<Enter>,,3' C.UTF-8
screen predict s01_client_close 80x24 '2jjPa' C.UTF-8
screen help-80x24 s01_client_close 80x24 '?' C.UTF-8
screen help-end-80x24 s01_client_close 80x24 '?<End>' C.UTF-8
screen help-140x45 s01_client_close 140x45 '?' C.UTF-8
screen ascii-connections s01_client_close 80x24 '' C
screen ascii-ladder s01_client_close 80x24 '<Enter>jjj' C
screen ascii-help s01_client_close 80x24 '?' C
screen least-size s01_client_close 60x15 '<Enter>' C.UTF-8
screen too-small s01_client_close 59x15 '' C.UTF-8
screen too-small-1x1 s01_client_close 1x1 'jj' C.UTF-8
screen stream-80x24 s02_server_close_http 80x24 6 C.UTF-8
screen stream-lossy-60x15 s10_lossy_sender 60x15 6 C.UTF-8
screen stream-ascii s19_udp_echo_frag 100x30 6 C

recorded=../lessons/fixture/replay
screen recorded-ladder $recorded 110x36 '2:8<Enter>' C.UTF-8
screen recorded-ladder-80x24 $recorded 80x24 '2:7<Enter>' C.UTF-8
screen recorded-end $recorded 110x36 2 C.UTF-8
screen recorded-no-calls $recorded 110x36 '2c' C.UTF-8
screen recorded-sockets $recorded 140x24 '2:8<Enter>5jj' C.UTF-8
screen recorded-sockets-80x24 $recorded 80x24 '2:2<Enter>5' C.UTF-8
screen recorded-connections $recorded 110x24 '2:8<Enter>1' C.UTF-8
screen recorded-connections-60x15 $recorded 60x15 '' C.UTF-8
screen recorded-sockets-60x15 $recorded 60x15 5 C.UTF-8
lesson lesson-80x24 80x24 nnn C.UTF-8
lesson lesson-calls-80x24 80x24 nnns C.UTF-8
lesson lesson-140x45 140x45 nnnnn C.UTF-8
lesson lesson-no-calls-140x45 140x45 nnnnns C.UTF-8
lesson lesson-stacked-60x24 60x24 nnns C.UTF-8
lesson lesson-scrolled-120x30 120x30 nnnnnkkkk C.UTF-8
lesson lesson-question-100x30 100x30 nna C.UTF-8
lesson lesson-help 80x24 '?' C.UTF-8
lesson lesson-back-100x30 100x30 nnnnnbb C.UTF-8
lesson lesson-hint 80x24 rh C.UTF-8
lesson lesson-ascii-100x30 100x30 nnnn C

# What cannot be drawn ends with status 2 and says what to type.
refused() { # word of the message, arguments...
    word=$1
    shift
    "$viz" "$@" >"$got" 2>&1 </dev/null
    status=$?
    if [ $status = 2 ] && grep -q -e "$word" "$got"; then
        refusals=$((refusals + 1))
    else
        echo "viz $*: status $status, no '$word' in:"
        head -n 5 "$got"
        failed=$((failed + 1))
    fi
}
refusals=0
shown=$((passed + failed))
s01=$captures/s01_client_close.pcap
refused 80x24 -r "$s01" --dump 0x24
refused 80x24 -r "$s01" --dump 1001x24
refused 80x24 -r "$s01" --dump 80
refused '<Enter>' -r "$s01" --dump 80x24 --keys 'j<Nonsense>'
refused 'needs an end' -i lo --dump 80x24
refused 'needs a terminal' -r "$s01"
refused 'from its recording' --lesson tests/lessons/fixture/README.md --dump 80x24 --play
refused 'no recording' --lesson tests/lessons/wire/README.md --dump 80x24
refused '<Enter>' --lesson tests/lessons/fixture/README.md --dump 80x24 --keys '<No>'

# A screen that is expected and no longer drawn is a fault too.
if [ -z "$only" ]; then
    stored=$(ls "$golden" | wc -l)
    if [ "$stored" != "$shown" ]; then
        echo "$golden holds $stored screens, $shown are drawn"
        failed=$((failed + 1))
    fi
fi
echo "golden screens: $passed passed and $refusals refusals, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
