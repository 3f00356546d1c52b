# See mishaps.sh.
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile

# A script's & leaves it ignored, and so would viz.
signal.signal(signal.SIGINT, signal.SIG_DFL)

viz = sys.argv[1]
CAPTURE = 'tests/captures/s01_client_close.pcap'
PATIENCE = 30
passed = failed = 0


def check(what, good, why=''):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f'  {what}: {why}')


def run(*arguments):
    return subprocess.run([viz, *arguments], capture_output=True, text=True,
                          timeout=PATIENCE, stdin=subprocess.DEVNULL)


def ip(*words):
    subprocess.run(['ip', *words], check=True)


class Live:
    """viz --json on an interface, from its first line on."""

    def __init__(self, interface, *options):
        self.process = subprocess.Popen(
            [viz, '-i', interface, '--json', *options], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.process.stdout.readline()

    def until(self, word):
        for line in self.process.stdout:
            if word in line:
                return line
        return None

    def end(self, stop=signal.SIGINT):
        if stop:
            self.process.send_signal(stop)
        out, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out.splitlines(), errors


def clock_set_back(folder):
    """From its sixth packet on the capture's clock is five seconds behind."""
    with open(CAPTURE, 'rb') as file:
        whole = bytearray(file.read())
    at, number = 24, 0
    while at < len(whole):
        seconds, _, length, _ = struct.unpack('<IIII', whole[at:at + 16])
        number += 1
        if number >= 6:
            struct.pack_into('<I', whole, at, seconds - 5)
        at += 16 + length
    path = os.path.join(folder, 'back.pcap')
    with open(path, 'wb') as file:
        file.write(whole)
    modes = [['--text'], ['--json'], ['--summary']]
    for keys in ('1', '2<End>', '3', '4', '2p.....,,<Esc>', '2P', '2:3<Enter> '):
        modes.append(['--dump', '80x24', '--keys', keys])
    for mode in modes:
        done = run('-r', path, *mode)
        check('a clock set back', done.returncode == 0,
              f'{mode}: status {done.returncode} {done.stderr}')
    lines = [json.loads(line) for line in run('-r', path, '--json')
             .stdout.splitlines()]
    numbers = [o['n'] for o in lines if o['type'] == 'packet']
    check('a clock set back', numbers == list(range(1, 12)),
          f'packets {numbers}')
    check('a clock set back', lines[-1]['closed_by'] == 'client', lines[-1])
    shown = run('-r', path, '--text').stdout
    check('a clock set back', '-5.' in shown or '-4.' in shown, shown)


def datagram(number):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b'%d' % number, ('10.9.0.2', 7003))
    s.close()


def interface_comes_and_goes():
    ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
    ip('link', 'set', 'vb', 'up')
    done = run('-i', 'va', '--json')
    check('an interface that is down', done.returncode in (0, 2) and
          'set va up' in done.stderr, done.stderr)
    ip('address', 'add', '10.9.0.1/24', 'dev', 'va')
    ip('link', 'set', 'va', 'up')
    ip('neighbour', 'replace', '10.9.0.2', 'lladdr', '02:00:00:00:00:02',
       'dev', 'va')
    live = Live('va', '-f', 'udp port 7003')
    datagram(1)
    check('an interface', live.until('"dport":7003'), 'nothing seen')
    ip('link', 'set', 'va', 'down')
    ip('link', 'set', 'va', 'up')
    ip('neighbour', 'replace', '10.9.0.2', 'lladdr', '02:00:00:00:00:02',
       'dev', 'va')
    datagram(22)
    check('an interface that was down', live.until('"len":2'),
          'nothing seen after')
    ip('link', 'delete', 'va')
    status, lines, errors = live.end(stop=None)
    check('an interface that is gone', status == 2 and 'va' in errors,
          f'status {status}: {errors}')
    check('an interface that is gone',
          any('"packets":1' in line or '"packets":2' in line
              for line in lines if '"type":"conn"' in line),
          'what was seen is not summed up')


def interface_is_removed_at_once():
    """It is taken down first: who looks just then must not wait for ever."""
    for _ in range(30):
        ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
        ip('link', 'set', 'va', 'up')
        live = Live('va')
        ip('link', 'delete', 'va')
        status, _, errors = live.end(stop=None)
        check('an interface that is removed', status == 2 and 'va' in errors,
              f'status {status}: {errors}')


def interface_goes_under_the_screen():
    ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
    ip('link', 'set', 'va', 'up')
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM='xterm', LC_ALL='C.UTF-8')
        os.execv(viz, [viz, '-i', 'va'])
    said = b''

    def until(word):
        nonlocal said
        while word not in said:
            if not select.select([fd], [], [], PATIENCE)[0]:
                return False
            said += os.read(fd, 65536)
        return True
    check('the screen', until(b'quit'), 'it does not open')
    ip('link', 'delete', 'va')
    check('the screen', until(b'disappeared'), 'it does not say so')
    os.write(fd, b'q')
    try:
        while os.read(fd, 65536):
            pass
    except OSError:
        pass
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    check('the screen', status == 2, f'status {status}')


def one_end_is_elsewhere():
    """The kernel is asked about the end that is here, and only that."""
    other = subprocess.Popen(
        ['unshare', '-n', sys.executable, '-c', """
import socket, sys
print(flush=True)
sys.stdin.readline()
listener = socket.create_server(('10.9.9.2', 7001))
print(flush=True)
sys.stdin.read()
"""], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()  # it is in its network
    ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb', 'netns',
       str(other.pid))
    enter = ['nsenter', '-t', str(other.pid), '-n', 'ip']
    subprocess.run([*enter, 'addr', 'add', '10.9.9.2/24', 'dev', 'vb'],
                   check=True)
    subprocess.run([*enter, 'link', 'set', 'vb', 'up'], check=True)
    ip('addr', 'add', '10.9.9.1/24', 'dev', 'va')
    ip('link', 'set', 'va', 'up')
    print(file=other.stdin, flush=True)
    other.stdout.readline()  # it listens
    here = socket.create_server(('', 7001))  # no listener of the other one
    watch = subprocess.Popen(
        [viz, '-i', 'va', '-f', 'tcp', '--dump', '80x24', '--count', '3'],
        text=True, stdout=subprocess.PIPE)
    ends = []
    while watch.poll() is None and len(ends) < 100:
        ends.append(socket.create_connection(('10.9.9.2', 7001)))
        select.select([watch.stdout], [], [], 0.1)
    screen = watch.communicate(timeout=PATIENCE)[0]
    here.close()
    ip('link', 'delete', 'va')
    other.stdin.close()
    other.wait(PATIENCE)
    check('an end elsewhere', 'client 10.9.9.1' in screen and
          'wire ESTABLISHED   kernel ESTABLISHED' in screen and
          'wire ESTABLISHED   kernel -' in screen, screen)


def port_used_again():
    """Three connections of the same two ends: three in the list."""
    live = Live('lo')
    listener = socket.socket()
    listener.bind(('127.0.0.1', 7001))
    listener.listen()
    for _ in range(3):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack('ii', 1, 0))
        client.bind(('127.0.0.1', 7900))
        client.connect(('127.0.0.1', 7001))
        client.sendall(b'again')
        server, _ = listener.accept()
        server.recv(100)
        client.close()  # a RST: the port is free at once
        server.close()
    listener.close()
    status, lines, _ = live.end()
    connections = [json.loads(line) for line in lines
                   if '"type":"conn"' in line]
    check('a port used again', status == 0 and len(connections) == 3 and
          all(c['bytes'] == [5, 0] and c['closed_by'] == 'reset' and
              c['client'] == '127.0.0.1:7900' for c in connections),
          connections)
    check('a port used again',
          sum('"port-reuse"' in line for line in lines) == 2,
          'it is not said twice')


def scan():
    live = Live('lo')
    for port in range(8000, 10000):
        s = socket.socket()
        s.connect_ex(('127.0.0.1', port))
        s.close()
    status, lines, errors = live.end()
    refused = sum('"refused"' in line for line in lines
                  if '"type":"packet"' in line)
    check('a scan', status == 0 and refused >= 2000,
          f'status {status}, {refused} refused: {errors}')
    check('a scan', sum('"type":"conn"' in line for line in lines) == 2000,
          'not 2000 connections')


with tempfile.TemporaryDirectory() as folder:
    clock_set_back(folder)
interface_comes_and_goes()
interface_is_removed_at_once()
interface_goes_under_the_screen()
one_end_is_elsewhere()
port_used_again()
scan()
print(f'mishaps: {passed} passed, {failed} failed')
sys.exit(failed != 0)
