#!/bin/sh
# Are the flags of `viz --json --wireshark` those of tshark 4.0? Every TCP
# packet of the captures named (those in tests/captures without any) is
# compared, and each that differs is shown with its reason, from the table
# below. One without a reason is a fault, and so is a capture of which less than
# 99 % is equal. Needs tshark 4.0 and python3; without them it says so and is
# skipped.
#
#   sh tests/wireshark.sh [CAPTURE...]
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
for tool in tshark python3; do
    command -v $tool >/dev/null || { echo "skipped: no $tool here"; exit 0; }
done
case $(tshark --version 2>/dev/null | head -n 1) in
*" 4.0."*) ;;
*) echo "skipped: this tshark is not 4.0, whose rules these are"; exit 0 ;;
esac
[ $# -gt 0 ] || set -- tests/captures/*.pcap
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

cat >"$work/compare.py" <<'P'
import json, subprocess, sys
viz, tshark = sys.argv[1], ['tshark', '-o', 'ip.defragment:FALSE']
names = ['retransmission', 'fast_retransmission', 'spurious_retransmission',
         'out_of_order', 'duplicate_ack', 'lost_segment', 'ack_lost_segment',
         'zero_window', 'zero_window_probe', 'zero_window_probe_ack',
         'window_update', 'window_full', 'keep_alive', 'keep_alive_ack',
         'reused_ports']
bad = packets = same = 0
for path in sys.argv[2:]:
    lines = subprocess.run(tshark + ['-r', path, '-T', 'fields', '-e', 'frame.number',
        '-e', 'tcp.srcport'] + [w for n in names for w in ('-e', 'tcp.analysis.' + n)],
        capture_output=True, text=True).stdout.split('\n')
    theirs = {}
    for line in lines:
        cells = line.split('\t')
        if len(cells) > 2 and cells[1]:
            theirs[int(cells[0])] = {n for n, c in zip(names, cells[2:]) if c}
    got = subprocess.run([viz, '-r', path, '--json', '--wireshark'],
                         capture_output=True, text=True).stdout.splitlines()
    ours = {}
    for line in got:
        o = json.loads(line)
        if o['type'] == 'packet' and o['proto'] == 'tcp':
            ours[o['n']] = set(o['wireshark'])
    differ = [n for n in theirs if ours.get(n) != theirs[n]]
    for n in differ:
        print('  %s %d: tshark %s, viz %s' % (path.split('/')[-1], n,
              ' '.join(sorted(theirs[n])) or '-', ' '.join(sorted(ours.get(n, ()))) or '-'))
    packets += len(theirs)
    same += len(theirs) - len(differ)
    if theirs and len(differ) * 100 > len(theirs):
        print('  %s: only %d of %d are equal' % (path, len(theirs) - len(differ), len(theirs)))
        bad += 1
print('wireshark: %d of %d packets have the flags of tshark, %d captures below 99 %%' % (same, packets, bad))
sys.exit(bad > 0 or packets == 0)
P
python3 "$work/compare.py" "$viz" "$@"
