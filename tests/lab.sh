#!/bin/sh
# The lab network end to end, as a student meets it: viz --private, a lesson in
# a terminal of tmux with make shell beside it, the refusals, and that nothing
# is left behind. Runs as whoever calls; as root a second time as a plain user.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)

if [ "${LAB_TEST_HERE:-}" = "" ]; then
    # A place of its own, which a plain user may enter, with what is needed.
    place=$(mktemp -d) || exit 2
    trap 'rm -rf "$place"' EXIT
    mkdir -p "$place/build/bin" "$place/build/lib" "$place/build/lessons"
    cp "$root/build/bin/viz" "$place/build/bin/" &&
        cp "$root/build/lib/calls.so" "$place/build/lib/" &&
        cp -R "$root/build/lessons/01-blocking" "$place/build/lessons/" &&
        cp -R "$root/lessons" "$root/tools" "$place/" &&
        cp "$root/tests/lab.sh" "$root/Makefile" "$place/" || exit 2
    cd "$place" || exit 2
    LAB_TEST_HERE=$place HOME=$place sh lab.sh || exit 1
    if [ "$(id -u)" = 0 ]; then
        rm -rf "$place/.lab"
        chmod 755 "$place"
        chown -R 65534:65534 "$place"
        LAB_TEST_HERE=$place HOME=$place setpriv --reuid=65534 --regid=65534 \
            --clear-groups sh lab.sh || exit 1
    fi
    exit 0
fi

cd "$LAB_TEST_HERE" || exit 2
unset TWO_TERMINALS_SHELL TMUX
# tmux starts its panes with this, and without it with the shell of the account:
# nobody's is nologin.
SHELL=/bin/sh
export SHELL
viz=build/bin/viz
who=$(id -u)
count=0
out=$(mktemp) || exit 2
err=$(mktemp) || exit 2

fail() {
    echo "lab (uid $who): $1" >&2
    sed 's/^/  out| /' "$out" >&2
    sed 's/^/  err| /' "$err" >&2
    tmux -S tmux.sock kill-server 2>/dev/null
    exit 1
}

# try NAME STATUS COMMAND...: run it, and compare the status.
try() {
    name=$1 wanted=$2
    shift 2
    timeout 60 "$@" >"$out" 2>"$err" </dev/null
    status=$?
    [ $status = "$wanted" ] || fail "$name: status $status, not $wanted"
    count=$((count + 1))
}
says() { grep -qF -- "$1" "$out" "$err" || fail "$name: does not say: $1"; }

# --- commands in a private network ------------------------------------------

try "a whole conversation, from its first packet" 0 \
    $viz --summary --private -- sh -c '
        cd build/lessons/01-blocking
        ./server 7001 & server=$!
        until ss -Hltn "sport = 7001" | grep -q .; do :; done
        echo hello | ./client 127.0.0.1 7001
        kill $server; wait $server'
says "127.0.0.1:7001"
says "hello"
try "a command has no rights, and its user's name" 0 \
    $viz --summary --private -- sh -c '
        id -u; grep -E "^(Cap|NoNew)" /proc/self/status | sort | uniq -c | wc -l
        grep -cE "^Cap.*:.0000000000000000$" /proc/self/status
        grep "^NoNewPrivs:.1$" /proc/self/status'
says "NoNewPrivs:	1"
[ "$(sed -n 1p "$out")" = "$who" ] || fail "$name: not uid $who"
[ "$(sed -n 3p "$out")" = 5 ] || fail "$name: some capability was left"
try "an expectation that comes true" 0 $viz --expect 'refused tcp 9' \
    --private -- build/lessons/01-blocking/client 127.0.0.1 9
says "ended with status"
try "an expectation that stays untrue" 1 $viz --expect 'listen tcp 7001' \
    --private -- true
try "a command's status is told" 0 $viz --summary --private -- sh -c 'exit 3'
says "sh ended with status 3"
try "a command that was killed is told" 0 \
    $viz --summary --private -- sh -c 'kill -9 $$'
says "signal 9"
try "a command that is not there" 2 $viz --summary --private -- ./not-there
says "./not-there cannot be run: No such file or directory"
try "what a command leaves behind ends with it" 0 \
    $viz --summary --private -- sh -c 'setsid sh -c "echo \$\$ >left; exec tail -f /dev/null" & until [ -s left ]; do :; done'
[ ! -d "/proc/$(cat left)" ] || fail "$name: $(cat left) is still there"

# --- refusals ---------------------------------------------------------------

no_namespaces='echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
if unshare -Ur sh -c "$no_namespaces" sh true 2>/dev/null; then
    try "no namespace left: --private says so" 2 \
        unshare -Ur sh -c "$no_namespaces" sh $viz --summary --private -- true
    says "user.max_user_namespaces = 0"
    says "sudo sysctl -w user.max_user_namespaces"
    try "no namespace left: the doctor says so, and ends well" 0 \
        unshare -Ur sh -c "$no_namespaces" sh $viz --doctor
    says "sudo sysctl -w user.max_user_namespaces"
fi

# A container's root: no namespaces, but capture on its own loopback, where
# others listen too. The lesson runs there, live.
on_loopback='ip link set lo up; echo 0 >/proc/sys/user/max_user_namespaces
    build/lessons/01-blocking/server 6999 >/dev/null & others=$!
    until ss -Hltn "sport = 6999" | grep -q .; do :; done
    "$@"; status=$?; kill $others; wait $others; exit $status'
if unshare -Urn sh -c 'ip link set lo up' 2>/dev/null; then
    try "no namespace left, but capture: the lesson plays on loopback" 0 \
        unshare -Urn sh -c "$on_loopback" sh \
        $viz --lesson lessons/01-blocking/README.md --play
    says "(loopback of this machine; played by itself)"
    says "observations came true."
fi

# --- make shell without a lesson ----------------------------------------------

try "no lesson runs" 2 sh tools/shell.sh $viz
says "Type make lesson-1 in another terminal, then make shell here."
try "inside a terminal of the lab" 2 env TWO_TERMINALS_SHELL=B sh tools/shell.sh $viz
says "This is terminal B of the lesson already"
try "viz itself refuses there too" 2 env TWO_TERMINALS_SHELL=B $viz --shell
says "This is terminal B of the lesson already"
try "a shell needs a terminal" 2 $viz --shell
says "make shell needs a terminal"

# --- a lesson, live, in tmux --------------------------------------------------

command -v tmux >/dev/null 2>&1 || {
    echo "lab (uid $who): $count passed; the live part needs tmux: not tried"
    exit 0
}
t() { tmux -S tmux.sock "$@"; }
screen() { t capture-pane -p -t "lab:$1" >"$out" 2>"$err"; }
# sees PANE TEXT: until the pane shows it, at most 90 s.
sees() {
    name="pane $1 shows: $2"
    deadline=$(($(date +%s) + 90))
    until screen "$1" && grep -qF -- "$2" "$out"; do
        [ "$(date +%s)" -lt $deadline ] || fail "$name"
    done
    count=$((count + 1))
}
sees_no_more() {
    name="pane $1 shows no more: $2"
    deadline=$(($(date +%s) + 90))
    while screen "$1" && grep -qF -- "$2" "$out"; do
        [ "$(date +%s)" -lt $deadline ] || fail "$name"
    done
    count=$((count + 1))
}
types() {
    pane=$1
    shift
    t send-keys -t "lab:$pane" "$@"
}

PS1='% ' t -f /dev/null new-session -d -s lab -x 80 -y 24 'exec sh'
for pane in 1 2 3; do PS1='% ' t new-window -d -t "lab:$pane" 'exec sh'; done
types 0 "$viz --lesson lessons/01-blocking/README.md" Enter
sees 0 "make shell"
types 1 "sh tools/shell.sh $viz; echo status=\$?" Enter
sees 1 'A $'
sees 1 "Terminal A of lesson 1, in its private network."
types 2 "sh tools/shell.sh $viz; echo status=\$?" Enter
sees 2 'B $'
types 1 ./server Enter
sees 1 "listening on 127.0.0.1:7001"
types 2 ./client Enter
types 2 hello Enter
sees 0 ESTAB
types 0 s # their calls stand between the packets, and go again
sees 0 "connect(3) = 0"
sees 0 "recv(4) = 6"
types 0 s
sees_no_more 0 "connect(3) = 0"
types 2 C-d
sees 2 'B $'
types 2 'echo "$LD_PRELOAD" | grep -c calls.so; env -u LD_PRELOAD sh -c "ls /proc/self/fd | wc -l" >a; ls /proc/self/fd | wc -l >b; cmp a b && echo same=fds; rm a b' Enter
sees 2 "same=fds"
types 2 'grep -cE "^Cap.*0000000000000000" /proc/self/status; stty size' Enter
sees 2 "24 80"
screen 2
grep -qx 5 "$out" || fail "terminal B has some capability"
t resize-window -t lab:2 -x 100 -y 30
types 2 'stty size' Enter
sees 2 "30 100"
types 3 "$viz --lesson lessons/01-blocking/README.md; echo status=\$?" Enter
sees 3 "A lesson is already running in"
sees 3 "status=2"
if ! ss -Hltn 'sport = 7001' | grep -q .; then # a server, but outside
    types 3 clear Enter
    types 3 'build/lessons/01-blocking/server; echo gone=$?' Enter
    sees 3 "listening on 127.0.0.1:7001"
    sees 0 "Your server is running, but outside the"
    types 3 C-c
    sees 3 "gone=0"
    sees_no_more 0 "Your server is running, but outside"
fi
viz_pid=$(t list-panes -t lab:0 -F '#{pane_pid}')
viz_pid=$(ps -o pid= --ppid "$viz_pid" | tr -d ' ')
grep -cE '^Cap.*:.0000000000000000$' "/proc/$viz_pid/status" >"$out"
grep -qx 5 "$out" || fail "viz has some capability"
types 0 q
sees 1 "The lesson has ended, and this terminal with it."
sees 1 "status=0"
sees 2 "status=0"
[ ! -e .lab/shell.sock ] || fail "the lesson left its socket"

# Killed outright: everything goes all the same.
types 0 clear Enter
types 0 "$viz --lesson lessons/01-blocking/README.md" Enter
sees 0 "make shell"
types 1 clear Enter
types 1 "sh tools/shell.sh $viz; echo status=\$?" Enter
sees 1 'A $'
types 1 'nohup tail -f /dev/null >/dev/null 2>&1 & echo pid=$!.' Enter
sees 1 'pid='
screen 1
left=$(sed -n 's/^pid=\([0-9]*\)\.$/\1/p' "$out")
[ -d "/proc/$left" ] || fail "no background process $left"
viz_pid=$(t list-panes -t lab:0 -F '#{pane_pid}')
kill -9 "$(ps -o pid= --ppid "$viz_pid" | tr -d ' ')"
sees 1 "The lesson has ended, and this terminal with it."
sees 1 "status=0"
name="nothing is left of a killed lesson"
deadline=$(($(date +%s) + 90))
while [ -e .lab/shell.sock ] || grep -qs '^State:.[^Z]' "/proc/$left/status"; do
    [ "$(date +%s)" -lt $deadline ] || fail "$name"
done
types 2 clear Enter
types 2 "sh tools/shell.sh $viz" Enter
sees 2 "No lesson is running"
t kill-server
rm -f "$out" "$err"
echo "lab (uid $who): $count passed"
