# What tests/alarms.sh asks of `viz --json`: whether wire and kernel differed
# for more than 200 ms without a reason, on standard input. A FIN that waits
# behind unsent bytes, and a last ACK dropped by a full accept queue, are such
# reasons: viz tells them.
import json
import sys

SETTLE = 0.2
REASONS = {("ESTABLISHED", "FIN_WAIT1"), ("CLOSE_WAIT", "LAST_ACK"),
           ("ESTABLISHED", "SYN_RECV")}
wire, kernel, newest = {}, {}, {}  # (local, remote) -> (state, since)
compared = 0
alarms = []


def at(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def settle(now):
    """What both have said until now must have agreed, or be new."""
    global compared
    for ends, (state, since) in kernel.items():
        if ends not in wire:
            continue
        compared += 1
        inferred, moved = wire[ends]
        if inferred == state or (inferred, state) in REASONS:
            continue
        if now - max(since, moved) > SETTLE:
            alarms.append(f"{ends[0]} to {ends[1]}: wire {inferred} since "
                          f"{moved}, kernel {state} since {since}, now {now}")


def enter(states, ends, state, now):
    if states.get(ends, ("", 0))[0] != state:
        states[ends] = (state, now)


clients = {}
looked = None  # the look whose lines are being read
for line in sys.stdin:
    it = json.loads(line)
    if it["type"] not in ("packet", "socket", "lost") or it.get("proto") != "tcp":
        continue
    if looked is not None and (it["type"] != "socket" or it["t"] != looked):
        settle(looked)
    looked = it["t"] if it["type"] == "socket" else None
    if it["type"] == "socket":
        if "remote" not in it:
            continue
        ends = it["local"], it["remote"]
        if it.get("gone"):
            kernel.pop(ends, None)
        else:
            enter(kernel, ends, it["state"], it["t"])
        continue
    if it.get("conn") is None:
        continue
    if it["conn"] not in clients:  # its first packet is the client's
        clients[it["conn"]] = (at(it["src"], it["sport"]),
                               at(it["dst"], it["dport"]))
    client, server = clients[it["conn"]]
    enter(wire, (client, server), it["client"], it["t"])
    enter(wire, (server, client), it["server"], it["t"])

for alarm in alarms[:5]:
    print(alarm)
print(f"{compared} compared, {len(alarms)} alarms")
sys.exit(bool(alarms))
