# See stops.sh.
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile

# nohup and a script's & leave them ignored, and so would viz.
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)

viz, runs = sys.argv[1], int(sys.argv[2])
PACKETS = 11
PATIENCE = 30
bad = []


def talk():
    """SYN, SYN-ACK, ACK; 5 bytes and their ACK; 7 back and theirs; FIN, ACK,
    FIN, ACK. The last call returns when the last ACK was sent."""
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen()
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.sendall(b'hello')
    server.recv(100)
    while unacknowledged(client):
        pass
    server.sendall(b'welcome')
    client.recv(100)
    while unacknowledged(server):
        pass
    client.shutdown(socket.SHUT_WR)
    while server.recv(100):
        pass
    while tcp_state(client) == FIN_WAIT1:  # until the FIN's own ACK is there
        pass
    server.close()
    while client.recv(100):
        pass
    listener.close()
    client.close()


FIN_WAIT1 = 4


def tcp_state(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[0]


def unacknowledged(s):
    """tcpi_unacked: segments on their way."""
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int.from_bytes(info[24:28], sys.byteorder)


def kept(path):
    """Packets of a capture file, by another reader than viz's."""
    with open(path, 'rb') as file:
        whole = file.read()
    at = count = 0
    at = 24
    while at < len(whole):
        at += 16 + int.from_bytes(whole[at + 8:at + 12], sys.byteorder)
        count += 1
    return count if at == len(whole) else f'{count} and a piece'


def judge(what, path, status, said):
    count = kept(path)
    if status != 0 or count != PACKETS or (said is not None and
                                           said != PACKETS):
        bad.append(f'{what}: status {status}, {said} packets told, {count} kept')


def headless(what, path, options, stop):
    process = subprocess.Popen([viz, '-i', 'lo', '--json', '-w', path] +
                               options, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    process.stdout.readline()  # printed once the capture is open
    talk()
    ended_early = process.poll() is not None and not options
    if stop:
        process.send_signal(stop)
    rest = process.stdout.read()
    status = process.wait(PATIENCE)
    judge(what, path, 'early' if ended_early else status,
          rest.count(b'"type":"packet"'))


def screen(what, path):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM='xterm', LC_ALL='C.UTF-8')
        os.execv(viz, [viz, '-i', 'lo', '-w', path])
    shown = b''
    while b'quit' not in shown and b'help' not in shown:
        shown += os.read(fd, 65536)
    talk()
    os.write(fd, b'q')
    try:
        while os.read(fd, 65536):
            pass
    except OSError:  # the other end is closed
        pass
    os.close(fd)
    judge(what, path, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), None)


ways = {
    'SIGINT': lambda path: headless('SIGINT', path, [], signal.SIGINT),
    'SIGTERM': lambda path: headless('SIGTERM', path, [], signal.SIGTERM),
    'SIGHUP': lambda path: headless('SIGHUP', path, [], signal.SIGHUP),
    'q': lambda path: screen('q', path),
    '--count': lambda path: headless('--count', path,
                                     ['--count', str(PACKETS)], None),
}
names = list(ways)
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o777)
    for run in range(runs):
        ways[names[run % len(names)]](os.path.join(folder, f'{run}.pcap'))
    # The end by the clock: what was sent before it must be there.
    headless('--duration', os.path.join(folder, 'duration.pcap'),
             ['--duration', '2s'], None)
for line in bad[:20]:
    print('  ' + line)
print(f'stops: {runs + 1 - len(bad)} of {runs + 1} lost nothing')
sys.exit(bad != [])
