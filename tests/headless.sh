#!/bin/sh
# viz without a screen as a part of pipelines: standard input, closed and full
# outputs, cut files, copies, and a private network whose last packet counts.
#
#   sh tests/headless.sh
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
programs=${PROGRAMS:-build/lessons/01-blocking}
capture=tests/captures/s01_client_close.pcap
work=$(mktemp -d) || exit 2
export LC_ALL=C.UTF-8 # the picture is looked at
trap 'rm -rf "$work"' EXIT
. tests/assert.sh

# What the screen asks and scores is what --predict asks and scores.
for name in s01_client_close s06_refused s13_simultaneous_open s19_udp_echo_frag; do
    file=tests/captures/$name.pcap
    letters=$($viz -r $file --predict "$(printf '%0200d' 0 | tr 0 a)" |
        sed -n 's/.*"given":"a","right":"\(.\)".*/\1/p' | tr -d '\n')
    all=${#letters}
    is "$name: right answers" 0 "$($viz -r $file --predict "$letters" >"$work/out"; echo $?)"
    has "$name: score" "\"right\":$all,\"given\":$all,\"asked\":$all}" "$work/out"
    $viz -r $file --dump 80x24 --keys "P$letters" >"$work/out"
    has "$name: score on the screen" "$all of $all right" "$work/out"
done

# -w keeps the kernel's word and the calls beside the packets; -r has them on its
# screen. What is no recording of ours is left alone.
if $viz --private --summary -- true >/dev/null 2>&1; then
    cat >"$work/lab.sh" <<'LAB'
"$1/server" 7001 >"$2/said" & server=$!
until grep -q listening "$2/said"; do :; done
echo hello | "$1/client" 127.0.0.1 7001
until ss -Htan 'sport = 7001' | grep -q TIME-WAIT || ss -Htan 'dport = 7001' | grep -q TIME-WAIT; do :; done
kill $server
wait
LAB
    $viz --private --summary -w "$work/w.pcap" -- sh "$work/lab.sh" "$programs" "$work" >"$work/out" 2>&1
    is 'status of -w' 0 $?
    has 'the calls are kept' '^call .* tcp listen local 7001' "$work/w.events"
    has 'the kernel is kept' '^socket .* tcp [A-Z0-9_]* 127.0.0.1' "$work/w.events"
    $viz -r "$work/w.pcap" --dump 120x40 --keys 2 >"$work/out" 2>&1
    has 'the calls are shown' 'listen(3) = 0 ┤' "$work/out"
    has 'the kernel is shown' 'by the kernel' "$work/out"
    $viz -r "$work/w.pcap" --json >"$work/out" 2>&1
    is 'the packets alone in --json' 0 "$(grep -c '"type":"call"\|"type":"socket"' "$work/out")"
    cp "$work/w.pcap" "$work/other.pcap"
    echo 'my own notes' >"$work/other.events"
    $viz -r "$work/other.pcap" --dump 120x40 --keys 2 >"$work/out" 2>"$work/err"
    is 'status with notes beside' 0 $?
    has 'what they are not' 'other.events:1: is no recording' "$work/err"
    $viz --private --summary -w "$work/other.pcap" -- true >"$work/out" 2>"$work/err"
    has 'what is not kept' "another's" "$work/err"
    is 'the notes are whole' 'my own notes' "$(cat "$work/other.events")"
fi

# Standard input, and the same bytes from a file.
$viz -r "$capture" --json >"$work/file" 2>&1
$viz -r - --json <"$capture" >"$work/stdin" 2>&1
is 'status of standard input' 0 $?
is 'standard input as a file' '' "$(diff "$work/file" "$work/stdin")"
gzip -c "$capture" >"$work/s01.pcap.gz"
$viz -r "$work/s01.pcap.gz" --json >"$work/gz" 2>&1
is 'a .gz as the file in it' '' "$(diff "$work/file" "$work/gz")"

# A cut file: its whole packets, a warning, status 2.
for mode in --json --text --summary; do
    head -c 700 "$capture" >"$work/cut.pcap"
    $viz -r "$work/cut.pcap" $mode >"$work/out" 2>"$work/err"
    is "status of a cut file, $mode" 2 $?
    has "the warning, $mode" 'cut off' "$work/err"
done
$viz -r "$work/cut.pcap" --json 2>/dev/null | grep -c '"packet"' >"$work/n"
is 'whole packets of a cut file' 7 "$(cat "$work/n")"

# A reader that has seen enough is no error; a full disk is.
{ $viz -r "$capture" --json 2>"$work/err"; echo $? >"$work/status"; } |
    head -n 1 >"$work/out"
is 'lines that head took' 1 "$(wc -l <"$work/out")"
is 'status behind head' 0 "$(cat "$work/status")"
is 'silence behind head' '' "$(cat "$work/err")"
if [ -c /dev/full ]; then
    for mode in --json --text --summary --help; do
        $viz -r "$capture" $mode >/dev/full 2>"$work/err"
        is "status on a full disk, $mode" 2 $?
    done
fi

# A copy of the first packets; never onto the file that is read.
$viz -r "$capture" --count 5 -w "$work/copy.pcap" --json >/dev/null 2>&1
is 'status of a copy' 0 $?
$viz -r "$work/copy.pcap" --json >"$work/out" 2>&1
is 'packets in the copy' 5 "$(grep -c '"packet"' "$work/out")"
is 'the copy as the file' '' \
    "$(head -n 6 "$work/file" | diff - "$work/out" | grep -v conn | grep '^[<>]')"
cp "$capture" "$work/same.pcap"
$viz -r "$work/same.pcap" -w "$work/same.pcap" --json >"$work/out" 2>"$work/err"
is 'status of reading and writing one file' 2 $?
is 'that file afterwards' '' "$(cmp "$capture" "$work/same.pcap" 2>&1)"

# A private network: the command's first packet and its last are there, and
# what the kernel says is asked.
cat >"$work/lab.sh" <<'LAB'
mkfifo "$1/ready"
"$2/server" 7001 >"$1/ready" &
read -r line <"$1/ready"
echo hello | "$2/client" 127.0.0.1 7001 >/dev/null
kill $!
wait
rm "$1/ready"
LAB
if [ ! -x "$programs/server" ]; then
    echo "  $programs is not built: the private network was not tried"
elif ! $viz --private --json -- true >/dev/null 2>"$work/err"; then
    echo '  no private network on this machine: it was not tried'
    sed 's/^/    /' "$work/err"
else
    for run in 1 2 3 4 5 6 7 8 9 10; do
        $viz --private --json -- sh "$work/lab.sh" "$work" "$programs" \
            >"$work/out" 2>"$work/err"
        is "status of private run $run" 0 $?
        has "first packet of run $run" '"n":1,.*"flags":"S"' "$work/out"
        has "last state of run $run" '"client_states":.*"TIME_WAIT"\].*"CLOSED"\]' \
            "$work/out"
    done
    $viz --private --expect 'listen tcp 7001' 'handshake tcp 7001' \
        'data tcp 7001 from client "hello\n"' \
        'data tcp 7001 from server "hello\n"' 'close tcp 7001 by client' \
        'close tcp 7001 by server' 'state tcp 7001 client TIME_WAIT' \
        'not reset tcp 7001 by server' \
        -- sh "$work/lab.sh" "$work" "$programs" >"$work/out" 2>"$work/err"
    is 'status of what is expected there' 0 $?
    is 'what came true' 8 "$(grep -c '^true ' "$work/out")"
    $viz --private --expect 'refused tcp 7001' \
        -- sh "$work/lab.sh" "$work" "$programs" >"$work/out" 2>"$work/err"
    is 'status of what stays untrue' 1 $?
    $viz --private --json -- "$work/nothing" >"$work/out" 2>"$work/err"
    is 'a command that is not there' 1 "$(grep -c "$work/nothing" "$work/err")"
fi

echo "headless: $passed passed, $failed failed"
[ $failed = 0 ]
