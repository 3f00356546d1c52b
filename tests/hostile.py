# See hostile.sh. Every prefix of two captures, random changes of all of them,
# and pcapng files whose blocks make no sense.
import concurrent.futures
import glob
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

viz, mutations, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
MODES = ['--summary', '--json', '--text', '--stream']
LIMIT = 10
# Leaks are looked for by the unit tests; a leak check costs as much as the run.
environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0',
                   UBSAN_OPTIONS='print_stacktrace=1', LC_ALL='C.UTF-8')
UNPRINTABLE = re.compile(rb'[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]')


def fault(path, mode):
    """What is wrong with how viz takes this file, or None."""
    try:
        done = subprocess.run([viz, '-r', path, mode], timeout=LIMIT,
                              capture_output=True, env=environment,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f'still runs after {LIMIT} s'
    said = done.stderr
    if done.returncode not in (0, 2):
        return f'status {done.returncode}: {said[-1500:].decode("latin1")}'
    if b'Sanitizer' in said or b'runtime error' in said:
        return said[:1500].decode('latin1')
    messages = sum(line.startswith(b'viz: ') for line in said.splitlines())
    if done.returncode == 2 and b'there is no connection' in said:
        messages -= 1  # beside what is wrong with the file, if anything is
        messages += messages == 0
    if messages != (1 if done.returncode == 2 else 0):
        return (f'status {done.returncode}, {messages} messages: '
                f'{said.decode("latin1")}')
    if UNPRINTABLE.search(said) or UNPRINTABLE.search(done.stdout):
        return 'a control byte came out'
    return None


# --- pcapng ------------------------------------------------------------------

def block(kind, body, order='<', length=None, last=None):
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return (struct.pack(order + 'II', kind, size if length is None else length)
            + body
            + struct.pack(order + 'I', size if last is None else last))


def section(order='<', magic=0x1A2B3C4D, version=(1, 0)):
    return block(0x0A0D0D0A, struct.pack(order + 'IHHq', magic, *version, -1),
                 order)


def interface(link=1, snaplen=65535, options=b'', order='<'):
    return block(1, struct.pack(order + 'HHI', link, 0, snaplen) + options,
                 order)


def packet(data, captured=None, sent=None, number=0, time=(0, 0), order='<',
           options=b''):
    captured = len(data) if captured is None else captured
    sent = len(data) if sent is None else sent
    return block(6, struct.pack(order + 'IIIII', number, *time, captured, sent)
                 + data + bytes(-len(data) % 4) + options, order)


def frames(path):
    with open(path, 'rb') as file:
        whole = file.read()
    order = '<' if whole[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') \
        else '>'
    link, at, found = struct.unpack(order + 'I', whole[20:24])[0], 24, []
    while at < len(whole):
        captured = struct.unpack(order + 'I', whole[at + 8:at + 12])[0]
        found.append(whole[at + 16:at + 16 + captured])
        at += 16 + captured
    return link, found


def absurd(link, data):
    good, head = packet(data), section() + interface(link)
    everything = 0xFFFFFFFF
    yield 'nothing', b''
    yield 'a section and no more', section()
    yield 'packets without an interface', section() + good
    for size in (0, 1, 11, 12, 13, 0x7FFFFFFF, 0xFFFFFFFC, everything):
        yield f'a block of {size} bytes', head + block(6, data, length=size)
        yield f'an unknown block of {size} bytes', \
            head + block(0xBAD, b'x', length=size) + good
    yield 'two lengths that differ', head + block(6, data, last=99) + good
    for captured in (0, len(data) + 1, len(data) + 4, 0x7FFFFFFF, everything):
        yield f'{captured} bytes captured', head + packet(data, captured) + good
    yield 'fewer sent than captured', head + packet(data, sent=1) + good
    yield 'four gigabytes sent', head + packet(data, sent=everything) + good
    yield 'an interface that is not there', head + packet(data, number=9999)
    yield 'the end of time', head + packet(data, time=(everything, everything))
    for unit in (0, 1, 63, 64, 127, 128, 191, 255):
        option = struct.pack('<HHB3x', 9, 1, unit) + struct.pack('<HH', 0, 0)
        yield f'time in units of {unit}', \
            section() + interface(link, options=option) + \
            packet(data, time=(1, everything))
    yield 'an offset of time', section() + interface(
        link, options=struct.pack('<HHq', 14, 8, -2**63) + bytes(4)) + good
    yield 'an option longer than its block', section() + interface(
        link, options=struct.pack('<HH', 9, 65535)) + good
    yield 'a packet option longer than its block', \
        head + packet(data, options=struct.pack('<HH', 1, 65535)) + good
    for other in (147, 195, 65535):
        yield f'link type {other}', section() + interface(other) + good
    yield 'two links', head + interface(101) + packet(data, number=1)
    yield 'a snaplen of 0', section() + interface(link, 0) + good
    yield 'a snaplen of 2^32-1', section() + interface(link, everything) + good
    yield 'ten thousand interfaces', \
        section() + interface(link) * 10000 + packet(data, number=9999)
    yield 'a thousand sections', (section() + interface(link) + good) * 1000
    yield 'another byte order', head + good + section('>') + \
        interface(link, order='>') + packet(data, order='>')
    yield 'no byte order', section(magic=0x12345678) + interface(link) + good
    yield 'version 9', section(version=(9, 9)) + interface(link) + good
    yield 'a simple packet', head + block(3, struct.pack('<I', everything) +
                                          data)
    yield 'a simple packet alone', section() + block(3, data)
    yield 'an old packet block', head + block(2, bytes(20))
    yield 'names and statistics', head + block(4, b'\xff' * 40) + \
        block(5, b'\xff' * 7) + block(0xA, b'\xff' * 64) + good


# --- all of it ---------------------------------------------------------------

def cases():
    small = 'tests/captures/s06_refused.pcap'
    link, found = frames(small)
    with open('tests/captures/s01_client_close.pcap', 'rb') as file:
        pcap = file.read()
    pcapng = section() + interface(link) + b''.join(map(packet, found))
    for name, whole in (('pcap', pcap), ('pcapng', pcapng)):
        for length in range(len(whole)):
            yield f'{name} cut to {length} bytes', whole[:length]
    yield from absurd(link, found[0])
    chance = random.Random(seed)
    originals = [pcapng]
    for path in sorted(glob.glob('tests/captures/*.pcap')):
        with open(path, 'rb') as file:
            originals.append(file.read(3000))
    for number in range(mutations):
        changed = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 2, 5, 20, 100))):
            at = chance.randrange(len(changed))
            changed[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF,
                                         chance.randrange(256)))
        if chance.randrange(4) == 0:  # and a piece doubled or taken out
            at, size = chance.randrange(len(changed)), chance.randrange(64)
            changed[at:at + size] = changed[at:at + size] * chance.choice((0, 2))
        yield f'mutation {number} of seed {seed}', bytes(changed)


def run(case, folder, number):
    name, data = case
    path = os.path.join(folder, str(number))
    with open(path, 'wb') as file:
        file.write(data)
    mode = MODES[0] if number % 4 else MODES[number // 4 % len(MODES)]
    wrong = fault(path, mode)
    if wrong:
        kept = os.path.join('build', f'hostile-{number}')
        os.replace(path, kept)
        return f'{name}, {mode} ({kept}): {wrong}'
    os.unlink(path)
    return None


with tempfile.TemporaryDirectory() as folder, \
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    jobs = [pool.submit(run, case, folder, number)
            for number, case in enumerate(cases())]
    wrong = [job.result() for job in jobs if job.result()]
for line in wrong[:10]:
    print('  ' + line)
print(f'hostile: {len(jobs) - len(wrong)} files passed, {len(wrong)} failed')
sys.exit(bool(wrong))
