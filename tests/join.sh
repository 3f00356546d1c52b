#!/bin/sh
# viz --join: a second viz in a network that runs already sees what happens
# there, by pid and by the name of a program; another user gets a sentence.
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
work=$(mktemp -d) || exit 2
first=
trap 'exec 9>&-; [ -z "$first" ] || wait $first; rm -rf "$work"' EXIT
passed=0
failed=0
good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "  $1:"
    sed 's/^/    /' "$work/out" "$work/err" 2>/dev/null | head -n 12
}

if ! $viz --private --json -- true >/dev/null 2>"$work/err" ||
    ! command -v python3 >/dev/null; then
    echo 'join: skipped, no private network or no python3 here'
    sed 's/^/    /' "$work/err"
    exit 0
fi

# A network with a server of ours in it, which answers a datagram for each line
# that we write to the pipe, and ends with it.
cat >"$work/talk.py" <<'P'
import os, socket, sys
with open('/proc/self/comm', 'w') as comm: comm.write('joinme')
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 7001))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(os.getpid(), file=open(sys.argv[1], 'w'), flush=True)
for line in open(sys.argv[2]):
    client.sendto(b'question', ('127.0.0.1', 7001))
    _, who = server.recvfrom(100)
    server.sendto(b'answer', who)
    client.recv(100)
P
mkfifo "$work/pid" "$work/lines"
$viz --private --json -- python3 "$work/talk.py" "$work/pid" "$work/lines" \
    >"$work/first" 2>&1 &
first=$!
exec 9<>"$work/lines"
read -r pid <"$work/pid"

sees() { # what, WHO
    mkfifo "$work/seen"
    $viz --join "$2" --json --count 2 >"$work/seen" 2>"$work/err" &
    joined=$!
    { read -r begun; echo ask >&9; cat; } <"$work/seen" >"$work/out"
    wait $joined
    status=$?
    rm "$work/seen"
    if [ $status = 0 ] && grep -q '"dport":7001,"len":8' "$work/out" &&
        grep -q '"sport":7001.*"len":6.*"answers":1' "$work/out"; then
        good
    else
        bad "$1: status $status, not the question and its answer"
    fi
}
says() { # what, words, command...
    what=$1 words=$2
    shift 2
    "$@" >"$work/out" 2>"$work/err"
    status=$?
    if [ $status = 2 ] && grep -qe "$words" "$work/err" &&
        [ "$(grep -c '' "$work/err")" -le 4 ] && [ ! -s "$work/out" ]; then
        good
    else
        bad "$what: status $status, or not '$words'"
    fi
}

sees 'by pid' "$pid"
sees 'by name' joinme
$viz --join joinme --expect 'listen udp 7001' >"$work/out" 2>"$work/err"
if [ $? = 0 ]; then good; else bad 'the sockets of that network'; fi
says 'no such process' 'no process 4194305' $viz --join 4194305 --json
says 'no such name' 'No program of the name' $viz --join no-such-name --json
says 'our own network' 'leave --join away' $viz --join $$ --json
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    cp "$viz" "$work/viz"
    chmod 755 "$work" "$work/viz"
    says 'another user' 'belongs to root' \
        setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$work/viz" --join "$pid" --json
    says 'another user, by name' 'belongs to root' \
        setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$work/viz" --join joinme --json
else
    says 'another user' 'belongs to root' $viz --join 1 --json
fi
echo "join: $passed passed, $failed failed"
[ $failed = 0 ]
