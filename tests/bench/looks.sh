#!/bin/sh
# What it costs viz to look at the kernel's sockets: 1000 of them in a private
# network, one connection in use, so that viz looks 20 times a second. Prints
# the share of a core that viz takes meanwhile; the goal is 3 %.
#
#   SECONDS_MEASURED=10 sh tests/bench/looks.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
exec "${VIZ:-build/bin/viz}" --private --summary -f 'port 1' -- \
    python3 -c '
import os, resource, socket, sys, time

def parent(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("PPid:"))

def ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))

seconds = float(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
listener = socket.create_server(("127.0.0.1", 7001), backlog=500)
pairs = []
for _ in range(500):
    client = socket.create_connection(("127.0.0.1", 7001))
    pairs.append((client, listener.accept()[0]))
viz = parent(parent(os.getpid()))  # the keeper is between
idle = socket.socketpair()[0]
before, began = ticks(viz), time.monotonic()
while time.monotonic() < began + seconds:
    pairs[0][0].send(b"x")
    pairs[0][1].recv(10)
    idle.settimeout(0.02)
    try:
        idle.recv(1)
    except TimeoutError:
        pass
share = (ticks(viz) - before) / os.sysconf("SC_CLK_TCK") / seconds
print(f"looking at 1000 sockets: {100 * share:.1f} % of a core, goal 3 %")
' "${SECONDS_MEASURED:-10}"
