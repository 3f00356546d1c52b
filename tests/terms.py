# What tests/terms.sh watches: `python3 tests/terms.py NAME` makes one thing
# happen on loopback, with ports 7001 (TCP) and 7003 (UDP), and ends. Waits for
# events only: for bytes, for the end of a stream, for the kernel's own word.
import os
import select
import socket
import struct
import sys

HOST = "127.0.0.1"


def listener(backlog=8, buffer=None):
    s = socket.socket()
    if buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((HOST, 7001))
    s.listen(backlog)
    return s


def pair(**options):
    s = listener(**options)
    c = socket.create_connection((HOST, 7001))
    return c, s.accept()[0]


def until_eof(s):
    while s.recv(65536):
        pass


def udp(port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((HOST, port))
    return s


def seen(wanted=int(os.environ.get("TERMS", "0"))):
    """Hold what is until viz has ticked so many lines, which it prints as they
    come true. Where one must stay untrue (TERMS=0) it is held for a few looks:
    too short a time could only make such a test pass."""
    for turn in range(2000 if wanted else 30):
        with open("out") as out:
            ticks = [line for line in out if line.startswith("true")]
        if wanted and len(ticks) >= wanted:
            return
        select.select([], [], [], 0.01)


def talk():
    """a connection, 5 bytes there and 7 back, closed by the client first"""
    c, s = pair()
    c.sendall(b"hello")
    s.recv(100)
    s.sendall(b"welcome")
    c.recv(100)
    c.shutdown(socket.SHUT_WR)
    until_eof(s)
    s.close()
    until_eof(c)


def server_closes():
    c, s = pair()
    s.shutdown(socket.SHUT_WR)
    until_eof(c)
    c.close()
    until_eof(s)


def reset():
    c, s = pair()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
    try:
        s.recv(1)
    except ConnectionResetError:
        pass


def refused():
    try:
        socket.create_connection((HOST, 7001))
    except ConnectionRefusedError:
        pass


def listening():
    keep = listener()
    seen()
    keep.close()


def three_open():
    s = listener()
    keep = [socket.create_connection((HOST, 7001)) for _ in range(3)]
    keep += [s.accept()[0] for _ in range(3)]
    seen()


def half_open():
    """the client has closed, the server has not: CLOSE_WAIT and FIN_WAIT2"""
    c, s = pair()
    c.shutdown(socket.SHUT_WR)
    until_eof(s)
    seen()
    s.close()
    until_eof(c)


def full_backlog():
    """a listener that accepts nobody, full: the third SYN is sent again"""
    s = listener(backlog=1)
    keep = [socket.create_connection((HOST, 7001)) for _ in range(2)]
    third = socket.socket()
    third.setblocking(False)
    third.connect_ex((HOST, 7001))
    select.select([], [third], [], 4)  # the SYN's second time is after 1 s
    keep[0].close()
    s.close()


def echo_lines():
    """six lines, each answered before the next"""
    c, s = pair()
    for n in range(6):
        line = b"line %d" % n
        c.sendall(line)
        s.sendall(s.recv(100))
        c.recv(100)
    c.shutdown(socket.SHUT_WR)
    until_eof(s)
    s.close()
    until_eof(c)


def never_read():
    """a reader that does not read, until its window is 0"""
    c, s = pair(buffer=4096)
    c.setblocking(False)
    while True:
        try:
            c.send(b"x" * 65536)
        except BlockingIOError:
            break
    seen()
    c.setblocking(True)
    c.shutdown(socket.SHUT_WR)
    until_eof(s)


def ask():
    """three questions of 5 bytes, two answers of 2, and one of 0"""
    s, c = udp(7003), udp()
    for n in range(3):
        c.sendto(b"ask %d" % n, (HOST, 7003))
        _, who = s.recvfrom(100)
        s.sendto(b"ok" if n < 2 else b"", who)
        c.recvfrom(100)
    seen()


def throw():
    """six datagrams, one way"""
    s, c = udp(7003), udp()
    for n in range(6):
        c.sendto(b"throw", (HOST, 7003))
    seen()


def letters():
    """six datagrams of a letter each"""
    c = udp()
    for letter in b"abcdef":
        c.sendto(bytes([letter]), (HOST, 7003))


def catch():
    """print what comes, until killed"""
    s = udp(7003)
    while True:
        print("got", s.recv(100).decode())


def closed_port():
    c = udp()
    c.connect((HOST, 7003))
    c.send(b"anybody?")
    try:
        c.recv(100)
    except ConnectionRefusedError:
        pass


def overflow():
    """a receiver that does not read, its buffer full"""
    c = udp()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.bind((HOST, 7003))
    seen(1)
    for _ in range(50):
        c.sendto(b"x" * 500, (HOST, 7003))
    seen()


def at_path(path, kind):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(path)
    if kind == socket.SOCK_STREAM:
        s.listen()
    seen()
    if not path.startswith("\0"):
        os.unlink(path)


def unix_stream():
    at_path("echo.sock", socket.SOCK_STREAM)


def unix_datagram():
    at_path("./log.sock", socket.SOCK_DGRAM)


def unix_abstract():
    at_path("\0two-terminals", socket.SOCK_STREAM)


def bulk():
    """20,000 bytes in one send()"""
    c, s = pair()
    c.sendall(bytes(20000))
    c.shutdown(socket.SHUT_WR)
    until_eof(s)


def lost_fin():
    """a FIN that is lost, with loss 1/3: the third packet to the server"""
    c, s = pair()
    c.shutdown(socket.SHUT_WR)
    until_eof(s)


def linger():
    """ends that stay for longer than a glance: CLOSE_WAIT, FIN_WAIT2, a reader
    that does not read, and again from the same port"""
    listening = listener()
    for turn in range(2):
        c = socket.socket()
        c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1 - turn, 0))
        c.bind((HOST, 40123))
        c.connect((HOST, 7001))
        s = listening.accept()[0]
        c.sendall(b"unread")
        seen()
        if turn == 1:
            c.shutdown(socket.SHUT_WR)
            seen()
            until_eof(s)
            s.close()
            seen()
        c.close()
        seen()


def retransmissions():
    """what the kernel of this network has sent again, on standard output"""
    echo_lines()
    with open("/proc/net/snmp") as snmp:
        rows = [line.split() for line in snmp if line.startswith("Tcp:")]
    print(dict(zip(*rows))["RetransSegs"])


globals()[sys.argv[1]]()
