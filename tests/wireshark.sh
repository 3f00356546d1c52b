#!/bin/sh
# Are the flags of `viz --json --wireshark` those of tshark 4.0? Every TCP
# packet of the captures named is compared, and each that differs is shown with
# its reason, from the table REASONS below; one without a reason is a fault.
# Without captures: those in tests/captures, where nothing may differ, and one
# that is made here, for the table. Needs tshark 4.0 and python3; without them it
# says so and is skipped.
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
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

cat >"$work/make.py" <<'P'
# Single bytes seen from the middle, before the other end has spoken; and a SYN
# of another number in an open connection, which nobody answers.
import struct, sys
S, P, A = 2, 24, 16
segments = [(7001, 40000, P, 1000, 500, 1), (7001, 40000, P, 1001, 500, 1),
    (40001, 7001, S, 2000, 0, 0), (7001, 40001, S | A, 3000, 2001, 0),
    (40001, 7001, A, 2001, 3001, 0), (40001, 7001, P, 2001, 3001, 5),
    (40001, 7001, S, 9000, 0, 0), (40001, 7001, P, 2006, 3001, 5),
    (7001, 40001, A, 3001, 2011, 0)]
with open(sys.argv[1], 'wb') as file: # DLT_RAW
    file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for n, (source, target, flags, seq, ack, size) in enumerate(segments):
        tcp = struct.pack('>HHIIBBHHH', source, target, seq, ack, 0x50, flags, 500, 0, 0)
        packet = struct.pack('>BBHHHBBHII', 0x45, 0, 40 + size, n, 0x4000, 64, 6,
                             0, 0x7f000001, 0x7f000001) + tcp + b'x' * size
        file.write(struct.pack('<IIII', 1700000000, 1000 * n, len(packet),
                               len(packet)) + packet)
P
cat >"$work/compare.py" <<'P'
import json, subprocess, sys
viz, tshark = sys.argv[1], ['tshark', '-o', 'ip.defragment:FALSE']
names = ['retransmission', 'fast_retransmission', 'spurious_retransmission',
         'out_of_order', 'duplicate_ack', 'lost_segment', 'ack_lost_segment',
         'zero_window', 'zero_window_probe', 'zero_window_probe_ack',
         'window_update', 'window_full', 'keep_alive', 'keep_alive_ack',
         'reused_ports']

# Why a packet may differ: by tshark's flags, viz's, and whether both compare it
# with the same packets, those of its connection before it.
REASONS = [
    (lambda theirs, ours, alike: 'reused_ports' in theirs ^ ours,
     'a SYN in the middle: to tshark each of another number begins a '
     'connection, to viz when the old one is over or the SYN is answered '
     '(RFC 9293 3.10.7.4)'),
    (lambda theirs, ours, alike: not alike,
     'after such a SYN: what tshark compares with is another connection'),
]


def reason(*difference):
    for fits, why in REASONS:
        if fits(*difference):
            return why
    return None


class Groups:
    """Which packets are one connection: its first one, and how many."""

    def __init__(self):
        self.groups = {}

    def take(self, name, n):
        first, count = self.groups.get(name, (n, 0))
        self.groups[name] = (first, count + 1)
        return self.groups[name]

def tshark_says(path):
    lines = subprocess.run(tshark + ['-r', path, '-T', 'fields', '-e', 'frame.number',
        '-e', 'tcp.stream'] +
        [w for n in names for w in ('-e', 'tcp.analysis.' + n)],
        capture_output=True, text=True).stdout.split('\n')
    packets = {}
    for line in lines:
        cells = line.split('\t')
        if len(cells) > 2 and cells[1]:
            packets[int(cells[0])] = (cells[1], {n for n, c in zip(names, cells[2:]) if c})
    return packets

def viz_says(path):
    lines = subprocess.run([viz, '-r', path, '--json', '--wireshark'],
                           capture_output=True, text=True).stdout.splitlines()
    objects = map(json.loads, lines)
    return {o['n']: (o['conn'], set(o['wireshark'])) for o in objects
            if o['type'] == 'packet' and o['proto'] == 'tcp'}

faults = packets = same = 0
reasons = {}
for path in sys.argv[2:]:
    theirs, ours = tshark_says(path), viz_says(path)
    streams, connections = Groups(), Groups()
    packets += len(theirs)
    for n, (stream, flags) in theirs.items():
        connection, mine = ours.get(n, (None, {'nothing'}))
        alike = streams.take(stream, n) == connections.take(connection, n)
        if mine == flags:
            same += 1
            continue
        why = reason(flags, mine, alike)
        where = '%s %d: tshark %s, viz %s' % (path.split('/')[-1], n,
            ' '.join(sorted(flags)) or '-', ' '.join(sorted(mine)) or '-')
        if why:
            reasons.setdefault(why, []).append(where)
        else:
            print('  ' + where + ': NO REASON KNOWN')
            faults += 1
for why, where in reasons.items():
    print('  %d times %s' % (len(where), why))
    for line in where[:5]:
        print('    ' + line)
print('wireshark: %d of %d packets have the flags of tshark, %d differ for a reason, %d without' %
      (same, packets, packets - same - faults, faults))
sys.exit(faults > 0 or packets == 0)
P
status=0
if [ $# -gt 0 ]; then
    python3 "$work/compare.py" "$viz" "$@"
    exit
fi
python3 "$work/make.py" "$work/made.pcap"
python3 "$work/compare.py" "$viz" "$work/made.pcap" || status=1
python3 "$work/compare.py" "$viz" tests/captures/*.pcap >"$work/real" || status=1
cat "$work/real"
grep -q ' 0 differ for a reason, 0 without' "$work/real" || status=1
exit $status
