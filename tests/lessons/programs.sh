#!/bin/sh
# The contract of the lessons' programs (DESIGN of the kit, "worked examples"):
# what they print, how they end, who waits, what is left behind. Runs in a
# network of its own where the machine allows; waits for states of the kernel's
# tables and for bytes, never for time.
set -u
cd "$(dirname "$0")/../.." || exit 2

if [ "${1:-}" != inside ]; then
    ${MAKE:-make} --no-print-directory lessons >/dev/null || exit 1
    for how in 'unshare -rn' 'unshare -n'; do
        if $how true 2>/dev/null; then
            exec $how sh "$0" inside
        fi
    done
    echo "no private network here: on the machine's own loopback"
    exec sh "$0" inside
fi
ip link set lo up 2>/dev/null

programs=$PWD/${BUILD:-build}/lessons/01-blocking
server=$programs/server
client=$programs/client
hand=$programs/hand
box=$(mktemp -d) || exit 2
passed=0
failed=0
running= # process ids to end, also when we are interrupted
finish() {
    for p in $running; do kill -KILL "$p" 2>/dev/null; done
    rm -rf "$box"
}
trap finish EXIT
trap 'exit 1' INT TERM
cd "$box" || exit 2

ok() { # description, command that must be true
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "NOT SO: $what"
    fi
}
is() { # description, expected, actual
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "NOT SO: $1"
        echo "  expected: $2"
        echo "  actual:   $3"
    fi
}
# Asks until it is so; a backstop of 20 s against a hang, which decides nothing
# that goes right.
soon() {
    backstop=$(($(date +%s) + 20))
    until "$@"; do
        [ "$(date +%s)" -lt $backstop ] || return 1
    done
}

# Starts a server on $1 (0: a free port); sets $pid and $port once it listens.
start() {
    rm -f line
    mkfifo line
    "$server" "$1" >line 2>server.err &
    pid=$!
    running="$running $pid"
    read -r said <line
    port=${said##*:}
}
# Waits for $pid; sets $status.
ended() {
    wait "$pid" 2>/dev/null
    status=$?
}
queue() { # bytes (or connections) that wait in the socket of state $1 at $port
    ss -Htan "sport = :$port" | awk -v s="$1" '$1 == s { n += $2 } END { print n + 0 }'
}
queue_is() { [ "$(queue "$1")" = "$2" ]; }
sockets_are() { # state, how many, at $port
    [ "$(ss -Htan state "$1" "sport = :$port" | wc -l)" = "$2" ]
}
descriptors() { ls "/proc/$pid/fd" | wc -l; }
descriptors_are() { [ "$(descriptors)" = "$1" ]; }
file_is() { [ "$(cat "$1")" = "$2" ]; }
lines_are() { [ "$(wc -l <"$1")" = "$2" ]; }
alive() { kill -0 "$1" 2>/dev/null; }

# --- what they print, and bad arguments ----------------------------------------

if [ -z "$(ss -Htan 'sport = :7001')" ]; then
    rm -f line && mkfifo line
    "$server" >line &
    pid=$!
    running="$running $pid"
    read -r said <line
    is 'the default port is 7001, and the line comes at once' \
        'listening on 127.0.0.1:7001' "$said"
    is 'the client needs no argument' 'hello' "$(echo hello | "$client")"
    kill "$pid"
    ended
else
    echo 'port 7001 is in use here: the default port was not tried'
fi

start 0
ok 'port 0 gives a free port' [ "$port" -gt 0 ]
is 'which is the one it has' 1 "$(ss -Htln "sport = :$port" | wc -l)"

bad() { # program, arguments...
    name=$(basename "$1")
    "$@" >out 2>err </dev/null
    is "$*: status" 2 $?
    ok "$*: one usage line" lines_are err 1
    ok "$*: which says how" grep -q "usage: $name" err
    ok "$*: nothing on stdout" [ ! -s out ]
}
bad "$server" x
bad "$server" ''
bad "$server" -1
bad "$server" 65536
bad "$server" 99999999999999999999
bad "$server" 7001x
bad "$server" 7001 7002
bad "$client" 127.0.0.1 0
bad "$client" 127.0.0.1 65536
bad "$client" 127.0.0.1 x
bad "$client" 127.0.0.1 ''
bad "$client" localhost
bad "$client" 127.0.0.1 7001 more
bad "$hand" more

"$server" "$port" >out 2>err
is 'a port in use: status' 1 $?
ok 'a port in use: which port' grep -q "port $port" err
ok 'a port in use: why' grep -q 'Address already in use' err
ok 'a port in use: what to type' grep -q 'ss -tanp' err
ok 'a port in use: it never said that it listens' [ ! -s out ]

# --- echo ----------------------------------------------------------------------

is 'two lines come back' "one
two" "$(printf 'one\ntwo\n' | "$client" 127.0.0.1 "$port")"
is 'a line without an end comes back' 'half' \
    "$(printf half | "$client" 127.0.0.1 "$port")"
"$client" 127.0.0.1 "$port" </dev/null >out
is 'nothing said, nothing heard: status' 0 $?
ok 'nothing said, nothing heard' [ ! -s out ]
head -c 3000000 /dev/urandom >sent
"$client" 127.0.0.1 "$port" <sent >got
is '3 MB of any bytes: status' 0 $?
ok '3 MB of any bytes come back' cmp -s sent got

# --- ends ----------------------------------------------------------------------

"$client" 127.0.0.1 "$port" </dev/null >/dev/null
before=$(descriptors)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    echo "$i" | "$client" 127.0.0.1 "$port" >out || break
done
is 'twenty clients in turn' 20 "$(cat out)"
ok 'no descriptor is left of them' soon descriptors_are "$before"

# One stays (its stdin is a fifo that nobody closes), one comes.
mkfifo first second
"$client" 127.0.0.1 "$port" <first >first.out &
first=$!
exec 3>first
ok 'the first client is taken' soon descriptors_are "$((before + 1))"
"$client" 127.0.0.1 "$port" <second >second.out 3>&- &
second=$!
exec 4>second
running="$running $first $second"
echo a >&3
ok 'the first client is served' soon file_is first.out a
echo bc >&4
ok 'the second one has its connection' soon sockets_are established 2
ok 'its bytes wait in the kernel' soon queue_is ESTAB 3
echo d >&3
ok 'the first one is served again' soon file_is first.out "a
d"
ok 'the second one has no answer yet' [ ! -s second.out ]
is 'it waits in the accept queue' 1 "$(queue LISTEN)"
exec 3>&-
wait $first
is 'the first one leaves with status' 0 $?
ok 'the second one is served' soon file_is second.out bc
exec 4>&-
wait $second
is 'the second one leaves with status' 0 $?

# SIGPIPE: stopped while a client speaks twice and vanishes with a RST, so that
# every later send meets a dead connection.
kill -STOP "$pid"
"$client" 127.0.0.1 "$port" <sent >/dev/null &
vanished=$!
running="$running $vanished"
filled() { [ "$(queue ESTAB)" -gt 4096 ]; }
ok 'a client fills a stopped server' soon filled
kill -KILL $vanished
wait $vanished 2>/dev/null
kill -CONT "$pid"
is 'the server outlives a client that vanished' ok \
    "$(echo ok | "$client" 127.0.0.1 "$port")"
ok 'no descriptor is left of it' soon descriptors_are "$before"

# More than all buffers of a loopback connection hold.
head -c 32000000 /dev/zero >much
unsent() { # something waits in the server's own send queue
    [ "$(ss -Htan "sport = :$port" | awk '$1 == "ESTAB" { n += $3 } END { print n + 0 }')" -gt 0 ]
}
for signal in INT TERM; do
    start 0
    kill -$signal "$pid"
    ended
    is "SIG$signal while it waits in accept: status" 0 $status

    start 0
    rm -f silent && mkfifo silent
    "$client" 127.0.0.1 "$port" <silent >/dev/null 2>err &
    silent=$!
    exec 3>silent
    running="$running $silent"
    ok 'a client is taken' soon descriptors_are "$((before + 1))"
    kill -$signal "$pid"
    ended
    is "SIG$signal while it waits in recv: status" 0 $status
    wait $silent
    is 'its client ends with status' 1 $?
    ok 'and says why' grep -q 'the server closed the connection' err
    exec 3>&-
    # The server closed first: its end is in TIME_WAIT now.
    ok 'its end is in TIME_WAIT' soon sockets_are time-wait 1
    ok 'for a minute' [ -n "$(ss -Htano state time-wait "sport = :$port" | grep -E 'timewait,(1min|[0-9]+sec)')" ]
    was=$port
    start "$port"
    is 'yet it starts again on the same port' "$was" "$port"
    kill "$pid"
    ended

    start 0
    kill -STOP "$pid"
    "$client" 127.0.0.1 "$port" <much >/dev/null 2>&1 &
    deaf=$!
    running="$running $deaf"
    ok 'a client has much to say' soon filled
    kill -STOP $deaf
    kill -CONT "$pid"
    ok 'and hears nothing' soon unsent
    kill -$signal "$pid"
    ended
    is "SIG$signal while it waits in send: status" 0 $status
    kill -KILL $deaf
    wait $deaf 2>/dev/null
done

# --- the client's errors ---------------------------------------------------------

"$client" 127.0.0.1 "$port" </dev/null >out 2>err
is 'refused: status' 1 $?
ok 'refused: why' grep -q 'Connection refused' err
ok 'refused: what to type' grep -q 'ss -ltn' err

# --- sockets by hand -------------------------------------------------------------

# Lines into `hand` through a fifo on descriptor 5; its words in hand.out.
rm -f calls && mkfifo calls
"$hand" <calls >hand.out 2>&1 &
by_hand=$!
running="$running $by_hand"
exec 5>calls
says() { grep -qF "$1" hand.out; }
port=$was
printf 'socket\nreuse 3\nbind 3 %s\nlisten 3 1\n' "$port" >&5
ok 'by hand: a listener' soon sockets_are listening 1
printf 'hi' | "$client" 127.0.0.1 "$port" >client.out &
talker=$!
running="$running $talker"
printf 'accept 3\nname 4\n' >&5
ok 'by hand: accept' soon says 'accept(3) = 4'
ok 'by hand: our two values' soon says "getsockname(4) = 127.0.0.1:$port"
ok 'by hand: the other two' soon says 'getpeername(4) = 127.0.0.1:'
printf 'recv 4 1\nrecv 4 100\nrecv 4 100\n' >&5
ok 'by hand: one byte' soon says 'recv(4, bytes, 1) = 1 "h"'
ok 'by hand: the rest' soon says 'recv(4, bytes, 100) = 1 "i"'
ok 'by hand: the end' soon says 'recv(4, bytes, 100) = 0'
printf 'send 4 bye\nclose 4\nclose 4\nnonsense\n' >&5
wait $talker
is 'a client hears what comes after it has finished' 'bye' "$(cat client.out)"
ok 'by hand: an error has its name' soon says 'close(4) = -1 EBADF: Bad file descriptor'
ok 'by hand: a word that is no call brings the list' soon says 'SO_REUSEADDR: before bind'
exec 5>&-
wait $by_hand
is 'by hand: the end of input ends it, status' 0 $?

printf 'socket\nsend 3 x\n' | (trap '' PIPE; exec "$hand") >out 2>&1
is 'by hand: SIGPIPE kills, also where the parent ignores it: status' 141 $?
printf 'ignore\nsocket\nsend 3 x\n' | "$hand" >out
is 'by hand: unless it is ignored: status' 0 $?
ok 'by hand: then it is EPIPE' grep -q 'EPIPE' out

# --- the files -------------------------------------------------------------------

strip -o stripped "$server"
size=$(wc -c <stripped)
ok "the stripped server ($size bytes) is under 40 KB" [ "$size" -lt 40960 ]
echo_of() { sed -n '/^static bool echo(int fd)/,/^}/p' "$1"; }
for later in 04 05 06; do
    for source in "$OLDPWD"/lessons/$later-*/server.c; do
        [ -e "$source" ] || continue
        is "echo() in $source is that of lesson 1" \
            "$(echo_of "$OLDPWD/lessons/01-blocking/server.c")" \
            "$(echo_of "$source")"
    done
done

echo "lesson programs: $passed checks passed, $failed failed"
[ $failed = 0 ]
