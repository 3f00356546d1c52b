#!/bin/sh
# The lessons play by themselves: every one live, and from its recording; a
# tiny lesson true, and each of its sentences made false, which must be named
# with its line. Nothing may be left running. Then a person's walk by keys.
set -u
cd "$(dirname "$0")/../.." || exit 2
viz=${VIZ:-build/bin/viz}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    failures=$((failures + 1))
    printf 'FAILED  %s\n' "$1"
    [ ! -e "$work/out" ] || tail -n 25 "$work/out" | sed 's/^/    /'
}

# Plays with the given arguments; its status in $status, its text in
# $work/out. In a session of its own, so that what it leaves behind is seen.
play() {
    setsid -w sh -c 'echo $$ >"$0"; exec "$@"' "$work/session" \
        "$viz" --lesson "$@" >"$work/out" 2>&1 </dev/null
    status=$?
    if ps -o pid= -s "$(cat "$work/session")" | grep -q .; then
        ps -o pid,args -s "$(cat "$work/session")" >>"$work/out"
        fail "$*: something is left running"
    fi
}

# --- the lessons, and the labs with a right answer -------------------------

for readme in lessons/*/README.md; do
    play "$readme" --play
    [ $status = 0 ] || fail "$readme --play: status $status"
    play "$readme" --play --replay
    [ $status = 0 ] || fail "$readme --replay: status $status"
    grep -q '^REPLAY' "$work/out" || fail "$readme --replay: not headed REPLAY"
done
for readme in labs/*/README.md; do
    name=$(basename "$(dirname "$readme")")
    right=tests/submissions/$name/right-plain
    [ -d "$right" ] || continue
    sh tools/lab.sh build "$name" "$right" >"$work/out" 2>&1 ||
        fail "$right does not build"
    play "$readme" --play
    [ $status = 0 ] || fail "$readme --play with $right: status $status"
done

# --- a tiny lesson, true and false -----------------------------------------

# Its folder's name says where its programs are: those of lesson 1.
tiny=$work/01-blocking/README.md
mkdir "$work/01-blocking"
cp lessons/01-blocking/server.c "$work/01-blocking/"
cp tests/lessons/fixture/README.md "$tiny"
play "$tiny" --play
[ $status = 0 ] || fail "the tiny lesson: status $status"

# Line by line: what is changed, into what. Status 1, and the line is named.
falsehood() { # sed pattern, replacement
    line=$(grep -n -e "$1" tests/lessons/fixture/README.md | head -n 1 | cut -d: -f1)
    sed "${line}s/.*/$2/" tests/lessons/fixture/README.md >"$tiny"
    play "$tiny" --play
    [ $status = 1 ] || fail "\"$2\" is false, but the status is $status"
    grep -q "^NOT TRUE  $tiny:$line: " "$work/out" ||
        fail "\"$2\" is false, but line $line is not named"
}
falsehood '^listen tcp' 'listen tcp 7002 within 1s'
falsehood '^waits server' 'waits server send within 1s'
falsehood '^prints A' 'prints A "listening on 127.0.0.1:7002" within 1s'
falsehood '^handshake' 'refused tcp 7001 within 1s'
falsehood '^not data' 'not data tcp 7001 from client "hell"'
falsehood '^data' 'data tcp 7001 from server "hell!" within 1s'
falsehood '^close' 'reset tcp 7001 by client within 1s'
falsehood '^state' 'state tcp 7001 server TIME_WAIT within 1s'
falsehood '^exits B' 'exits B 1 within 1s'
falsehood '^not reset' 'not state tcp 7001 client TIME_WAIT'

# What it quotes must be what the file says.
sed '$a\
```c server.c\
int mian(void)\
```' tests/lessons/fixture/README.md >"$tiny"
play "$tiny" --play
[ $status = 1 ] || fail "a misquote: status $status"
grep -q 'server.c does not say this: "int mian' "$work/out" ||
    fail "a misquote is not named"

# A program that is not there, and a line that cannot be typed.
sed 's/^\$ \.\/client .*/$ .\/no-such-program/' tests/lessons/fixture/README.md >"$tiny"
play "$tiny" --play
[ $status = 1 ] || fail "a missing program: status $status"
grep -q "no-such-program" "$work/out" || fail "a missing program is not shown"

# --- the wire block --------------------------------------------------------

mkdir "$work/03-wire"
cp tests/lessons/wire/README.md tests/terms.py "$work/03-wire/"
wire=$work/03-wire/README.md
play "$wire" --play --record
[ $status = 0 ] || fail "the lossy wire: status $status"
grep -q 'loses every 3rd packet' "$work/out" || fail "the loss is not told"
play "$wire" --play --replay
[ $status = 0 ] || fail "the lossy wire from its recording: status $status"
sed 's/^loss 1.3/clean/' tests/lessons/wire/README.md |
    sed 's/^lost udp 7003$/& within 1s/' >"$wire"
play "$wire" --play
[ $status = 1 ] || fail "nothing is lost on a clean wire, but the status is $status"
sed 's/^loss 1.3/loss 3/' tests/lessons/wire/README.md >"$wire"
play "$wire" --play
[ $status = 2 ] || fail "loss 3: status $status, not 2"

# --- what is wrong with the call is status 2, and a sentence ---------------

refused() { # word, arguments...
    word=$1
    shift
    play "$@"
    [ $status = 2 ] || fail "$*: status $status, not 2"
    grep -q -e "$word" "$work/out" || fail "$*: does not say \"$word\""
}
refused 'No such file' "$work/none/README.md" --play
refused 'directory' "$work" --play
printf '# t\n\n```observe\nlisten tpc 1\n```\n' >"$work/bad.md"
refused 'bad.md:4: ' "$work/bad.md" --play
refused 'no recording' "$tiny" --play --replay

# Stopped half-way: it leaves, and takes everything with it.
cat >"$work/01-blocking/slow.md" <<'TEXT'
# It never comes true

```terminal A
$ ./server 7001
```

```observe
listen tcp 7001
refused tcp 7001 within 100s
```
TEXT
setsid sh -c 'echo $$ >"$0"; exec "$@"' "$work/session" \
    "$viz" --lesson "$work/01-blocking/slow.md" --play \
    >"$work/out" 2>&1 </dev/null &
until grep -q '\[x\] listen' "$work/out" 2>/dev/null; do :; done
kill -TERM "$(cat "$work/session")"
wait $!
[ $? = 2 ] || fail "stopped by SIGTERM: another status than 2"
if ps -o pid= -s "$(cat "$work/session")" | grep -q .; then
    fail "stopped by SIGTERM: something is left running"
fi

# --- a person's walk, by keys ----------------------------------------------

rm -f "$work/out"
if command -v tmux >/dev/null 2>&1; then
    python3 tests/lessons/walk.py "$viz" >"$work/out" 2>&1 ||
        fail "the walk by keys"
else
    echo '(no tmux: the walk by keys is not tried)'
fi

if [ $failures != 0 ]; then
    echo "lessons: $failures failures"
    exit 1
fi
echo 'lessons: every sentence came true, live and replayed; false ones are named'
