#!/bin/sh
# How fast viz is: captures read, beside a bare libpcap loop, tcpdump and tshark
# in the same run; live, what it misses, how late its screen is, what it takes
# at rest, what it remembers of a scan. Leaves build/bench/viz.txt and viz.json.
#
#   RUNS=5 sh tests/bench/viz.sh        # SHORT=1: everything, but little of it
set -u
cd "$(dirname "$0")/../.." || exit 2
viz=${VIZ:-build/bin/viz}
bin=build/bench
runs=${RUNS:-5}
packets=1000000 connections=100000 ports=1000000
rate=200000 scan_rate=100000 flood=1000000 samples=200 rest=10 bulk=1000 sockets=500
if [ -n "${SHORT:-}" ]; then
    runs=${RUNS:-1} packets=20000 connections=2000 ports=140000
    rate=10000 flood=10000 samples=10 rest=1 bulk=20 sockets=50
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT INT TERM
text=$bin/viz.txt
: >"$text"
: >"$work/rows"
broken=

# --- figures ----------------------------------------------------------------

thousands() {
    echo "$1" | sed -e :a -e 's/^\([0-9][0-9]*\)\([0-9][0-9][0-9]\)/\1,\2/;ta'
}
value() { sed -n "s/^$2=//p" "$work/$1" 2>/dev/null; }
calculate() { awk "BEGIN { printf \"%.${2:-0}f\", $1 }"; }
holds() { awk -v v="$1" "BEGIN { exit !(v != \"\" && $2) }"; }

# A figure of this case with its goal, as a condition on v and in words: a line
# of the table, a row of the JSON.
figure() { # what, value, unit, [condition, words]
    met=
    if [ $# -gt 3 ]; then
        met=MISSED
        holds "$2" "$4" && met=met
    fi
    printf '  %-44s %11s %-8s %-14s %s\n' "$1" "$(thousands "${2:-?}")" "$3" \
        "${5:-}" "$met" >>"$text"
    printf '{"case":"%s","what":"%s","value":%s,"unit":"%s"' "$case" "$1" \
        "${2:-null}" "$3" >>"$work/rows"
    case $met in
    met) printf ',"goal":"%s","met":true}\n' "$5" ;;
    MISSED) printf ',"goal":"%s","met":false}\n' "$5" ;;
    *) echo '}' ;;
    esac >>"$work/rows"
}

# --- captures ---------------------------------------------------------------

# One run of each program after the other, so that what else the machine does
# meets all of them.
rounds() { # how many
    for round in $(seq "$1"); do
        while IFS='|' read -r most name command; do
            [ "$round" -le "$most" ] || continue
            eval "$bin/measure $command" >>"$work/$case.$name"
        done <"$work/programs"
    done
}

# name -> "wall_min wall_median cpu_min rss_mb status"
summed() {
    sort -n "$work/$case.$1" | awk '
        { wall[NR] = $1; if (NR == 1 || $2 < cpu) cpu = $2
          if ($3 > rss) rss = $3; if ($4 > status) status = $4 }
        END { printf "%.3f %.3f %.3f %.0f %d\n", wall[1],
              wall[int((NR + 1) / 2)], cpu, rss / 1024, status }'
}

# The goals are of the clock's best run: on a busy machine the others tell of
# its other work.
compare() { # name, [most seconds, most MB]
    set -- "$1" "${2:-}" "${3:-}" $(summed "$1")
    met= goal= json=
    if [ -n "$2$3" ]; then
        goal="${2:+$2 s}${2:+${3:+, }}${3:+$3 MB}"
        met=MISSED
        holds "$4" "v <= ${2:-1e9} && $7 <= ${3:-1e9} && $8 == 0" &&
            met=met
        json=",\"goal\":\"$goal\",\"met\":$([ $met = met ] && echo true || echo false)"
    fi
    [ "$8" = 0 ] || met="status $8"
    printf '  %-30s %8s s %8s s %8s s %7s x %5s MB  %-12s %s\n' "$1" "$4" "$5" \
        "$6" "$(calculate "$6 / $loop" 1)" "$7" "$goal" "$met" >>"$text"
    printf '{"case":"%s","what":"%s","wall_min_s":%s,"wall_median_s":%s,"cpu_min_s":%s,"cpu_beside_loop":%s,"rss_mb":%s,"status":%d%s}\n' \
        "$case" "$1" "$4" "$5" "$6" "$(calculate "$6 / $loop" 2)" "$7" "$8" \
        "$json" >>"$work/rows"
}

capture() { # kind, count, words
    case=$1
    file=$bin/$1-$2.pcap
    if [ ! -f "$file" ] || [ $bin/make_capture -nt "$file" ]; then
        $bin/make_capture "$1" "$2" 1 "$file" >"$file.truth" || exit 2
    fi
    cat >"$work/programs" <<PROGRAMS
99|bare libpcap loop|$bin/viz_loop $file
99|viz --summary|$viz -r $file --summary
99|viz --json|$viz -r $file --json
PROGRAMS
    if [ "$1" != scan ]; then
        echo "2|viz --text|$viz -r $file --text" >>"$work/programs"
        command -v tcpdump >/dev/null &&
            echo "3|tcpdump -nr|tcpdump -nr $file" >>"$work/programs"
        [ -z "${SHORT:-}" ] && command -v tshark >/dev/null && cat >>"$work/programs" <<PROGRAMS
1|tshark -q -z conv,tcp|tshark -r $file -q -z conv,tcp
1|tshark -T fields, tcp.analysis|tshark -r $file -T fields -e frame.number -e tcp.stream -e tcp.analysis.flags -e tcp.analysis.retransmission
PROGRAMS
    fi
    rounds "$runs"
    loop=$(summed 'bare libpcap loop' | cut -d' ' -f3)
    holds "$loop" 'v > 0' || loop=0.001
    {
        echo "$3: $(cat "$file.truth"), $(($(wc -c <"$file") / 1000000)) MB"
        printf '  %-30s %10s %10s %10s %9s %8s  %s\n' program 'wall least' \
            median CPU 'CPU/loop' memory 'goal (wall, memory)'
    } >>"$text"
    compare 'bare libpcap loop'
    if [ "$1" = scan ]; then # its packets are not the goal's million
        compare 'viz --summary' '' 200
        compare 'viz --json'
    else
        compare 'viz --summary' 1.0 200
        compare 'viz --json' 5.0
    fi
    for name in 'viz --text' 'tcpdump -nr' 'tshark -q -z conv,tcp' \
        'tshark -T fields, tcp.analysis'; do
        [ -s "$work/$case.$name" ] && compare "$name"
    done
    echo >>"$text"
}

long_list() {
    case=keys
    echo 'a key in the list of many connections, to the picture that answers' >>"$text"
    watch keys keys "$samples" "$viz" -r "$bin/many-$connections.pcap" || return
    for key in scroll page sort; do
        figure "$key: median" "$(value keys ${key}_median_ms)" ms
        figure "$key: p99" "$(value keys ${key}_p99_ms)" ms 'v <= 50' \
            'at most 50'
    done
    echo >>"$text"
}

# --- live -------------------------------------------------------------------

watch() { # file, arguments of viz_live
    name=$1
    shift
    $bin/viz_live "$@" >"$work/$name"
    code=$?
    case $code in
    0) ;;
    77) echo '  not measured: no private network here' >>"$text" ;;
    *) broken="$broken $name" ;;
    esac
    return $code
}

live() {
    case=live
    echo 'live, screen on, default settings' >>"$text"
    watch flood rate "$flood" "$rate" "$viz" -i lo || return
    seconds=$(value flood seconds)
    figure 'datagrams sent' "$(value flood sent)" ''
    figure 'packets a second' "$(calculate "$(value flood sent) / $seconds")" '/s'
    figure 'seen by viz' "$(value flood seen)" ''
    figure 'not captured, as its title bar says' "$(value flood missed)" '' \
        'v == 0' '0'
    figure 'seen and missed, less what lo has had' \
        $(($(value flood seen) + $(value flood missed) - $(value flood kernel))) \
        '' 'v == 0' '0'
    figure 'CPU of viz under flood' "$(calculate \
        "100 * ($(value flood user) + $(value flood system)) / $seconds" 1)" \
        '% core'
    figure 'pictures a second under flood' "$(calculate \
        "$(value flood pictures) / $(value flood lived)" 1)" '/s' \
        'v <= 30' 'at most 30'
    figure 'memory after the flood' \
        $(($(value flood rss_kb) / 1024)) MB
    watch stream stream "$bulk" 0 "$viz" -i lo
    figure "$(thousands "$bulk") MB over TCP: packets" "$(value stream kernel)" ''
    figure 'MB a second' "$(calculate \
        "$(value stream sent) / 1000000 / $(value stream seconds)")" MB/s
    figure 'not captured of them' "$(calculate \
        "100 * $(value stream missed) / $(value stream kernel)" 3)" '%' \
        'v <= 0.1' 'at most 0.1'
    watch stall stall 100000 200000 "$viz" -i lo
    figure 'stopped while 100,000 come: seen' "$(value stall seen)" ''
    figure 'stopped: missed, as its title bar says' \
        "$(value stall missed)" '' 'v > 0' 'shown'
    figure 'stopped: the two, less what lo has had' \
        $(($(value stall seen) + $(value stall missed) - $(value stall kernel))) \
        '' 'v == 0' '0'
    watch quiet latency "$samples" 0 "$viz" -i lo
    watch busy latency "$samples" 900 "$viz" -i lo
    for which in quiet busy; do
        words='packet to screen, at rest'
        [ $which = busy ] && words='packet to screen, 900/s, worst moment'
        figure "$words: median" "$(value $which median_ms)" ms
        figure "$words: p99" "$(value $which p99_ms)" ms 'v <= 50' 'at most 50'
        figure "$words: most" "$(value $which max_ms)" ms
        figure "$words: never" "$(value $which never)" "of $samples" \
            'v == 0' '0'
    done
    watch idle idle "$rest" "$viz" -i lo
    figure 'CPU at rest, live' "$(value idle percent)" '% core' 'v < 1' 'below 1'
    # on `any` the kernel's tables are not read: the rest of viz's work
    watch sockets sockets "$sockets" "$rest" "$viz" -i lo
    watch without sockets "$sockets" "$rest" "$viz" -i any
    figure "CPU with $(thousands $((2 * sockets))) sockets, 50 packets/s" \
        "$(value sockets percent)" '% core'
    figure 'of it for the looks at the sockets' "$(calculate \
        "$(value sockets percent) - $(value without percent)" 3)" '% core' \
        'v <= 3' 'at most 3'
    watch lesson idle-lesson "$rest" "$viz" --lesson \
        lessons/01-blocking/README.md
    figure 'CPU at rest, lesson' "$(value lesson percent)" '% core' 'v < 1' \
        'below 1'
    echo >>"$text"
}

scan() {
    case='live scan'
    echo "live, a SYN to each of $(thousands $ports) ports, each answered" >>"$text"
    watch scan scan "$ports" "$scan_rate" "$viz" -i lo || return
    figure 'connections' "$ports" ''
    figure 'packets seen' "$(value scan seen)" ''
    figure 'not captured' "$(value scan missed)" '' 'v == 0' '0'
    figure 'packets forgotten, as its title bar says' \
        "$(value scan forgotten)" '' 'v > 0' 'shown'
    figure 'memory' $(($(value scan rss_kb) / 1024)) MB 'v <= 256' \
        'at most 256'
    echo >>"$text"
}

capture few "$packets" 'few connections'
capture many "$connections" 'many connections'
capture scan "$ports" 'a SYN scan'
long_list
live
scan

grep -c '"met":false' "$work/rows" >"$work/missed"
echo "goals: $(grep -c '"met":true' "$work/rows") met, $(cat "$work/missed") missed" >>"$text"
{
    printf '{"part":"viz","runs":%d,"rows":[' "$runs"
    sed '$!s/$/,/' "$work/rows"
    echo ']}'
} >$bin/viz.json
if [ -n "$broken" ]; then
    echo "viz: these could not be measured:$broken" >&2
    exit 1
fi
