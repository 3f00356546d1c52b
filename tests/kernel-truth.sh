#!/bin/sh
# Do our counts of retransmissions equal the kernel's? Two network namespaces,
# a wire between them that loses packets at the receiver's input hook, a
# transfer, a capture at the sender; then viz --summary beside the sender's
# TcpRetransSegs in /proc/net/snmp. Needs root, ip, nft and python3;
# without them it says so and is skipped.
#
#   sh tests/kernel-truth.sh            a few runs, as CI does
#   sh tests/kernel-truth.sh all        every variation
#   KEEP=DIR                            keep the captures
set -u
cd "$(dirname "$0")/.." || exit 2
viz=$(pwd)/${VIZ:-build/bin/viz}
for tool in ip nft python3 unshare; do
    command -v $tool >/dev/null || { echo "skipped: no $tool here"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 0; }
unshare -nm true 2>/dev/null || { echo "skipped: no namespaces here"; exit 0; }
# Names of namespaces are kept on a file system of our own: nothing is left.
if [ "${TRUTH_INSIDE:-}" != 1 ]; then
    TRUTH_INSIDE=1 exec unshare -nm --propagation private sh "$0" "$@"
fi
mount -t tmpfs truth /run || { echo "skipped: no mount here"; exit 0; }
keep=${KEEP:-}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
runs=0

in_a() { ip netns exec a "$@"; }
in_b() { ip netns exec b "$@"; }

# Serves once: takes all that comes, then ends.
cat >"$work/sink.py" <<'P'
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 7001)); s.listen()
print('ready', flush=True)
c, _ = s.accept()
while c.recv(65536): pass
c.close()
P
cat >"$work/source.py" <<'P'
import select, socket, sys
host, size, piece = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 262144)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.connect((host, 7001))
left = size
while left > 0:
    s.sendall(b'x' * min(piece, left)); left -= piece
    if piece < 4000: select.select([], [], [], 0.002) # many small bursts: a pace, nothing is awaited
s.shutdown(socket.SHUT_WR)
while s.recv(65536): pass
s.close()
P

counter() { # namespace, name
    ip netns exec "$1" awk -v want="$2" '/^Tcp: [A-Z]/ { n = split($0, names) }
        /^Tcp: [0-9]/ { for (i = 1; i <= n; i++) if (names[i] == want) print $i }' /proc/net/snmp
}

wire_up() {
    ip netns add a && ip netns add b || exit 2
    ip link add va netns a type veth peer name vb netns b || exit 2
    for end in a b; do
        ip -n $end link set v$end up
        ip -n $end link set lo up
        [ "$offload" = on ] || ip -n $end link set v$end gso_max_segs 1
        ip netns exec $end sysctl -qw net.ipv4.tcp_timestamps=$timestamps net.ipv4.tcp_sack=$sack
    done
    ip -n a address add 10.9.0.1/24 dev va
    ip -n b address add 10.9.0.2/24 dev vb
    ip -n a address add fd09::1/64 dev va nodad
    ip -n b address add fd09::2/64 dev vb nodad
    printf 'table inet t { chain i { type filter hook input priority 0; meta l4proto tcp %s drop; }; }\n' "$loss" | in_b nft -f - || exit 2
    [ -z "$back" ] || printf 'table inet t { chain i { type filter hook input priority 0; meta l4proto tcp %s drop; }; }\n' "$back" | in_a nft -f - || exit 2
    [ "$ids" = counted ] || printf 'table ip r { chain o { type filter hook output priority 0; ip id set numgen random mod 65535; }; }\n' | in_a nft -f - || exit 2
}

run() { # name, then variables of the wire
    name=$1; shift
    timestamps=1 sack=1 offload=off ids=counted size=300000 piece=65536
    loss='numgen random mod 100 < 5' back='' host=10.9.0.2
    eval "$@"
    runs=$((runs + 1))
    wire_up
    in_a "$viz" -i va -f tcp --json -w "$work/$name.pcap" >"$work/live" 2>"$work/errors" &
    live=$!
    until [ -s "$work/live" ]; do kill -0 $live 2>/dev/null || break; done
    mkfifo "$work/ready"
    in_b timeout 120 python3 "$work/sink.py" $host >"$work/ready" &
    sink=$!
    read -r _ <"$work/ready"
    rm "$work/ready"
    in_a timeout 120 python3 "$work/source.py" $host $size $piece
    wait $sink
    kernel_a=$(counter a RetransSegs)
    kernel_b=$(counter b RetransSegs)
    kill -TERM $live
    wait $live
    viz_total=$("$viz" -r "$work/$name.pcap" --summary | awk '/^total/ { t = 1 } t && /retransmissions/ { print $2 }')
    lost=$(in_b nft list ruleset | grep -c drop)
    if [ "$viz_total" = $((kernel_a + kernel_b)) ] && [ "$lost" -gt 0 ]; then
        printf '  %-28s kernel %4d  viz %4s\n' "$name" $((kernel_a + kernel_b)) "$viz_total"
    else
        printf '  %-28s kernel %4d  viz %4s  DIFFERS\n' "$name" $((kernel_a + kernel_b)) "$viz_total"
        failed=$((failed + 1))
    fi
    if [ -n "$keep" ]; then
        cp "$work/$name.pcap" "$keep/"
        in_a cat /proc/net/netstat >"$keep/$name.netstat"
    fi
    ip netns del a
    ip netns del b
}

run plain
run no-timestamps timestamps=0
run ipv6-no-timestamps timestamps=0 host=fd09::2
run random-ids-no-timestamps timestamps=0 ids=random
run no-sack sack=0
if [ "${1:-}" = all ]; then
    run light 'loss="numgen random mod 100 < 1"' size=2000000
    run heavy 'loss="numgen random mod 100 < 15"' size=100000
    run every-tenth 'loss="numgen inc mod 10 == 0"'
    run ipv6 host=fd09::2
    run random-ids ids=random
    run no-sack-no-timestamps sack=0 timestamps=0
    run no-sack-ipv6-no-timestamps sack=0 timestamps=0 host=fd09::2
    run both-ways 'back="numgen random mod 100 < 5"'
    run acks-lost 'loss="numgen inc mod 1000 == 999"' 'back="numgen random mod 100 < 30"'
    run both-ways-random-ids 'back="numgen random mod 100 < 10"' ids=random timestamps=0
    run small-pieces piece=300 size=60000
    run small-pieces-no-timestamps piece=300 size=60000 timestamps=0 ids=random
    run small-pieces-ipv6 piece=1000 size=100000 host=fd09::2 timestamps=0
    run offload offload=on size=2000000
    run offload-ipv6 offload=on size=2000000 host=fd09::2
    run offload-no-timestamps offload=on size=2000000 timestamps=0
    run offload-no-sack offload=on size=1000000 sack=0
    run heavy-no-sack-random 'loss="numgen random mod 100 < 12"' size=80000 sack=0 ids=random timestamps=0
fi
echo "retransmissions as the kernel counts them: $((runs - failed)) of $runs runs"
[ $failed = 0 ]
