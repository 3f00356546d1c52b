"""asyncio's Protocol, its fastest face: peer_asyncio.py echo|lines|udp|timers"""

import asyncio
import random
import sys
import time

TIMERS, ROUNDS = 10000, 20


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Lines(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.rest = b""

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.transport.write(line + b"\n")


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        self.transport.sendto(data, source)


def reset_timers(loop):
    timers = [loop.call_later(60, print) for _ in range(TIMERS)]
    order = list(range(TIMERS))
    random.Random(1).shuffle(order)
    begun = time.process_time_ns()
    for _ in range(ROUNDS):
        for i in order:
            timers[i].cancel()
            timers[i] = loop.call_later(60, print)
    spent = time.process_time_ns() - begun
    print("timers %.2f" % (spent / ROUNDS / TIMERS))


async def main(mode):
    loop = asyncio.get_running_loop()
    if mode == "timers":
        return reset_timers(loop)
    here = ("127.0.0.1", 0)
    if mode == "udp":
        transport, _ = await loop.create_datagram_endpoint(
            Datagrams, local_addr=here
        )
        name = transport.get_extra_info("sockname")
    else:
        server = await loop.create_server(
            Lines if mode == "lines" else Echo, *here, backlog=1024
        )
        name = server.sockets[0].getsockname()
    print("listening on %s:%d" % name, flush=True)
    await loop.create_future()


asyncio.run(main(sys.argv[1]))
