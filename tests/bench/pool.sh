#!/bin/sh
# The pool beside a bare epoll loop, libev, libevent, libuv and asyncio: what
# each server spends on the same load, in one run. A figure is a ratio within a
# round, and the median of the rounds; build/bench/pool.txt is the table,
# pool.json the same with every spread, pool.svg a chart where gnuplot is.
#   ROUNDS=15 of a measure, RUNS=1 of all of them (medians of medians)
#   SERVERS="bare pool", MEASURES="cpu-100 memory": only these
set -u
cd "$(dirname "$0")/../.." || exit 2
out=${BUILD:-build}/bench
results=$out/pool.results
rounds=${ROUNDS:-15} runs=${RUNS:-1}
mkdir -p "$out"
box=$(mktemp -d) || exit 2
running= those=
trap 'for pid in $running; do kill "$pid" 2>/dev/null; done; rm -rf "$box"' EXIT
trap 'exit 130' INT TERM
# 9,000 connections to each of eight servers: root may have them.
ulimit -n 100000 2>/dev/null || ulimit -n "$(ulimit -H -n)"
: >"$results"
note() { echo "$*" >>"$box/notes"; }
: >"$box/notes"

# --- the servers ---------------------------------------------------------------

${MAKE:-make} -s "$out/load" "$out/peer_epoll" "$out/peer_pool" lessons || exit 1

peer() { # name, libraries, package
    ${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -I. -o "$out/peer_$1" \
        "tests/bench/peer_$1.c" $2 2>"$box/cc" && return
    rm -f "$out/peer_$1"
    note "$1 is left out: apt-get install $3"
}
peer libev -lev libev-dev
peer libevent -levent_core libevent-dev
peer libuv -luv libuv1-dev
python=/usr/bin/python3
[ -x $python ] || python=$(command -v python3) || {
    python=
    note 'asyncio is left out: apt-get install python3'
}

command_of() { # server: how it is started; nothing: it is not here
    case $1 in
    bare) echo "$out/peer_epoll" ;;
    pool) echo "$out/peer_pool" ;;
    lesson-7) echo "${BUILD:-build}/lessons/07-pool/server" ;;
    libev | libuv) echo "$out/peer_$1" ;;
    libevent) echo "$out/peer_libevent raw" ;;
    bufferevent) echo "$out/peer_libevent buffer" ;;
    asyncio) # its 256 KiB for each read are mapped and unmapped each time, else
        [ -n "$python" ] && echo "env MALLOC_MMAP_THRESHOLD_=4194304" \
            "MALLOC_TRIM_THRESHOLD_=4194304 $python tests/bench/peer_asyncio.py" ;;
    esac
}
there() { # the program of $1 is there
    set -- $(command_of "$1")
    [ $# -gt 0 ] && command -v "$1" >/dev/null
}
servers=
for name in ${SERVERS:-bare pool lesson-7 libev libevent bufferevent libuv asyncio}; do
    there "$name" && servers="$servers $name"
done

# Starts a server in a mode, under what else is named, and waits for the port it
# tells: $pid and $port. Status 1: it has no such mode.
start() { # name, mode, wrapper...
    server=$1 argument=$2
    shift 2
    if [ "$server" = lesson-7 ]; then
        [ "$argument" = echo ] || return 1
        argument=0 # the port: any
    fi
    # A FIFO each: its end is seen when this one server is gone.
    rm -f "$box/said"
    mkfifo "$box/said"
    # shellcheck disable=SC2046
    "$@" $(command_of "$server") "$argument" >"$box/said" 2>"$box/stderr.$server" &
    pid=$!
    read -r said <"$box/said" || {
        wait "$pid"
        return 1
    }
    port=${said##*:}
    running="$running $pid"
}
stop_all() {
    for pid in $running; do kill "$pid"; done 2>/dev/null
    for pid in $running; do wait "$pid"; done 2>/dev/null
    running=
}
wanted() { case " ${MEASURES:-$1} " in *" $1 "*) ;; *) return 1 ;; esac; }
told() { echo "$*" >>"$results"; }
say() { printf '%-46s\r' "$*" >&2; }

# --- the measures ----------------------------------------------------------------

# All servers of a mode side by side under one load.
side_by_side() { # measure, mode, load options...
    measure=$1 mode=$2
    wanted "$measure" || return 0
    shift 2
    targets=
    for name in ${those:-$servers}; do
        start "$name" "$mode" && targets="$targets $name=$pid:$port"
    done
    say "$measure: $targets"
    # shellcheck disable=SC2086
    "$out/load" "$@" -r "$rounds" -y $targets >"$box/load" || {
        note "$measure: the load generator failed"
        stop_all
        return 1
    }
    stop_all
    # name cpu low high ns rate-ratio rate p50 p90 p99 p999 calls ctl lost
    awk -v m="$measure" 'NR == 1 { for (i = 8; i <= 11; i++) base[i] = $i }
        { print m, $1, $2, $3, $4
          print m ":ns", $1, $5
          print m ":rate", $1, $6
          split("p50 p90 p99 p999", p, " ")
          for (i = 8; i <= 11; i++)
              if (base[i] > 0) print m ":" p[i - 7], $1, $i / base[i]
          if ($12 != "-") { print m ":calls", $1, $12; print m ":ctl", $1, $13 }
          print m ":lost", $1, $14 }' "$box/load" >>"$results"
}

# As many of the servers as we may have 9,000 connections to.
nine_thousand() {
    wanted cpu-9000 || return 0
    room=$((($(ulimit -n) - 500) / 9000))
    those=
    for name in $servers; do
        [ $((room -= 1)) -ge 0 ] && those="$those $name"
    done
    case $those in
    *bare*pool*) side_by_side cpu-9000 echo -c 9000 -m 18000 ;;
    *) note "9,000 connections are left out: ulimit -n is $(ulimit -n)" ;;
    esac
    those=
}

# The same server twice, once with idle neighbours.
growth() {
    wanted growth || return 0
    crowd=$(($(ulimit -n) - 600))
    [ "$crowd" -gt 10000 ] && crowd=10000
    [ "$crowd" -lt 10000 ] && note "growth: only $crowd idle neighbours (ulimit -n)"
    for name in $servers; do
        start "$name" echo || continue
        alone=$pid:$port
        start "$name" echo
        say "growth: $name"
        "$out/load" -c 100 -r "$rounds" "$name=$alone" "$name=$pid:$port+$crowd" |
            awk 'NR == 2 { print "growth", $1, $2, $3, $4 }' >>"$results"
        stop_all
    done
}

memory() {
    wanted memory || return 0
    few=$((($(ulimit -n) - 600) / 10))
    [ "$few" -gt 1000 ] && few=1000
    for name in $servers; do
        start "$name" echo || continue
        say "memory: $name"
        "$out/load" -M -c "$few" "$name=$pid:$port" |
            awk '{ print "memory", $1, $2 }' >>"$results"
        stop_all
    done
}

timers() {
    wanted timer || return 0
    for name in $servers; do
        [ "$name" != lesson-7 ] || continue
        say "timers: $name"
        for round in 1 2 3 4 5; do
            $(command_of "$name") timers 2>/dev/null
        done | awk '$1 == "timers" { print $2 }' | sort -n |
            awk -v name="$name" '{ v[NR] = $1 }
                END { if (NR) print "timer", name, v[int((NR + 1) / 2)], v[1], v[NR] }' \
                >>"$results"
    done
}

# User instructions a message: the slope between two runs under callgrind.
instructions_of() { # server, messages -> instructions
    start "$1" echo valgrind --tool=callgrind --callgrind-out-file="$box/cg" || return
    "$out/load" -c 100 -r 1 -m "$2" "$1=$pid:$port" >/dev/null
    stop_all
    awk '/Collected/ { print $NF }' "$box/stderr.$1"
}
instructions() {
    wanted instructions || return 0
    command -v valgrind >/dev/null || {
        note 'instructions are left out: apt-get install valgrind'
        return
    }
    for name in $servers; do
        [ "$name" != asyncio ] || continue
        say "instructions: $name"
        few=$(instructions_of "$name" 2000)
        many=$(instructions_of "$name" 12000)
        # A slice of m is m + m/20 + 100 messages.
        [ -n "$few" ] && [ -n "$many" ] &&
            told instructions "$name" "$(((many - few) / 10500))"
    done
}

run=0
while [ $((run += 1)) -le "$runs" ]; do
    side_by_side cpu-1 echo -c 1 -m 1500
    side_by_side cpu-100 echo -c 100 -m 10000
    side_by_side cpu-1000 echo -c 1000 -m 10000
    nine_thousand
    side_by_side large echo -c 16 -s 65536 -m 200
    side_by_side lines lines -c 100 -p 16 -m 40000
    side_by_side connects echo -k -c 100 -m 2000
    side_by_side udp udp -u -c 64 -m 5000
    growth
    memory
    timers
    instructions
done
printf '%-46s\r' '' >&2

# --- what it tells -----------------------------------------------------------------

model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)
machine="$(uname -sr), $(nproc) CPUs, ${model:-$(uname -m)}, load $(cut -d' ' -f1 /proc/loadavg)"
awk -v machine="$machine" -v rounds="$rounds" -v runs="$runs" -v servers="$servers" \
    -v notes="$box/notes" -v json="$out/pool.json" \
    -f tests/bench/pool.awk "$results" >"$out/pool.txt"
if command -v gnuplot >/dev/null; then # of the last run
    for name in $servers; do
        awk -v name="$name" '$2 == name { v[$1] = $3 " " $4 " " $5 }
            END { if (v["cpu-100"] v["cpu-1000"] != "")
                print name, v["cpu-100"], v["cpu-1000"] }' "$results"
    done >"$box/chart"
    [ -s "$box/chart" ] && gnuplot -e "data='$box/chart'" \
        tests/bench/pool.gnuplot >"$out/pool.svg" 2>"$box/gnuplot" ||
        rm -f "$out/pool.svg"
fi
