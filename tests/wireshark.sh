#!/bin/sh
# Are the flags of `viz --json --wireshark` those of tshark 4.0? Every TCP
# packet of the captures named is compared, and each that differs is shown.
# Without captures: those in tests/captures, and segments drawn by lot. Needs
# tshark 4.0 and python3; without them it says so and is skipped.
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
# Segments drawn by lot, of many connections, four at a time: numbers about
# where they are awaited, also across the wrap, SYNs and RSTs in the middle,
# windows that close, clocks that run backwards.
import random, struct, sys
F, S, R, P, A = 1, 2, 4, 8, 16
lot = random.Random(int(sys.argv[2]))
PAUSES = [-10**9, -1000, 0, 1000, 10**5, 10**6, 2999000, 3 * 10**6, 10**7, 19999000,
          2 * 10**7, 3 * 10**8]

def number(base):
    return (base + lot.choice([0] * 6 + [1, -1, 5, -5, 10, 1000])) & 0xffffffff

def segment(n, talk):
    side = lot.randrange(2)
    flags = lot.choice([A] * 9 + [P | A] * 8 + [F | A, S, S | A, R, R | A, P, 0])
    seq = number(talk[side])
    ack = number(talk[1 - side]) if flags & A else 0
    size = lot.choice([0, 0, 0, 0, 0, 0, 1, 1, 5, 5, 10, 20])
    window = lot.choice([500] * 6 + [0, 0, 501, 5, 10, 65535])
    options = bytes([3, 3, lot.randrange(4), 0]) if flags & S and lot.random() < 0.5 else b''
    if lot.random() < 0.7:
        talk[side] = (seq + size + (flags & (F | S) != 0)) & 0xffffffff
    ports = (talk[2], 7001) if side == 0 else (7001, talk[2])
    return struct.pack('>BBHHHBBHIIHHIIBBHHH', 0x45, 0, 40 + len(options) + size, n & 0xffff,
        0x4000, 64, 6, 0, 0x7f000001, 0x7f000001, *ports, seq, ack,
        5 + len(options) // 4 << 4, flags, window, 0, 0) + options + b'x' * size

with open(sys.argv[1], 'wb') as file: # nanoseconds, DLT_RAW
    file.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 65535, 101))
    talks, now = [], 1700000000 * 10**9
    for n in range(8000):
        if not talks or lot.random() < 0.02:
            talks.append([lot.choice([0, 1000, 0xfffffff8, lot.getrandbits(32)]),
                          lot.choice([0, 5000, 0xfffffff8, lot.getrandbits(32)]),
                          40000 + len(talks)])
        packet = segment(n, lot.choice(talks[-4:]))
        now += lot.choice(PAUSES)
        file.write(struct.pack('<IIII', *divmod(now, 10**9), len(packet), len(packet)) + packet)
P
cat >"$work/compare.py" <<'P'
import json, subprocess, sys
viz, tshark = sys.argv[1], ['tshark', '-o', 'ip.defragment:FALSE']
names = ['retransmission', 'fast_retransmission', 'spurious_retransmission',
         'out_of_order', 'duplicate_ack', 'lost_segment', 'ack_lost_segment',
         'zero_window', 'zero_window_probe', 'zero_window_probe_ack',
         'window_update', 'window_full', 'keep_alive', 'keep_alive_ack',
         'reused_ports']

def tshark_says(path):
    lines = subprocess.run(tshark + ['-r', path, '-T', 'fields', '-e', 'frame.number',
        '-e', 'tcp.stream'] +
        [w for n in names for w in ('-e', 'tcp.analysis.' + n)],
        capture_output=True, text=True).stdout.split('\n')
    packets = {}
    for line in lines:
        cells = line.split('\t')
        if len(cells) > 2 and cells[1]:
            packets[int(cells[0])] = {n for n, c in zip(names, cells[2:]) if c}
    return packets

def viz_says(path):
    lines = subprocess.run([viz, '-r', path, '--json', '--wireshark'],
                           capture_output=True, text=True).stdout.splitlines()
    objects = map(json.loads, lines)
    return {o['n']: set(o['wireshark']) for o in objects
            if o['type'] == 'packet' and o['proto'] == 'tcp'}

packets = same = 0
for path in sys.argv[2:]:
    theirs, ours = tshark_says(path), viz_says(path)
    packets += len(theirs)
    for n, flags in theirs.items():
        mine = ours.get(n, {'nothing'})
        if mine == flags:
            same += 1
            continue
        print('  %s %d: tshark %s, viz %s' % (path.split('/')[-1], n,
            ' '.join(sorted(flags)) or '-', ' '.join(sorted(mine)) or '-'))
print('wireshark: %d of %d packets have the flags of tshark' % (same, packets))
sys.exit(same < packets or packets == 0)
P
status=0
if [ $# -gt 0 ]; then
    python3 "$work/compare.py" "$viz" "$@"
    exit
fi
python3 "$work/make.py" "$work/by-lot.pcap" 1
python3 "$work/compare.py" "$viz" "$work/by-lot.pcap" || status=1
python3 "$work/compare.py" "$viz" tests/captures/*.pcap || status=1
exit $status
