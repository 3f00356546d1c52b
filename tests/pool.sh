#!/bin/sh
# `make pool`, as someone finds it who takes it home: outside the tree, by
# pkg-config alone, with gcc and clang, the three programs of docs/common.md are
# built and talk to each other; the archive shows no name but the header's and
# fits into a shared library; the header stands alone, in C11 and in C++. Then
# what docs/common.md says is held against the headers and the tests, and the
# sockets are tested once more as on a system without accept4 and recvmmsg.
set -u
cd "$(dirname "$0")/.." || exit 2
tree=$(pwd)
away=$(mktemp -d) || exit 2
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$away"' EXIT
make=${MAKE:-make}
done=0
failed=0
right() { done=$((done + 1)); }
wrong() {
    echo "  $*"
    failed=$((failed + 1))
}
check() { # what, command...
    what=$1
    shift
    if "$@" >"$away/said" 2>&1; then right; else
        wrong "$what"
        sed 's/^/      /' "$away/said" | head -n 20
    fi
}

# --- the programs of the document --------------------------------------------

program() { # name: the block ```c NAME of docs/common.md
    sed -n '/^```c '"$1"'$/,/^```$/p' docs/common.md | sed '1d;$d'
}
mkdir "$away/src"
for name in echo ask swarm; do
    program $name.c >"$away/src/$name.c"
    [ -s "$away/src/$name.c" ] || wrong "docs/common.md has no program $name.c"
done

build() { # compiler: the programs, in $away/COMPILER
    mkdir -p "$away/$1"
    for name in echo ask swarm; do
        # The flags are several words.
        (cd "$away/$1" && $1 -std=c11 -D_DEFAULT_SOURCE -O2 -Wall -Wextra \
            -Werror -pedantic -o $name ../src/$name.c \
            $(pkg-config --cflags --libs pool)) || return 1
    done
}

# The server's first line says where it is; a FIFO waits for just that.
talk() { # folder, address
    [ -z "$server" ] || kill "$server" 2>/dev/null
    rm -f "$1/out"
    mkfifo "$1/out" || return 1
    timeout 100 "$1/echo" "$2" >"$1/out" &
    server=$!
    read -r word on where <"$1/out"
    [ "$word $on" = 'listening on' ] || return 1
    case $where in
    unix:*) host=$where port=- ;;
    *) host=${where%:*} port=${where##*:} ;;
    esac
    printf 'hello\nworld\n' | "$1/ask" "$host" "$port" >"$1/answers" || return 1
    printf 'hello\nworld\n' | cmp - "$1/answers" || return 1
    "$1/swarm" "$host" "$port" 100 >"$1/swarm.out" || return 1
    printf '100 of 100 answered\n100 closed by host\n' >"$1/expected"
    head -n 2 "$1/swarm.out" | cmp - "$1/expected" || return 1
    kill -TERM "$server" || return 1
    wait "$server"
    status=$?
    server=
    rm -f "$1/out"
    [ $status = 0 ]
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null 2>&1 || {
        echo "  ($compiler is not here)"
        continue
    }
    home=$tree/build/pool
    [ $compiler = clang ] && home=$tree/build/clang/pool
    check "make pool with $compiler" $make -s CC=$compiler pool
    export PKG_CONFIG_PATH="$home"
    check "$compiler builds the three programs by pkg-config" build $compiler
    [ -x "$away/$compiler/swarm" ] || continue
    for address in 127.0.0.1:0 '[::1]:0' "unix:$away/$compiler/s"; do
        case $address in
        '[::1]'*) grep -q . /proc/net/if_inet6 2>/dev/null || continue ;;
        esac
        check "the programs by $compiler talk on $address" \
            talk "$away/$compiler" "$address"
    done
    [ ! -e "$away/$compiler/s" ] || wrong 'the path outlives its server'
    for backend in select poll epoll; do
        export POOL_BACKEND=$backend
        check "the programs by $compiler talk by $backend" \
            talk "$away/$compiler" 127.0.0.1:0
        unset POOL_BACKEND
    done
    ldd "$away/$compiler/echo" 2>/dev/null | awk '{ print $1 }' |
        grep -vE '^(linux-(vdso|gate)|libc\.|libpthread\.|/lib|ld-)' \
            >"$away/said" && wrong "more than the C library is needed: $(cat "$away/said")"
done
"$away/gcc/ask" 127.0.0.1 1 </dev/null 2>"$away/said"
[ $? = 1 ] && grep -q 'nobody listens there' "$away/said" ||
    wrong "ask says of a closed port: $(cat "$away/said")"

POOL_BACKEND=nonsense "$away/gcc/echo" :0 2>"$away/said"
[ $? = 1 ] && grep -q 'Invalid argument' "$away/said" ||
    wrong "echo says of a mechanism that is none: $(cat "$away/said")"

# --- the archive and the header ------------------------------------------------

home=build/pool
prefixes='net|io|buf|frame|queue|workers|log|clock|pool|closed'
nm -g --defined-only $home/libpool.a | awk 'NF == 3 { print $3 }' | sort \
    >"$away/shown"
grep -vE "^($prefixes)_" "$away/shown" >"$away/said" &&
    wrong "names without a prefix of ours: $(tr '\n' ' ' <"$away/said")"
[ "$(wc -l <"$away/shown")" -gt 100 ] || wrong 'the archive shows too little'
# What the header declares is what the archive shows, no more, no less.
printf '#include "pool.h"\n' >"$away/all.c"
gcc -std=c11 -I$home -fsyntax-only -aux-info "$away/prototypes" "$away/all.c"
grep -F "/* $home/pool.h:" "$away/prototypes" | sed 's/ (.*//; s/.*[ *]//' |
    sort -u >"$away/declared"
check 'the header declares what the archive shows' \
    diff "$away/declared" "$away/shown"
nm $home/libpool.a | grep -iE ' [bdu] (initscr|pcap_|mnl_|SSL_)' >"$away/said" &&
    wrong "libraries that do not belong here: $(cat "$away/said")"
check 'it fits into a shared library' gcc -shared -o "$away/libpool.so" \
    -Wl,--whole-archive $home/libpool.a -Wl,--no-whole-archive -Wl,-z,text \
    -Wl,-z,defs -pthread
printf '#include "pool.h"\n#include "pool.h"\nint main(void) { return 0; }\n' \
    >"$away/alone.c"
for flags in '-std=c11' '-std=gnu11' '-std=c11 -D_GNU_SOURCE' '-std=gnu17'; do
    check "the header alone, $flags" gcc $flags -Wall -Wextra -pedantic \
        -Werror -I$home -fsyntax-only "$away/alone.c"
done
if command -v g++ >/dev/null 2>&1; then
    check 'the header alone, in C++' g++ -std=c++17 -Wall -Wextra -Werror \
        -I$home -fsyntax-only -x c++ "$away/alone.c"
fi
grep -n '"common/' $home/pool.h && wrong 'the header includes a file of the tree'
grep -rn "$tree" $home/pool.h $home/pool.pc && wrong 'the tree is named'

# Installed, and then moved: pkg-config finds it from where it lies.
check 'make install-pool' $make -s install-pool DESTDIR="$away/d" PREFIX=/usr
mv "$away/d/usr" "$away/moved" 2>/dev/null
export PKG_CONFIG_PATH="$away/moved/lib/pkgconfig"
check 'what is installed is found' build gcc

# --- what the document says ------------------------------------------------------

# The table of features: | what | `functions` | `check_file: test` |
awk '/^## Every feature/ { on = 1; next } /^## / { on = 0 }
     on && /^\|/ && !/^\|[- |]*$/' docs/common.md | sed 1d >"$away/rows"
rows=$(wc -l <"$away/rows")
[ "$rows" -ge 25 ] || wrong "docs/common.md has $rows features"
quoted() { grep -o '`[^`]*`' | tr -d '`'; }
while IFS='|' read -r _ what calls tests _; do
    echo "$calls" | quoted >"$away/calls"
    echo "$tests" | quoted >"$away/tests"
    [ -s "$away/calls" ] || wrong "no function for:$what"
    [ -s "$away/tests" ] || wrong "no test for:$what"
    while read -r name; do
        grep -qwF -- "$name" common/*.h || wrong "$name is in no header (for:$what)"
    done <"$away/calls"
    while read -r name; do
        case $name in
        *.sh) [ -e "$name" ] ;;
        *) grep -qE "^START_TEST\(${name#*: }\)" "tests/unit/${name%%:*}.c" ;;
        esac || wrong "there is no test $name (for:$what)"
    done <"$away/tests"
done <"$away/rows"
# The table of mistakes: | `mistake` | `check_file: test` |
awk '/^## Mistakes/ { on = 1; next } /^## / { on = 0 } on && /^\| `/' \
    docs/common.md | cut -d'|' -f3 | quoted >"$away/tests"
[ "$(wc -l <"$away/tests")" -ge 26 ] || wrong 'the table of mistakes is short'
while read -r name; do
    grep -qE "^START_TEST\(${name#*: }\)" "tests/unit/${name%%:*}.c" ||
        wrong "there is no test $name"
done <"$away/tests"
# The calls in the other tables are calls.
awk '/^## The calls/ { on = 1; next } /^## / { on = 0 } on && /^\|/' \
    docs/common.md | cut -d'|' -f2 | quoted | grep -oE '[a-z]+_[a-z0-9_]+' |
    sort -u >"$away/calls"
[ "$(wc -l <"$away/calls")" -ge 60 ] || wrong 'the tables of calls are short'
while read -r name; do
    grep -qw "$name" common/*.h || wrong "$name of the tables is in no header"
done <"$away/calls"
# And each that the archive shows is in one of them.
while read -r name; do
    grep -qw "$name" "$away/calls" || wrong "$name is in no table of docs/common.md"
done <"$away/shown"

# --- other systems, other builds ---------------------------------------------------

# TurboX's echo server has 164 KB; ours fits a quarter of that.
$make -s build/lessons/01-blocking/server >"$away/said" 2>&1 || wrong 'lesson 1 does not build'
strip -o "$away/stripped" build/lessons/01-blocking/server 2>/dev/null &&
    [ "$(wc -c <"$away/stripped")" -lt 40960 ] ||
    wrong "lesson 1's server, stripped, has $(wc -c <"$away/stripped") bytes"

sockets="common/net.c common/net_address.c common/net_batch.c
    common/net_connect.c common/net_listen.c common/net_name.c common/workers.c
    common/clock.c common/queue.c common/buf.c common/io.c"
for name in listen connect net queue io; do
    gcc -std=c11 -D_GNU_SOURCE -DNET_PLAIN -DQUEUE_PLAIN -O1 -I. \
        -o "$away/$name" tests/unit/check_$name.c $sockets \
        $(pkg-config --libs check 2>/dev/null || echo -lcheck) -pthread \
        >"$away/said" 2>&1 || wrong "check_$name does not build plain: $(head -n 3 "$away/said")"
    check "check_$name without accept4, recvmmsg and a monotonic condition" \
        env CK_TIMEOUT_MULTIPLIER=5 "$away/$name"
done

echo "pool: $done checks and $rows features, $failed wrong"
[ $failed = 0 ]
