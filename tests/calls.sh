#!/bin/sh
# The calls lane end to end: lesson 1's server and client tell their calls, each
# at the right side and time; a program does not notice that it is asked, and
# what a call costs is measured.
#
#   sh tests/calls.sh
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
programs=${PROGRAMS:-build/lessons/01-blocking}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
. tests/assert.sh

if ! $viz --private --json -- true >/dev/null 2>"$work/err"; then
    echo 'calls: no private network on this machine: nothing was tried'
    exit 0
fi

cat >"$work/lab.sh" <<'LAB'
mkfifo "$1/ready"
"$2/server" 7001 >"$1/ready" &
read -r line <"$1/ready"
echo hello | "$2/client" 127.0.0.1 7001 >/dev/null
"$2/client" 127.0.0.1 7002 </dev/null >/dev/null 2>&1
kill $!
wait
rm "$1/ready"
LAB
$viz --private --json -- sh "$work/lab.sh" "$work" "$programs" \
    >"$work/out" 2>"$work/err"
is 'status' 0 $?
is 'silence' '' "$(cat "$work/err")"
call='"type":"call".*"call"'
has 'bind of the server' "$call:\"bind\",\"side\":\"server\".*\"lport\":7001" "$work/out"
has 'listen' "$call:\"listen\",\"side\":\"server\".*\"result\":0" "$work/out"
has 'connect' "\"type\":\"call\".*\"conn\":0,.*\"call\":\"connect\",\"side\":\"client\".*\"rport\":7001,\"result\":0" "$work/out"
has 'accept' "\"type\":\"call\".*\"conn\":0,.*\"call\":\"accept\",\"side\":\"server\"" "$work/out"
has 'recv of the server' "\"type\":\"call\".*\"conn\":0,.*\"call\":\"recv\",\"side\":\"server\".*\"result\":6" "$work/out"
has 'send of the server' "\"type\":\"call\".*\"conn\":0,.*\"call\":\"send\",\"side\":\"server\".*\"result\":6" "$work/out"
has 'write of the client' "\"type\":\"call\".*\"conn\":0,.*\"call\":\"write\",\"side\":\"client\".*\"result\":6" "$work/out"
has 'close of the server' "\"type\":\"call\".*\"conn\":0,.*\"call\":\"close\",\"side\":\"server\".*\"result\":0" "$work/out"
has 'connect refused' "\"type\":\"call\".*\"conn\":1,.*\"call\":\"connect\",\"side\":\"client\".*\"rport\":7002,\"result\":-1,.*\"error\":\"ECONNREFUSED\"" "$work/out"
# Lines are in order of time, and accept() returns after the client's SYN.
is 'lines out of order' 0 "$(sed -n 's/.*"t":\([0-9.]*\).*/\1/p' "$work/out" |
    awk '$1 + 0 < last { late++ } { last = $1 } END { print late + 0 }')"
is 'what came first' 'packet call' "$(grep -o '"flags":"S"\|"call":"accept"' \
    "$work/out" | head -n 2 | sed 's/"flags.*/packet/;s/"call.*/call/' | xargs)"

$viz --private --text --calls -- sh "$work/lab.sh" "$work" "$programs" \
    >"$work/out" 2>"$work/err"
is 'status of --text --calls' 0 $?
has 'connect at the left' '[├+|] connect([0-9]*) = 0' "$work/out"
has 'recv at the right' 'recv([0-9]*) = 6.* [┤+|]$' "$work/out"
for form in txt md svg; do
    $viz --private --export "$work/a.$form" -- sh "$work/lab.sh" "$work" "$programs" \
        >"$work/out" 2>"$work/err"
    is "status of --export as $form" 0 $?
    has "$form has the listener's calls" 'listen([0-9]*) = 0' "$work/a.$form"
    has "$form has the client's" 'connect([0-9]*) = 0' "$work/a.$form"
    is "$form has no calls of the next connection" 0 "$(grep -c ECONNREFUSED "$work/a.$form")"
done
$viz --private --text -- sh "$work/lab.sh" "$work" "$programs" \
    >"$work/out" 2>"$work/err"
is 'calls that nobody asked for' 0 "$(grep -c 'connect(' "$work/out")"
$viz --text --calls -r tests/captures/s01_client_close.pcap >"$work/out" 2>&1
is 'status of --calls with a file' 2 $?

# The program does not notice: no descriptor more, errno kept, and the ring is
# gone afterwards. All functions are told; UDP has its ports too.
if cc -O2 -Wall -Werror -D_GNU_SOURCE -o "$work/notice" tests/calls/notice.c; then
    $viz --private --json -- env -u LD_PRELOAD "$work/notice" \
        >/dev/null 2>"$work/alone"
    $viz --private --json -- "$work/notice" >"$work/out" 2>"$work/err"
    is 'what it notices' "$(cat "$work/alone")" "$(cat "$work/err")"
    is 'lines of it' 4 "$(wc -l <"$work/alone")"
    for name in socket bind listen accept connect recv recvfrom recvmsg read \
        readv send sendto sendmsg write writev setsockopt shutdown close poll \
        select epoll_wait; do
        has "$name is told" "\"call\":\"$name\"" "$work/out"
    done
    has 'a datagram' '"conn":[0-9]*,"proto":"udp","call":"sendto","side":"client"' "$work/out"
    has 'its arrival' '"conn":[0-9]*,"proto":"udp","call":"recvfrom","side":"server"' "$work/out"
    for run in -uLD_PRELOAD TOLD=1; do
        $viz --private --json -- env "$run" "$work/notice" cost 2>&1 >/dev/null | grep '^[0-9]*$'
    done >"$work/cost"
    is 'costs that were measured' 2 "$(wc -l <"$work/cost")"
    echo "  a send() and a recv(), ns, alone and told: $(xargs <"$work/cost")"
else
    failed=$((failed + 1))
fi

# A viz that does not read: the program goes on, and what is missing is said.
cat >"$work/deaf.sh" <<'LAB'
viz=$(ps -o ppid= -p $PPID)
kill -STOP $viz
"$1" cost
echo "status $?"
kill -CONT $viz
LAB
$viz --private --json -- sh "$work/deaf.sh" "$work/notice" \
    >"$work/out" 2>"$work/err"
is 'status with a full ring' 0 $?
has 'the program did not wait' '^[0-9]*$' "$work/err"
has 'what is missing' '^viz: 3[0-9]* calls came faster than they could be taken' "$work/err"

# strace sees the program's own system calls, and no others.
if command -v strace >/dev/null 2>&1; then
    for run in -uLD_PRELOAD TOLD=1; do
        $viz --private --json -- env $run strace -f -o "$work/strace$run" \
            -e trace=network,fstat,newfstatat,close "$work/notice" >/dev/null 2>&1
        sed -n '/socket(/,$s/[0-9]* *\([a-z0-9]*\)(.*/\1/p' "$work/strace$run" >"$work/seen$run"
    done
    is 'what strace sees' '' "$(diff "$work/seen-uLD_PRELOAD" "$work/seenTOLD=1")"
    has 'that it sees something' accept "$work/seenTOLD=1"
fi

# In a lesson: the student's own programs, however they were started, tell their
# calls; those of the system do not, nor does any of them notice.
lesson=$work/07-calls
mkdir "$lesson" && cp "$work/notice" "$lesson/"
cc -O2 -Wall -Werror -D_GNU_SOURCE -o "$lesson/restless" tests/calls/restless.c ||
    failed=$((failed + 1))
cp "$(command -v bash)" "$lesson/own-bash"
cat >"$lesson/README.md" <<'LESSON'
# Calls

```terminal A
$ make shell
```

```observe
shell A
```

```terminal A
$ alone() { env -u LD_PRELOAD "$@" 2>>alone; echo $? >>alone; }
$ told() { "$@" 2>>told; echo $? >>told; }
$ alone ./notice; told ./notice
$ alone ./restless; told ./restless
$ ls -l /proc/self/fd | wc -l; env -u LD_PRELOAD ls -l /proc/self/fd | wc -l
$ bash -c ': </dev/tcp/127.0.0.1/11' 2>system
$ ./own-bash -c ': </dev/tcp/127.0.0.1/12' 2>own
$ echo "done"
```

```observe
refused tcp 12
prints A "done"
```
LESSON
$viz --lesson "$lesson/README.md" --play --record >"$work/out" 2>&1
is 'status of the lesson' 0 $?
is 'what the programs notice in a lesson' "$(cat "$lesson/alone")" "$(cat "$lesson/told")"
is 'how they end' '0 3' "$(grep -x '[0-9]' "$lesson/told" | xargs)"
is 'what bash notices' '' "$(tr -d '\n' <"$lesson/system" | grep -i preload)"
is 'the descriptors of ls' 1 "$(sed -n 's/^printed [^ ]* A \([0-9]*\)$/\1/p' \
    "$lesson/replay.events" | sort -u | wc -l)"
told=$work/told
grep '^call ' "$lesson/replay.events" >"$told"
is 'connect() of parent and child' 2 "$(grep 'tcp connect .* remote 9 .*result -1 errno 111' "$told" |
    sed 's/.* pid //' | sort -u | wc -l)"
is 'calls of the system'"'"'s bash' 0 "$(grep -c ' remote 11 ' "$told")"
has 'calls of an own program' 'tcp connect .* remote 12 ' "$told"
has 'they stand in what it prints' 'connect([0-9]*) = -1 ECONNREFUSED' "$work/out"
$viz --lesson "$lesson/README.md" --play --replay >"$work/out" 2>&1
is 'status of its recording' 0 $?
has 'and its recording prints' 'connect([0-9]*) = -1 ECONNREFUSED' "$work/out"

echo "calls: $passed passed, $failed failed"
[ $failed = 0 ]
