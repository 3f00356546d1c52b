#!/bin/sh
# viz --export: one connection of a capture as text, Markdown, SVG and pcap, by
# the file's ending; the same bytes each time; what cannot be, said.
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
work=$(mktemp -d) || exit 2
export LC_ALL=C.UTF-8 # arrows are looked for
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
check() { # what, command...
    what=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
    else
        echo "  $what:"
        sed 's/^/    /' "$work/said" | head -n 12
        failed=$((failed + 1))
    fi
}
same() { diff "$1" "$2"; }
refuses() { # word, arguments...
    word=$1
    shift
    "$viz" "$@" >"$work/out" 2>&1
    status=$?
    cat "$work/out"
    [ $status = 2 ] && grep -qe "$word" "$work/out"
}

for name in s08_backlog_full s07_udp_closed s27_midstream; do
    capture=tests/captures/$name.pcap
    $viz -r $capture --summary | grep '^connection ' >"$work/list"
    last=$(($(wc -l <"$work/list") - 1))
    for form in txt md svg pcap; do
        check "$name as $form" $viz -r $capture --export "$work/a.$form" --connection $last
        $viz -r $capture --export "$work/b.$form" --connection $last >/dev/null
        check "$name as $form, again" cmp "$work/a.$form" "$work/b.$form"
    done
    # the packets of the pcap are those of the connection, and so is its ladder
    $viz -r $capture --json | grep "\"type\":\"packet\".*\"conn\":$last," |
        sed 's/.*"proto"/"proto"/; s/"rseq".*//' >"$work/whole"
    $viz -r "$work/a.pcap" --json | grep '"type":"packet"' |
        sed 's/.*"proto"/"proto"/; s/"rseq".*//' >"$work/part"
    check "$name: packets" test -s "$work/whole"
    check "$name: the packets of connection $last" same "$work/whole" "$work/part"
    check "$name: an arrow a packet" test \
        "$(grep -c '[►◄]' "$work/a.txt")" = "$(wc -l <"$work/part")"
    sed -n '/^```text/,/^```$/p' "$work/a.md" | grep -v '^```' | grep '[│┬]' >"$work/ladder"
    grep '[│┬]' "$work/a.txt" >"$work/text"
    check "$name: Markdown has the ladder of the text" same "$work/text" "$work/ladder"
    if command -v python3 >/dev/null 2>&1; then
        check "$name: the SVG is read by another program" python3 -c \
            'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' "$work/a.svg"
    fi
done

s01=tests/captures/s01_client_close.pcap
check 'another ending' refuses 'ends in' -r $s01 --export "$work/a.doc"
check 'no such connection' refuses 'no connection 7' -r $s01 --export "$work/a.txt" --connection 7
check 'no such folder' refuses 'cannot be written' -r $s01 --export "$work/no/a.txt"
check 'no such folder, pcap' refuses 'Cannot write' -r $s01 --export "$work/no/a.pcap"
check 'a number that is none' refuses 'as --summary' -r $s01 --export "$work/a.txt" --connection x
check 'a number without a file' refuses 'goes with' -r $s01 --text --connection 1
check 'two copies' refuses 'one of them' -r $s01 --export "$work/a.pcap" -w "$work/b.pcap"
cp $s01 "$work/same.pcap"
check 'over itself' refuses 'being read' -r "$work/same.pcap" --export "$work/same.pcap"
check 'and it is whole' cmp $s01 "$work/same.pcap"
if [ -c /dev/full ]; then
    ln -s /dev/full "$work/full.svg"
    check 'a full disk' refuses 'cannot be written' -r $s01 --export "$work/full.svg"
fi
# The key x, in a folder of its own: a new name each time, the same bytes as
# --export, nothing written over, and the reason when it cannot be.
root=$PWD
case $viz in /*) ;; *) viz=$root/$viz ;; esac
mkdir "$work/keys" && cd "$work/keys" || exit 2
back='<Backspace><Backspace><Backspace>'
keys() { # keys, word of the last line
    LC_ALL=C.UTF-8 "$viz" -r "$s08" \
        --dump 110x20 --keys "$1" >dump 2>&1 && tail -n 1 dump && tail -n 1 dump | grep -qF -- "$2"
}
s08=$root/tests/captures/s08_backlog_full.pcap
check 'x proposes a name' keys 2x 'connection 0 into connection-0.txt'
check 'x and Enter' keys '2x<Enter>' 'Connection 0, 6 packets: connection-0.txt'
check 'x and Enter again' keys '2x<Enter>' 'connection-0-2.txt'
check 'x of the connection under the cursor' keys '1jx<Enter>' 'Connection 1, '
check 'x as Markdown' keys "2x${back}md<Enter>" 'connection-0-3.md'
check 'x as a picture' keys "2x${back}svg<Enter>" 'connection-0-3.svg'
check 'x as packets' keys "2x${back}pcap<Enter>" 'connection-0-3.pcap'
$viz -r "$s08" --export a.txt >/dev/null
$viz -r "$s08" --export a.md >/dev/null
$viz -r "$s08" --export a.svg >/dev/null
$viz -r "$s08" --export a.pcap >/dev/null
check 'the same text' cmp a.txt connection-0.txt
check 'the same Markdown' cmp a.md connection-0-3.md
check 'the same picture' cmp a.svg connection-0-3.svg
check 'the same packets' cmp a.pcap connection-0-3.pcap
check 'another ending' keys '2xx<Enter>' 'ends in .txt'
check 'a file that is there' keys "2x<Backspace><Backspace><Backspace><Backspace><Backspace><Backspace>.txt<Enter>" 'connection-0.txt is there already'
check 'it is whole' cmp a.txt connection-0.txt
ln -s nowhere connection-link.txt
check 'a link is not followed' keys '2x<Backspace><Backspace><Backspace><Backspace><Backspace><Backspace><Backspace>link.txt<Enter>' 'is there already'
check 'nothing came of it' test ! -e nowhere
check 'no such folder' keys '2x/a.txt<Enter>' 'cannot be written'
check 'Esc leaves it' keys '2x<Esc>' 'connection'
check 'standard input is not read twice' sh -c "cat $s08 | $viz -r - --dump 110x20 --keys '2x${back}pcap<Enter>' | grep -q 'kept by viz -w'"
# The lesson's player, too: what its recording has come to.
lesson=$root/lessons/01-blocking
in_lesson() { # keys, word anywhere
    LC_ALL=C.UTF-8 "$viz" --lesson "$lesson/README.md" --dump 140x45 --keys "$1" >dump 2>&1
    cat dump
    grep -qF -- "$2" dump
}
check 'lesson: nothing yet' in_lesson x 'no connection here to export'
check 'lesson: x proposes a name' in_lesson nnnnnnx 'connection 0 into connection-0-3.txt'
check 'lesson: x and Enter' in_lesson 'nnnnnnx<Enter>' 'Connection 0, '
check 'lesson: the calls, too' grep -q 'accept([0-9]*) = [0-9]' connection-0-3.txt
check 'lesson: packets' in_lesson "nnnnnnx${back}pcap<Enter>" 'packets: connection-0-4.pcap'
$viz -r "$lesson/replay.pcap" --export b.pcap >/dev/null
check 'lesson: those of its recording' cmp b.pcap connection-0-4.pcap
mkdir .lab
check 'a folder .lab' keys '2x<Enter>' '.lab/connection-0.txt'
check 'it is there' cmp a.txt .lab/connection-0.txt
if command -v tmux >/dev/null 2>&1 && $viz --private --summary -- true >/dev/null 2>&1; then
    # live, under seccomp, with no right left
    t() { tmux -S "$work/tmux.sock" "$@"; }
    sees() {
        deadline=$(($(date +%s) + 90))
        until t capture-pane -p -t x >dump 2>&1 && grep -qF -- "$1" dump; do
            [ "$(date +%s)" -lt $deadline ] || { cat dump; return 1; }
        done
    }
    cat >live.sh <<'LIVE'
cd "$1"
./server 7001 >"$2/ready" & server=$!
until grep -q listening "$2/ready"; do :; done
echo hello | ./client 127.0.0.1 7001
kill $server
wait
LIVE
    # shellcheck disable=SC2016
    SHELL=/bin/sh LC_ALL=C.UTF-8 t -u -f /dev/null new-session -d -s x -x 100 -y 30 \
        "$viz --private -w all.pcap -- sh live.sh $root/build/lessons/01-blocking $work/keys"
    check 'live: the command ends' sees 'The command has ended'
    t send-keys -t x 2 x
    check 'live: a name' sees 'connection 0 into .lab/connection-0-2.txt'
    t send-keys -t x Enter
    check 'live: written' sees 'packets: .lab/connection-0-2.txt'
    check 'live: it has the bytes' grep -q hello .lab/connection-0-2.txt
    t send-keys -t x x BSpace BSpace BSpace p c a p Enter
    check 'live: packets' sees 'packets: .lab/connection-0-3.pcap'
    t send-keys -t x q q
    check 'live: tshark or viz reads them' $viz -r .lab/connection-0-3.pcap --expect 'data tcp 7001 from client "hello"'
    t kill-server 2>/dev/null
fi
cd "$root" || exit 2
echo "export: $passed passed, $failed failed"
[ $failed = 0 ]
