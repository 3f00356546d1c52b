#!/bin/sh
# The commands around the programs: the map, and the dependency step on a
# machine that lacks something, with and without rights, with an installer that
# works and one that does not. The machine is made of stand-ins in a folder.
set -u
cd "$(dirname "$0")/.." || exit 2
passed=0
failed=0
box=$(mktemp -d) || exit 2
trap 'rm -rf "$box"' EXIT

ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed 's/^/    /' "$box/out"
}
check() { # description, expected status, pattern that the output must have
    if [ "$status" = "$2" ] && { [ -z "$3" ] || grep -qE -- "$3" "$box/out"; }; then ok; else
        bad "$1 (status $status, wanted $2 and /$3/)"; fi
}
lacks() { # description, pattern that the output must not have
    if grep -qE -- "$2" "$box/out"; then bad "$1"; else ok; fi
}

# A machine: a bin folder with just these tools, and stand-ins beside them.
mkdir "$box/bin"
for tool in sh cat sed awk grep mktemp tail rm env; do
    path=$(command -v "$tool") && [ -x "$path" ] && ln -s "$path" "$box/bin/$tool"
done
standin() { printf '#!/bin/sh\n%s\n' "$2" >"$box/bin/$1" && chmod +x "$box/bin/$1"; }
standin id 'echo 1000'
for tool in true ss netstat lsof bash apt-get bwrap pkg-config; do standin $tool 'exit 0'; done
# A compiler that has every header but pcap.h, until $box/installed exists.
standin cc 'read -r _; read -r _; read -r line
case $line in *pcap.h*) test -e '"$box"'/installed ;; *) exit 0 ;; esac'
deps() { PATH="$box/bin" CC=cc CI=true sh tools/deps.sh "$@" >"$box/out" 2>&1 </dev/null; status=$?; }

deps viz
check 'without sudo: the exact line to type, status 2' 2 \
    '^  sudo apt-get update && sudo apt-get install -y --no-install-recommends libpcap-dev$'
check 'says what is missing and why' 2 'pcap\.h +captures the wire'

standin sudo 'case $1 in -n) exit 1 ;; esac; exit 1'
deps viz
check 'sudo that wants a password, nobody there: status 2' 2 'wants a password'

standin sudo 'test "$1" = -n && shift; exec "$@"'
standin apt-get 'echo "E: Unable to locate package"; exit 100'
deps viz
check 'an installer that fails shows its last lines' 2 'Unable to locate'

standin apt-get ': >'"$box"'/installed'
deps viz
check 'installs through sudo' 0 '^Installed\.$'

standin apt-get 'echo "must not be called"; exit 1'
deps viz
check 'touches nothing when all is there' 0 ''
lacks 'is silent when all is there' '.'

# Where AppArmor restricts namespaces: the profile is offered, once.
echo 1 >"$box/restricted"
standin sudo 'echo "sudo $*" | sed "s/sudo -n/sudo/"; exit 0'
export RESTRICTION_FILE="$box/restricted" PROFILE_FILE="$box/profile"
deps viz
check 'offers the AppArmor profile and loads it through sudo' 0 '^sudo sh tools/apparmor.sh$'
echo "profile x \"$(pwd -P)/build/{bin}/viz\" {" >"$box/profile"
deps viz
lacks 'does not offer a profile that is loaded' '.'
unset RESTRICTION_FILE PROFILE_FILE

rm -f "$box/installed"
status=0
PATH="$box/bin" CC=cc TWO_TERMINALS_SHELL=A sh tools/deps.sh viz >"$box/out" 2>&1 </dev/null || status=$?
check 'never installs inside the lab network' 2 'Leave this shell first'

deps doctor
check 'doctor reports and gives the line' 1 'NO +pcap\.h'
check 'and says that there is more to see' 1 'make doctor looks at the rest'

mv "$box/bin/cc" "$box/cc"
deps viz
check 'no compiler: says which package' 2 'no C compiler'

# The map, in a copy that has no progress and in one that has.
mkdir "$box/kit" && cp -r tools "$box/kit/" &&
    mkdir -p "$box/kit/lessons/01-blocking" "$box/kit/labs/01-blocking" &&
    echo '# Lesson 1: one client at a time' >"$box/kit/lessons/01-blocking/README.md" &&
    echo '# wcd' >"$box/kit/labs/01-blocking/README.md"
map() { (cd "$box/kit" && sh tools/map.sh) >"$box/out" 2>&1; status=$?; }
map
check 'the map names the first thing to do' 0 'Next: +make lesson-1$'
mkdir "$box/kit/.lab"
echo 'lesson.01-blocking.done yes' >"$box/kit/.lab/progress"
map
check 'after the lesson comes the lab' 0 'Next: +make lab-1$'
mkdir -p "$box/kit/work/01-blocking"
echo 'lab.01-blocking.score 85/100' >>"$box/kit/.lab/progress"
map
check 'a score stands in the map' 0 'graded 85/100'
check 'and grading again is next' 0 'Next: +make grade-1$'
echo 'lab.01-blocking.score 100/100' >>"$box/kit/.lab/progress"
map
check 'all done says so' 0 'all is done'

# When stages fail, the end of `make test` has their words: what was built and
# what passed is left out. A log of which the last lines say nothing is common:
# make's, and a list of tests with one that failed.
mkdir -p "$box/kit/tests"
cp tests/run.sh "$box/kit/tests/"
cat >"$box/kit/tests/lint.sh" <<'STAGE'
echo 'the third breach'
for n in 1 2 3 4 5 6 7 8 9; do echo "  check_more          $n passed"; done
echo 'lint: 3 breaches'
exit 1
STAGE
standin make 'case $* in *clang*) echo "a.c:1: error: no such thing"
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "  CC     b$n.c"; done
echo "make: *** [a.o] Error 1"; exit 2 ;; esac'
(cd "$box/kit" && MAKE="$box/bin/make" sh tests/run.sh) >"$box/all" 2>&1
status=$?
tail -n 20 "$box/all" >"$box/out"
check 'a stage that failed says at the end why' 1 'the third breach'
check 'and a build which file' 1 'a\.c:1: error: no such thing'
check 'and last comes which they were' 1 '^stages: 4 passed, 2 failed: lint build-clang$'
echo 'echo fine' >"$box/kit/tests/lint.sh"
standin make 'echo made'
(cd "$box/kit" && MAKE="$box/bin/make" sh tests/run.sh) >"$box/out" 2>&1
status=$?
check 'when all passed that is all' 0 '^stages: 6 passed, 0 failed$'

for n in 99 x 1x "1;false"; do
    ${MAKE:-make} --no-print-directory "lesson-$n" >"$box/out" 2>&1
    status=$?
    check "make lesson-$n is refused in words" 2 "no lesson $n"
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
