# See terminals.sh.
import errno
import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time

viz, resizes = os.path.abspath(sys.argv[1]), int(sys.argv[2])
random.seed(int(sys.argv[3]))
CAPTURE = 'tests/captures/s08_backlog_full.pcap'
PATIENCE = 20
passed = failed = 0
COLOUR = re.compile(rb'\x1b\[(?:[0-9;]*;)?[34][0-8](?:;[0-9;]*)?m')


def check(what, good, why=''):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f'  {what}: {why}')


class Screen:
    """viz on a terminal of `columns` by `rows`."""

    def __init__(self, columns, rows, **environment):
        self.errors = tempfile.TemporaryFile()
        self.bytes = b''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            for name in ('LINES', 'COLUMNS', 'NO_COLOR', 'LC_CTYPE', 'LANG'):
                os.environ.pop(name, None)
            os.environ.update(environment)
            os.environ.setdefault('LC_ALL', 'C.UTF-8')
            os.environ['ASAN_OPTIONS'] = 'detect_leaks=0:log_path=' + REPORT
            os.environ['UBSAN_OPTIONS'] = 'log_path=' + REPORT
            signal.signal(signal.SIGWINCH, signal.SIG_IGN)
            while os.get_terminal_size(0) == (0, 0):
                select.select([], [], [], 0.001)  # until the parent has set it
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)
            os.execv(viz, [viz, '-r', CAPTURE])
        self.resize(columns, rows)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack('HHHH', rows, columns, 0, 0))

    def take(self, seconds):
        """What it writes within that time; False when it has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            more = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self.bytes += more
        return more != b''

    def settle(self):
        """All that it writes until it rests; False when it has ended."""
        while True:
            before = len(self.bytes)
            if not self.take(0.1):
                return False
            if len(self.bytes) == before:
                return True

    def until(self, word):
        """Until it has written this, since the last call."""
        end = time.monotonic() + PATIENCE
        while word not in self.bytes and time.monotonic() < end:
            if not self.take(0.1):
                break
        found = word in self.bytes
        self.bytes = b''
        return found

    def type(self, keys):
        os.write(self.fd, keys)

    def end(self):
        """Its status, None when it does not end."""
        pidfd, end = os.pidfd_open(self.pid), time.monotonic() + PATIENCE
        while time.monotonic() < end and self.fd is not None:
            if not self.take(0.1):
                break
            self.bytes = b''
        left = max(0, end - time.monotonic())
        if not select.select([pidfd], [], [], left)[0]:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return None
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def hang_up(self):
        os.close(self.fd)
        self.fd = None


def is_described(term):
    """Whether this machine knows that terminal, terminfo(5)."""
    return any(os.path.exists(os.path.join(place, folder, term))
               for place in ('/etc/terminfo', '/lib/terminfo',
                             '/usr/lib/terminfo', '/usr/share/terminfo')
               for folder in (term[0], f'{ord(term[0]):x}'))


def each_terminal():
    unknown = Screen(80, 24, TERM='dumb-but-unknown').end()
    check('an unknown terminal', unknown == 2, f'status {unknown}, not 2')
    for term in ('xterm', 'xterm-256color', 'linux', 'screen', 'vt100',
                 'tmux-256color'):
        if not is_described(term):
            print(f'  {term} is not described on this machine: not tried')
            continue
        screen = Screen(80, 24, TERM=term)
        check(term, screen.until(b'127.0.0.1'), 'no address on the screen')
        for view in (b'2', b'3', b'4', b'5', b'?'):
            screen.type(view)
            check(term, screen.settle(), f'it ended after {view}')
        screen.type(b'\x1b')  # a lone escape: help is left
        screen.settle()
        screen.type(b'1q')
        status = screen.end()
        check(term, status == 0, f'status {status} after q')


def written(**environment):
    screen = Screen(100, 30, **environment)
    first = screen.until(b'127.0.0.1')
    check(str(environment), first, 'no address on the screen')
    for keys in (b'2', b'\r', b'jjj', b'3', b'4'):
        screen.type(keys)
        screen.settle()
    said = screen.bytes
    screen.type(b'1q')
    screen.end()
    return said


def colours():
    coloured = written(TERM='xterm-256color')
    check('colour', COLOUR.search(coloured), 'there is none')
    plain = written(TERM='xterm-256color', NO_COLOR='1')
    check('NO_COLOR', not COLOUR.search(plain), 'there is colour')
    ascii_only = written(TERM='xterm', LC_ALL='C')
    check('LC_ALL=C', not re.search(rb'[\x80-\xff]', ascii_only),
          'bytes beyond ASCII')


def random_sizes():
    keys = [b'j', b'k', b'1', b'2', b'3', b'4', b'5', b'?', b'\r', b'\x1b[A',
            b'\x1b[6~', b'e', b's', b'f', b' ', b'p', b'.', b',', b'P', b'a',
            b'z', b'm', b"'", b'o', b'G', b'g', b'/tcp\r', b'/\x1b', b'/\r',
            b'\x1b[<64;5;5M', b'\x1b[<0;10;5M', b'\x0c', b'h', b'l']
    screen = Screen(1, 1, TERM='xterm-256color')
    alive = True
    for turn in range(resizes):
        if turn % 7 == 0:
            size = (1, 1)
        elif turn % 3 == 0:
            size = (random.randrange(55, 150), random.randrange(12, 50))
        else:
            size = (random.randrange(1, 400), random.randrange(1, 120))
        screen.resize(*size)
        screen.type(random.choice(keys))
        # some are drawn, others overtaken by the next
        alive = screen.take(random.choice((0, 0, 0.05)))
        screen.bytes = b''
        if not alive:
            break
    check('random sizes', alive, f'it ended at turn {turn}')
    screen.resize(100, 30)
    for keys in (b'\x1b', b'/', b'\x15', b'\r', b'1'):
        screen.type(keys)  # out of what is open, no filter, the connections
        screen.settle()
    screen.bytes = b''
    screen.resize(110, 31)
    drawn = screen.until(b's08_backlog')
    check('random sizes', drawn, 'nothing is drawn after')
    screen.type(b'q')
    status = screen.end()
    check('random sizes', status == 0, f'status {status}')


def hang_up():
    for keys in (b'', b'2\r', b'?', b'/por'):
        screen = Screen(80, 24, TERM='xterm')
        check('hang-up', screen.until(b'127.0.0.1'), 'nothing is drawn')
        screen.type(keys)
        screen.hang_up()
        status = screen.end()
        check('hang-up', status in (0, 2), f'status {status}')


with tempfile.TemporaryDirectory() as folder:
    REPORT = os.path.join(folder, 'sanitizer')
    each_terminal()
    colours()
    random_sizes()
    hang_up()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name)) as report:
            check('sanitizers', False, report.read()[:3000])
print(f'terminals: {passed} passed, {failed} failed')
sys.exit(failed != 0 or passed == 0)
