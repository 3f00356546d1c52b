#!/bin/sh
# Loss, as a user has it. The wire: what viz counts as sent again is what the
# kernel of that network counts (TcpRetransSegs), and each packet that was lost
# is drawn as lost. The relay: its program, two runs alike to the byte, IPv4 and
# IPv6, its refusals.
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
lossy=${LOSSY:-build/bin/lossy}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
. tests/assert.sh

# --- the wire --------------------------------------------------------------

for loss in 1/3 1/4 2/7 1/10; do
    $viz --loss $loss --json --private -- python3 tests/terms.py retransmissions \
        >"$work/out" 2>"$work/err"
    is "status with loss $loss" 0 $?
    kernel=$(grep -E '^[0-9]+$' "$work/out")
    ours=$(sed -n 's/.*"type":"conn".*"retransmissions":\([0-9]*\).*/\1/p' "$work/out")
    is "sent again with loss $loss, by viz and by the kernel" "$kernel" "$ours"
    [ "$loss" = 1/10 ] || is "with loss $loss something is" yes \
        "$([ "${kernel:-0}" -gt 0 ] && echo yes)"
done

# Eighteen datagrams, every third lost: six are drawn so, or told of later.
TERMS=0 $viz --loss 1/3 --text --private -- sh -c '
    for i in 1 2 3; do python3 tests/terms.py throw; done' >"$work/out" 2>&1
is 'status of --text' 0 $?
is 'lost, as --text has it' 6 "$(grep -cE 'lost by the wire|! *$' "$work/out")"
TERMS=0 $viz --loss 1/3 --json --private -- python3 tests/terms.py throw >"$work/out" 2>&1
is 'lost, as --json has it' 2 "$(grep -c '^{"type":"lost",' "$work/out")"
is 'and captured all the same' 6 "$(grep -c '^{"type":"packet",' "$work/out")"

# As on Ethernet: no packet holds more than 1460 bytes of payload.
TERMS=0 $viz --json --private -- python3 tests/terms.py bulk >"$work/out" 2>&1
is 'loopback carries them at once' yes \
    "$(sed -n 's/.*"len":\([0-9]*\).*"super_segment".*/\1/p;s/.*"len":\([0-9]\{5\}\),"flags".*/\1/p' "$work/out" | grep -q . && echo yes)"
TERMS=0 $viz --mtu 1500 --json --private -- python3 tests/terms.py bulk >"$work/out" 2>&1
is 'status of --mtu' 0 $?
is 'with --mtu 1500 the longest holds' 1448 \
    "$(sed -n 's/.*"type":"packet".*"len":\([0-9]*\),"flags".*/\1/p' "$work/out" | sort -n | tail -1)"
is 'and none is a super segment' 0 "$(grep -c super_segment "$work/out")"
$viz --mtu 10 --private -- true >"$work/out" 2>&1
is 'status of a bad --mtu' 2 $?
$viz --mtu 1500 --text >"$work/out" 2>&1
is 'status of --mtu without --private' 2 $?

# The third packet to the server is the FIN: lost, it moves the client alone.
TERMS=0 $viz --loss 1/3 --json --private -- python3 tests/terms.py lost_fin >"$work/out" 2>&1
# The word of it comes after the packet's line, which it corrects, or before.
is 'a lost FIN has not reached the server' 1 \
    "$(grep -cE '^\{"type":"lost",.*"client":"FIN_WAIT1","server":"ESTABLISHED"\}|"flags":"FA",.*"client":"FIN_WAIT1","server":"ESTABLISHED"' "$work/out")"
is 'until it is sent again' 1 \
    "$(sed '1,/"type":"lost"/d' "$work/out" | grep -c '"flags":"FA",.*"name":"retransmission".*"server":"CLOSE_WAIT"')"
TERMS=0 $viz --loss 1/3 --text --private -- python3 tests/terms.py lost_fin >"$work/out" 2>&1
is 'and --text says who stays where' 1 \
    "$(grep -cE 'did not reach 127.0.0.1:7001, which is ESTABLISHED$|FIN_WAIT1 .*FIN,ACK.* ESTABLISHED +!' "$work/out")"

$viz --loss 4/3 --private -- true >"$work/out" 2>&1
is 'status of loss 4/3' 2 $?
$viz --loss 1/3 -r tests/captures/s01_client_close.pcap --text >"$work/out" 2>&1
is 'status of loss in a file' 2 $?
is 'and it says where it belongs' 1 "$(grep -c 'network of its own' "$work/out")"

# The key L, in the screen of a private network: 1/10, then 1/3, then 1/2, and
# the title bar says so.
screen() { tmux -S "$work/tmux" capture-pane -p 2>/dev/null; }
appears() { # words: within 20 s
    for turn in $(seq 400); do
        screen | grep -q "$1" && return 0
        python3 -c 'import select; select.select([], [], [], 0.05)'
    done
    screen | sed 's/^/    /'
    return 1
}
if command -v tmux >/dev/null 2>&1; then
    tmux -S "$work/tmux" new-session -d -x 80 -y 24 \
        "$viz --private -- cat /proc/self/stat"
    appears 'private network'
    is 'the screen comes up' 0 $?
    for loss in 1/10 1/3 1/2; do
        tmux -S "$work/tmux" send-keys L
        appears "loss $loss: 0 lost"
        is "the key L, to $loss" 0 $?
    done
    tmux -S "$work/tmux" kill-server
else
    echo '  no tmux: the key L was not tried'
fi

# --- the relay -------------------------------------------------------------

# Twenty letters through it to a server that prints what comes, in a private
# network, so that the ports are free.
cat >"$work/run.sh" <<'RUN'
address=$1 lossy=$2 script=$3
"$lossy" 7103 "$address" 7003 $script >relay.out 2>relay.err & relay=$!
python3 - "$address" <<'PYTHON'
import socket, sys, os, select
host = sys.argv[1]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
server = socket.socket(family, socket.SOCK_DGRAM)
server.bind((host, 7003))
while "relaying" not in open("relay.out").read():
    select.select([], [], [], 0.01)
client = socket.socket(family, socket.SOCK_DGRAM)
for letter in b"abcdefghijklmnopqrst":
    client.sendto(bytes([letter]), (host, 7103))
got = ""
while not got.endswith("t"): # the scripts below let the last one pass
    got += server.recv(100).decode()
print(got)
PYTHON
kill $relay
wait $relay
echo "relay's status: $?"
RUN
case $lossy in /*) ;; *) lossy=$PWD/$lossy ;; esac
vizzes=$viz
case $vizzes in /*) ;; *) vizzes=$PWD/$vizzes ;; esac
relay() { # address, script
    (cd "$work" && timeout 60 "$vizzes" --summary --private -- \
        sh run.sh "$1" "$lossy" "$2" 2>&1) | grep -E '^([a-su-z][a-z]*t|relay.s status: [0-9]*)$'
}
for address in 127.0.0.1 ::1; do
    is "letters, $address" 'bcddfeghijklmnopqrst relay'"'"'s status: 0' \
        "$(echo $(relay $address 'd..2s'))"
    first=$(relay $address '................... drop 1/3 seed 7')
    is "letters pass, $address" 'abcdefghijklmnopqrst relay'"'"'s status: 0' \
        "$(echo $first)"
    for run in 1 2; do
        relay $address 'drop 1/3 dup 1/10 swap 1/5 seed 7' >"$work/got.$run"
        cp "$work/relay.out" "$work/told.$run"
    done
    is "two runs, what arrived, $address" '' "$(diff "$work/got.1" "$work/got.2")"
    is "two runs, what was told, $address" '' "$(diff "$work/told.1" "$work/told.2")"
    is "something was dropped, $address" yes \
        "$(grep -q ' dropped$' "$work/told.1" && echo yes)"
done

"$lossy" 7103 127.0.0.1 >"$work/out" 2>&1
is 'status of too few words' 2 $?
"$lossy" 7103 127.0.0.1 7003 'drop 3' >"$work/out" 2>&1
is 'status of a bad script' 2 $?
is 'and it says why' 1 "$(grep -c 'as in drop 1/3' "$work/out")"

echo "loss: $passed passed, $failed failed"
[ $failed = 0 ]
