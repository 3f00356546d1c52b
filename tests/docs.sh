#!/bin/sh
# The pictures in docs/screens are what viz draws today, each is shown
# somewhere, and each is an SVG that another program can read.
set -u
cd "$(dirname "$0")/.." || exit 2
fresh=$(mktemp -d) || exit 2
trap 'rm -rf "$fresh"' EXIT
failed=0
wrong() {
    echo "  $*"
    failed=$((failed + 1))
}

sh tools/docs.sh "$fresh" >"$fresh.log" 2>&1 || {
    cat "$fresh.log"
    wrong 'the pictures cannot be made'
}
rm -f "$fresh.log"
diff -rq "$fresh" docs/screens ||
    wrong 'docs/screens is not what viz draws now: type make docs, and look at the pictures'
for picture in docs/screens/*.svg; do
    grep -qF "(${picture#docs/})" docs/*.md || grep -qF "($picture)" README.md ||
        wrong "$picture is shown nowhere"
    if command -v python3 >/dev/null 2>&1; then
        python3 - "$picture" <<'CHECK' || wrong "$picture is no SVG"
import sys
import xml.etree.ElementTree as tree
svg = '{http://www.w3.org/2000/svg}'
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == svg + 'svg'
words = ' '.join(text.text or '' for text in [*root.iter(svg + 'text'), *root.iter(svg + 'title')])
assert 'Two Terminals' in words, words
CHECK
    fi
done

# The picture on standard output is the one in a file; a full disk is told.
viz=${VIZ:-build/bin/viz}
capture=tests/captures/s01_client_close.pcap
"$viz" -r $capture --svg "$fresh/file.svg" && "$viz" -r $capture --svg - |
    cmp -s - "$fresh/file.svg" || wrong '--svg - and --svg FILE differ'
if [ -c /dev/full ]; then
    "$viz" -r $capture --svg /dev/full 2>"$fresh/said"
    [ $? = 2 ] && grep -q 'cannot be written' "$fresh/said" ||
        wrong 'a full disk is not told by --svg'
fi
"$viz" -r $capture --svg "$fresh/no/such" 2>"$fresh/said"
[ $? = 2 ] || wrong 'a folder that is not there is not told by --svg'
echo "docs: $(ls docs/screens | wc -l) pictures, $failed wrong"
[ $failed = 0 ]
