#!/bin/sh
# viz --export: one connection of a capture as text, Markdown, SVG and pcap, by
# the file's ending; the same bytes each time; what cannot be, said.
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
work=$(mktemp -d) || exit 2
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
echo "export: $passed passed, $failed failed"
[ $failed = 0 ]
