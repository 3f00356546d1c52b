#!/bin/sh
# Every term of the observation language that needs no terminal, on a real wire
# in a private network: it comes true by what it is about, and stays untrue by
# what is nearly that. (Those of terminals are in tests/lessons/play.sh, which
# plays all lessons.)
#
#   sh tests/terms.sh [NAME-PART]      only scenarios whose name contains it
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
viz=$root/build/bin/viz
[ -z "${VIZ:-}" ] || viz=$(cd "$(dirname "$VIZ")" && pwd -P)/$(basename "$VIZ")
only=${1:-}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
passed=0
failed=0
options=

check() { # status wanted, scenario, terms...
    wanted=$1 scenario=$2
    shift 2
    terms=$(((1 - wanted) * $#))
    case $scenario in *"$only"*) ;; *) return ;; esac
    for term; do
        set -- "$@" --expect "$term"
        shift
    done
    # shellcheck disable=SC2086 # options are words on purpose
    TERMS=$terms timeout 60 "$viz" $options "$@" --private -- \
        python3 "$root/tests/terms.py" "$scenario" >out 2>&1
    status=$?
    if [ $status = "$wanted" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "  $scenario, $*: status $status, not $wanted"
        sed 's/^/    /' out
    fi
}
yes() { check 0 "$@"; }
no() { check 1 "$@"; }

yes listening 'listen tcp 7001'
no listening 'listen tcp 7002'
no listening 'listen udp 7001'
yes talk 'handshake tcp 7001' 'data tcp 7001 from client "hello"' \
    'data tcp 7001 from server 7 bytes' 'close tcp 7001 by client' \
    'close tcp 7001 by server' 'state tcp 7001 client TIME_WAIT'
no talk 'handshake tcp 7001' 'handshake tcp 7001'
no talk 'data tcp 7001 from server "hello"'
no talk 'data tcp 7001 from client 6 bytes'
no talk 'close tcp 7001 by client' 'data tcp 7001 from client'
yes server_closes 'close tcp 7001 by server' 'close tcp 7001 by client'
no server_closes 'reset tcp 7001 by client'
yes reset 'handshake tcp 7001' 'reset tcp 7001 by client'
no reset 'reset tcp 7001 by server'
yes refused 'refused tcp 7001'
no refused 'handshake tcp 7001'
no refused 'reset tcp 7001 by server'
no talk 'refused tcp 7001'
yes three_open 'established tcp 7001 3'
no three_open 'established tcp 7001 4'
yes half_open 'state tcp 7001 server CLOSE_WAIT' \
    'state tcp 7001 client FIN_WAIT2'
no half_open 'state tcp 7001 client CLOSE_WAIT'
yes full_backlog 'retransmit tcp 7001 syn'
no full_backlog 'retransmit tcp 7001 data'
no talk 'retransmit tcp 7001 syn'
yes never_read 'zero-window tcp 7001 by server'
no never_read 'zero-window tcp 7001 by client'
yes ask 'listen udp 7003' 'datagram udp 7003 from client 5 bytes' \
    'datagram udp 7003 from server x2 2 bytes' \
    'datagram udp 7003 from server 0 bytes'
no ask 'datagram udp 7003 from client x4'
no ask 'datagram udp 7003 from server 5 bytes'
no ask 'unreachable udp 7003'
no ask 'lost udp 7003'
no ask 'listen tcp 7003'
yes closed_port 'datagram udp 7003 from client' 'unreachable udp 7003'
no closed_port 'listen udp 7003'
yes overflow 'listen udp 7003' 'lost udp 7003'
no overflow 'lost udp 7004'
yes unix_stream 'listen unix echo.sock'
yes unix_stream 'listen unix ./echo.sock'
no unix_stream 'listen unix /echo.sock'
yes unix_datagram 'listen unix log.sock'
yes unix_abstract 'listen unix @two-terminals'
no unix_abstract 'listen unix two-terminals'

# With a wire that loses every third packet each way.
options='--loss 1/3'
yes echo_lines 'retransmit tcp 7001 data 3' 'close tcp 7001 by client'
no echo_lines 'retransmit tcp 7001 syn'
yes throw 'lost udp 7003' 'lost udp 7003'
no throw 'lost udp 7003' 'lost udp 7003' 'lost udp 7003'
yes throw 'lost udp 7003' 'datagram udp 7003 from client x6'
options='--loss 1/1'
yes throw 'listen udp 7003' 'datagram udp 7003 from client x6' 'lost udp 7003'

# tls belongs to lesson 9, and says so.
"$viz" --expect 'tls client-hello' -r "$root/tests/captures/s01_client_close.pcap" \
    >out 2>&1
if [ $? = 2 ] && grep -q 'lesson 9' out; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    cat out
fi

echo "observation terms on a real wire: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
