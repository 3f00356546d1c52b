# See fields.sh.
import json
import subprocess
import sys

viz = sys.argv[1]
LETTERS = 'FSRPAUEC'
COLUMNS = ['frame.number', 'tcp.seq_raw', 'tcp.ack_raw', 'tcp.seq', 'tcp.ack',
           'tcp.window_size', 'tcp.flags', 'tcp.len', 'tcp.options.mss_val',
           'tcp.options.wscale.shift', 'tcp.options.sack_perm',
           'tcp.options.sack_le', 'tcp.options.sack_re',
           'tcp.options.timestamp.tsval', 'tcp.options.timestamp.tsecr']


def number(cell):
    return int(cell, 0) if cell else None


def theirs(path):
    """packet number -> field -> value, as tshark says; it says nothing of one
    fragment of a segment"""
    lines = subprocess.run(
        ['tshark', '-o', 'ip.defragment:FALSE', '-r', path, '-Y', 'tcp',
         '-T', 'fields'] + [w for c in COLUMNS for w in ('-e', c)],
        capture_output=True, text=True).stdout.splitlines()
    packets = {}
    for line in lines:
        cell = dict(zip(COLUMNS, line.split('\t')))
        if ',' in cell['tcp.seq_raw'] or not cell['tcp.seq_raw']:
            continue  # two headers: one is quoted by an ICMP error
        flags = number(cell['tcp.flags'])
        left, right = cell['tcp.options.sack_le'], cell['tcp.options.sack_re']
        base = number(cell['tcp.ack_raw']) - number(cell['tcp.ack'])
        packets[int(cell['frame.number'])] = {} if not cell['tcp.len'] else {
            'seq': number(cell['tcp.seq_raw']),
            'ack': number(cell['tcp.ack_raw']),
            'rseq': number(cell['tcp.seq']),
            'rack': number(cell['tcp.ack']),
            'win': number(cell['tcp.window_size']),
            'flags': ''.join(letter for bit, letter in enumerate(LETTERS)
                             if flags & 1 << bit),
            'len': number(cell['tcp.len']),
            'mss': number(cell['tcp.options.mss_val']),
            'wscale': number(cell['tcp.options.wscale.shift']),
            'sack_ok': True if cell['tcp.options.sack_perm'] else None,
            # tshark's are relative to the same first number as its tcp.ack
            'sack': [[(int(a) + base) % 2**32, (int(b) + base) % 2**32]
                     for a, b in zip(left.split(','), right.split(','))]
                    if left else None,
            'ts': [number(cell['tcp.options.timestamp.tsval']),
                   number(cell['tcp.options.timestamp.tsecr'])]
                  if cell['tcp.options.timestamp.tsval'] else None,
        }
    return packets


def ours(path):
    lines = subprocess.run([viz, '-r', path, '--json'], capture_output=True,
                           text=True).stdout.splitlines()
    packets = {}
    for line in lines:
        o = json.loads(line)
        if o['type'] != 'packet' or o['proto'] != 'tcp' or 'seq' not in o:
            continue
        options = o.pop('options', {})
        o.update((key, options.get(key)) for key in
                 ('mss', 'wscale', 'sack_ok', 'sack', 'ts'))
        packets[o['n']] = o
    return packets


packets = fields = equal = 0
faults = []
for path in sys.argv[2:]:
    name = path.split('/')[-1]
    mine, other = ours(path), theirs(path)
    if mine.keys() != other.keys():
        faults.append(f'{name}: viz has TCP in {len(mine)} packets, '
                      f'tshark in {len(other)}')
    for n in sorted(mine.keys() & other.keys()):
        packets += 1
        for field, value in other[n].items():
            fields += 1
            if mine[n][field] == value:
                equal += 1
            else:
                faults.append(f'{name} {n} {field}: tshark {value}, '
                              f'viz {mine[n][field]}')
for fault in faults[:40]:
    print('  ' + fault)
print(f'fields: {equal} of {fields} equal to tshark in {packets} packets, '
      f'{len(faults)} differ')
sys.exit(bool(faults) or packets == 0)
