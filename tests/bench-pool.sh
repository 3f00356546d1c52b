#!/bin/sh
# What the pool spends that can be counted exactly, against its goals: system
# calls a message, epoll_ctl in steady state, bytes an idle connection, and user
# instructions a message where valgrind is. Never a time: `make bench` has those.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build}
bench=$build/bench
box=$(mktemp -d) || exit 2
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$box"' EXIT
${MAKE:-make} -s "$bench/count" "$bench/load" "$bench/peer_epoll" \
    "$bench/peer_pool" "$build/lessons/07-pool/server" || exit 2
failed=0
checked() { # what, figure, most
    if [ -n "$2" ] && awk "BEGIN { exit !($2 <= $3) }"; then
        echo "$1: $2" | tee -a "$box/told"
    else
        echo "NOT SO: $1: ${2:-no figure}, at most $3 was promised"
        failed=1
    fi
}

# --- system calls: the server is stopped, everybody speaks, it goes on ------------

calls() { # what, connections, most, program...
    what=$1 connections=$2 most=$3
    shift 3
    "$bench/count" "$connections" 20 "$@" >"$box/calls" 2>"$box/why"
    status=$?
    if [ $status = 2 ]; then
        echo "system calls are not counted here: $(cat "$box/why")"
        return
    fi
    [ $status = 0 ] || cat "$box/why"
    checked "$what system calls a message" "$(awk '{ print $2 }' "$box/calls")" "$most"
    checked "$what epoll_ctl a message" "$(awk '{ print $4 }' "$box/calls")" 0
}
calls 'bare loop, 1 client,' 1 3 "$bench/peer_epoll" echo
calls 'pool, 1 client,' 1 3 "$bench/peer_pool" echo
calls 'pool, 100 clients,' 100 2.15 "$bench/peer_pool" echo
calls 'lesson 7, 100 clients,' 100 2.15 "$build/lessons/07-pool/server" 0
# The counter must be able to say no: a wait before each message is one more.
"$bench/count" 100 5 "$bench/peer_epoll" echo >"$box/many" 2>/dev/null &&
    "$bench/count" 1 5 "$bench/peer_epoll" echo >"$box/one" 2>/dev/null &&
    ! awk 'NR == FNR { many = $2; next } { exit !($2 > many + 0.9) }' \
        "$box/many" "$box/one" &&
    { echo 'NOT SO: the counter counts no waits'; failed=1; }

# --- what needs a server that runs: $server and $port ----------------------------

start() { # program...
    rm -f "$box/said"
    mkfifo "$box/said"
    "$@" >"$box/said" 2>"$box/stderr" &
    server=$!
    said=
    read -r said <"$box/said"
    port=${said##*:}
}
stop() {
    kill "$server"
    wait "$server" 2>/dev/null
    server=
}

ulimit -n "$(ulimit -H -n)" 2>/dev/null
few=$((($(ulimit -n) - 100) / 10))
[ "$few" -gt 500 ] && few=500
start "$bench/peer_pool" echo
bytes=$("$bench/load" -M -c "$few" "pool=$server:$port" | awk '{ print $2 }')
stop
checked "bytes an idle connection" "$bytes" 192

# The slope between two runs; a slice of m messages is m + m/20 + 100 of them.
instructions() { # messages
    start valgrind --tool=callgrind --callgrind-out-file="$box/callgrind" \
        "$bench/peer_pool" echo
    "$bench/load" -c 100 -r 1 -m "$1" "pool=$server:$port" >"$box/load" &&
        stop && awk '/Collected/ { print $NF }' "$box/stderr"
}
if ! command -v valgrind >/dev/null; then
    echo 'instructions are not counted here: apt-get install valgrind'
elif [ -z "${SAN:-}" ]; then
    low=$(instructions 2000)
    high=$(instructions 12000)
    [ -n "$low" ] && [ -n "$high" ] && slope=$(((high - low) / 10500))
    checked 'user instructions a message' "${slope:-}" 170
fi

[ $failed = 0 ] || exit 1
echo "bench-pool: $(wc -l <"$box/told") counts, all as promised"
