#!/usr/bin/env python3
"""Whole grades, seen from outside: isolation that is not to be had, a grader
that is killed, the same seed twice, reports in a terminal. Usage: grading.py
GRADE; the last line is `N passed, M failed`."""
import ctypes
import glob
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GRADE = os.path.abspath(sys.argv[1])
DENY = [sys.executable, os.path.join(HERE, "deny.py")]
NOBODY = 65534


def program(name):
    return ["--submission", os.path.join(HERE, "01-blocking", name)]


def run(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=240, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def as_nobody():
    """Words for deny.py: an ordinary user, whoever we are."""
    return ["--user", str(NOBODY)] if os.geteuid() == 0 else []


def readable(name):
    """Copies that an ordinary user may read, wherever the project lies."""
    folder = tempfile.mkdtemp(dir=".")
    for at, names in (("bin", ["grade"]), ("lib", ["calls.so"])):
        os.mkdir(os.path.join(folder, at))
        for file in names:
            source = os.path.join(os.path.dirname(GRADE), "..", at, file)
            run(["cp", source, os.path.join(folder, at)])
    run(["cp", "-r", program(name)[1], os.path.join(folder, "it")])
    run(["chmod", "-R", "a+rwX", folder])
    return (os.path.abspath(os.path.join(folder, "bin", "grade")),
            os.path.abspath(os.path.join(folder, "it")))


def same(what, got, want):
    if got != want:
        raise AssertionError(f"{what} is {got!r}, not {want!r}")


REDUCED = ("isolation:  reduced - this host does not allow user namespaces; "
           "programs can\n            send UDP to the network and share the "
           "process table; do not grade\n            untrusted submissions in "
           "parallel here\n")
NONE = "isolation:  none - only run code you trust\n"


def level(name, filters, text):
    grade, folder = readable("right-plain")
    status, out, err = run(DENY + filters + [
        grade, "1", "--submission", folder, "--check", "half-close",
        "--json", "r.json"], cwd=os.path.dirname(folder))
    same("status", status, 0)
    if not out.startswith(text):
        raise AssertionError(out)
    report = json.load(open(os.path.join(os.path.dirname(folder), "r.json")))
    same("isolation", report["isolation"], name)
    if not re.match(r"two-terminals (20\d\d\.\d\d\.\d\d-[0-9a-f]{7,}|[\w.+-]+)$",
                    report["kit"]) or report["kit"].endswith("unversioned") \
            and os.path.isdir(os.path.join(HERE, "../../.git")):
        raise AssertionError(report["kit"])


def test_reduced_isolation_says_so_as_started():
    level("reduced", [], REDUCED)


def test_no_isolation_says_so():
    level("none", ["--landlock"] + as_nobody(), NONE)


def test_full_isolation_that_is_required_is_refused_before_compiling():
    for user in ([], as_nobody()):
        grade, _ = readable("right-plain")
        folder = os.path.dirname(os.path.dirname(grade))
        with open(os.path.join(folder, "it", "wcd.c"), "w") as file:
            file.write("#error compiled\n")
        status, out, err = run(
            DENY + user + [
                grade, "1", "--submission", os.path.join(folder, "it"),
                    "--require-isolation=full", "--json", "r.json"],
            cwd=folder)
        same("status", status, 2)
        same("stdout", out, "")
        if "error" in err or "nothing was compiled or run" not in err:
            raise AssertionError(err)
        same("a report", os.path.exists(os.path.join(folder, "r.json")), False)


def test_reduced_isolation_ends_a_fork_bomb_and_a_spinner():
    for name in ("bad-fork-bomb", "bad-spins"):
        status, out, _ = run(DENY + [GRADE, "1", "--check", "half-close"] +
                             program(name))
        same(name, status, 1)
        same("left behind", children(), [])


def children():
    """Those who were given to us and live on."""
    found = []
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            pid, _ = os.waitpid(-1, 0)  # a hang here is a failure too
            found.append(pid) if pid == 0 else None


def folders():
    return set(glob.glob("/tmp/two-terminals-*"))


def test_a_killed_grader_leaves_no_folder_for_long():
    before = folders()
    grader = subprocess.Popen(DENY + [GRADE, "1"] + program("bad-hangs"),
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    while not folders() - before and grader.poll() is None:
        os.sched_yield()
    if grader.poll() is not None:
        raise AssertionError("it ended before it had a folder")
    grader.kill()
    grader.wait()
    while children():
        pass
    status, _, _ = run([GRADE, "1", "--check", "half-close"] +
                       program("bad-exits-at-once"))
    same("status", status, 1)
    same("left in /tmp", folders() & (folders() - before), set())


def talk(capture):
    """Connection by connection: the port, what the tester sent and what came
    back, each as far as the capture has it without a gap."""
    data = open(capture, "rb").read()
    at, order, known = 24, [], {}
    while at + 16 <= len(data):
        length, = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        header = 14 + 4 * (frame[14] & 15)
        end = 14 + struct.unpack_from(">H", frame, 16)[0]
        source, to, seq = struct.unpack_from(">HHI", frame, header)
        syn = frame[header + 13] & 2
        if syn and not frame[header + 13] & 16:
            order.append((to, {}, {}))
            known[source, to] = seq + 1, order[-1][1]
        elif syn and (to, source) in known:
            known[source, to] = seq + 1, order[-1][2]
        elif (source, to) in known:
            start, pieces = known[source, to]
            payload = frame[header + 4 * (frame[header + 12] >> 4):end]
            offset = (seq - start) & 0xffffffff
            if len(payload) > len(pieces.get(offset, b"")):
                pieces[offset] = payload
    return [(port, whole(out), whole(back)) for port, out, back in order]


def whole(pieces):
    """The stream up to its first gap: a long segment is cut by the capture."""
    data = b""
    for offset in sorted(pieces):
        if offset > len(data):
            break
        data = data[:offset] + pieces[offset]
    return data


def begins_alike(one, two):
    """As far as both captures go. How far that is."""
    length = min(len(one), len(two))
    return length if one[:length] == two[:length] else -1


def test_the_same_seed_sends_the_same_bytes():
    seen = []
    for seed in ("7741", "7741", "7742"):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            status, _, _ = run([GRADE, "1", "--seed", seed] +
                               program("right-plain"), cwd=folder)
            same("status", status, 0)
            runs = sorted(glob.glob(folder + "/.lab/runs/*.pcap"))
            seen.append({os.path.basename(r): talk(r) for r in runs})
    same("captures", [sorted(s) for s in seen], [sorted(seen[0])] * 3)
    same("their number", len(seen[0]), 11)
    compared = 0
    for name, first in seen[0].items():
        again, other = seen[1][name], seen[2][name]
        same(f"{name}: ports", [c[0] for c in again], [c[0] for c in first])
        for one, two in zip(first, again):
            for mine, yours in zip(one[1:], two[1:]):
                length = begins_alike(mine, yours)
                if length < 0:
                    raise AssertionError(f"{name}: other bytes on port {one[0]}")
                compared += length
        if other == first:
            raise AssertionError(f"{name} does not follow the seed")
    if compared < 10000:  # 43,000 to 46,000 here: long segments are cut
        raise AssertionError(f"only {compared} bytes were compared")


def in_a_terminal(command, environment):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    out = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.waitpid(pid, 0)
    os.close(terminal)
    return out.decode().replace("\r\n", "\n")


def test_colour_is_for_terminals_and_never_alone():
    command = [GRADE, "1", "--seed", "7", "--check", "half-close"] + \
        program("recv-zero-not-eof")
    plain = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    colour = in_a_terminal(command, dict(plain, TERM="xterm"))
    none = in_a_terminal(command, dict(plain, TERM="xterm", NO_COLOR="1"))
    _, piped, _ = run(command, env=plain)
    if "\033[" not in colour:
        raise AssertionError("no colour in a terminal")
    bare = re.sub(r"\033\[[0-9;]*m", "", colour)
    for text in (none, piped, bare):
        if "\033" in text:
            raise AssertionError("an escape byte")
    # What the program prints stands where it came: that may vary by a step.
    times = re.compile(r" +\d+\.\d+ s|\d+\.\d+ s|after [\d.]+|"
                       r"(?m:^ +std(out|err): .*\n)")
    same("words without colour", times.sub("", bare), times.sub("", piped))
    same("words with NO_COLOR", times.sub("", none), times.sub("", piped))


def main():
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # adopt what is left behind
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.chdir(folder)
        for name, test in list(globals().items()):
            if not name.startswith("test_"):
                continue
            try:
                test()
                passed += 1
                print("ok    ", name[5:].replace("_", " "), flush=True)
            except (AssertionError, subprocess.TimeoutExpired, OSError,
                    ValueError) as why:
                failed += 1
                print(f"FAILED {name[5:].replace('_', ' ')}: {why}",
                      flush=True)
        os.chdir("/")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
