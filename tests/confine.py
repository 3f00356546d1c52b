# See confine.sh. Starts viz as a person would (in a pty, in a pipe, from a
# fifo), waits until it shows something, and reads what the kernel says of it.
import gzip
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

# A script's & leaves it ignored, and so would viz.
signal.signal(signal.SIGINT, signal.SIG_DFL)

viz = os.path.abspath(sys.argv[1])
capture = 'tests/captures/s01_client_close.pcap'
lesson = 'lessons/01-blocking/README.md'
passed = failed = 0
NO_RIGHTS = {'CapEff': '0' * 16, 'CapPrm': '0' * 16, 'CapInh': '0' * 16,
             'CapAmb': '0' * 16, 'NoNewPrivs': '1', 'Seccomp': '2'}
PATIENCE = 30


def check(what, good, why=''):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f'  {what}: {why}')


def status(pid):
    with open(f'/proc/{pid}/status') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file
                    if ':\t' in line)


def without_rights(what, pid):
    has = status(pid)
    for field, value in NO_RIGHTS.items():
        check(what, has.get(field) == value,
              f'{field} is {has.get(field)}, not {value}')
    if os.geteuid() == 0:  # who may empty the bounding set has done so
        check(what, has.get('CapBnd') == '0' * 16,
              f'CapBnd is {has.get("CapBnd")}')


def read_until(fd, word, seconds=PATIENCE):
    """Bytes of fd until they hold word; None when they never did."""
    got, end = b'', time.monotonic() + seconds
    while word not in got:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        try:
            more = os.read(fd, 65536)
        except OSError:  # the pty's other end is closed
            return None
        if not more:
            return None
        got += more
    return got


def drain_and_wait(fd, pid, seconds=PATIENCE):
    """Its status once it has ended, None when it has not."""
    pidfd, end = os.pidfd_open(pid), time.monotonic() + seconds
    while time.monotonic() < end:
        ready = select.select([fd, pidfd] if fd is not None else [pidfd],
                              [], [], 1)[0]
        if pidfd in ready:
            os.close(pidfd)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if fd in ready:
            try:
                if not os.read(fd, 65536):
                    fd = None
            except OSError:
                fd = None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pidfd)
    return None


def in_terminal(what, arguments, word, keys):
    """viz on a screen: shows `word`, has no rights, leaves by `keys`."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM='xterm', LC_ALL='C.UTF-8', LINES='30',
                          COLUMNS='100')
        os.execv(viz, [viz] + arguments)
    shown = read_until(fd, word)
    check(what, shown is not None, f'never showed {word!r}')
    if shown is not None:
        without_rights(what, pid)
        os.write(fd, keys)
    ended = drain_and_wait(fd, pid)
    check(what, ended == 0, f'ended with {ended}')
    os.close(fd)


def in_pipe(what, arguments, word, end):
    """viz into a pipe: prints `word`, has no rights, then end(process)."""
    process = subprocess.Popen([viz] + arguments, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    shown = read_until(process.stdout.fileno(), word)
    check(what, shown is not None, f'never printed {word!r}')
    if shown is not None:
        without_rights(what, process.pid)
    end(process)
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    check(what, process.returncode == 0, f'ended with {process.returncode}')


def summary(path, stdin=None):
    return subprocess.run([viz, '-r', path, '--summary'], stdin=stdin,
                          capture_output=True, timeout=PATIENCE)


def half_a_file():
    """A capture on standard input whose rest is still to come."""
    with open(capture, 'rb') as file:
        whole = file.read()
    process = subprocess.Popen([viz, '-r', '-', '--text'],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # more than stdio's buffer, so that viz comes to its first packets
    process.stdin.write(whole[:24] + whole[24:] * 10)
    process.stdin.flush()
    end = time.monotonic() + PATIENCE
    while status(process.pid).get('Seccomp') != '2' and time.monotonic() < end:
        os.sched_yield()
    without_rights('a file on standard input', process.pid)
    process.stdin.close()
    lines = process.stdout.read().count(b'\n')
    check('a file on standard input', lines > 110, f'{lines} lines')
    check('a file on standard input', process.wait() == 0, 'status')


in_terminal('the screen', ['-r', capture], b'127.0.0.1', b'q')
half_a_file()
with tempfile.TemporaryDirectory() as folder:
    packed = os.path.join(folder, 's01.pcap.gz')
    with open(capture, 'rb') as file, gzip.open(packed, 'wb') as out:
        out.write(file.read())
    check('a .gz file', summary(packed).stdout == summary(capture).stdout,
          'another summary')

private = subprocess.run([viz, '--private', '--json', '--', 'true'],
                         capture_output=True)
if private.returncode == 0:
    in_pipe('a private network',
            ['--private', '--json', '--', 'cat'], b'"type":"viz"',
            lambda process: None)
    if os.path.isdir(os.path.join(os.path.dirname(viz),
                                  '../lessons/01-blocking')):
        in_terminal('a lesson', ['--lesson', lesson], b'terminal', b'q')
        in_pipe('a lesson as text', ['--lesson', lesson, '--text'],
                b'make shell', lambda process: None)
else:
    print('  no private network on this machine: not tried')
if os.geteuid() == 0:
    in_pipe('the loopback interface', ['-i', 'lo', '--json'],
            b'"type":"viz"', lambda process: process.send_signal(signal.SIGINT))

print(f'confine: {passed} passed, {failed} failed')
sys.exit(failed != 0 or passed == 0)
