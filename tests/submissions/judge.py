#!/usr/bin/env python3
"""Grade one submission, and compare with its `expect` file; docs in
tests/submissions/README.md. Usage: judge.py GRADE LAB-FOLDER/NAME [RUNS]
Prints one line, `ok NAME ...` or `FAILED NAME: why`; status 0 or 1.

It adopts whatever the grader leaves behind (PR_SET_CHILD_SUBREAPER), so that
a process that outlives its grade is seen, and is a failure."""
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
LIMIT = float(os.environ.get("LIMIT", "240"))  # a hang, not a verdict


def read_expect(folder):
    want = {"may-fail": [], "fails": None, "name": None, "status": None,
            "says": [], "remark": [], "score": None, "folder": folder}
    for line in open(os.path.join(folder, "expect"), encoding="ascii"):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        key, _, value = line.partition(" ")
        if key not in want or not value:
            raise SystemExit(f"{folder}/expect: what is '{line}'?")
        if key in ("fails", "may-fail"):
            want[key] = [] if value == "-" else value.split()
        elif key in ("says", "remark"):
            want[key].append(value)
        elif key == "score":
            want[key] = tuple(int(n) for n in value.split("-"))
        elif key == "status":
            want[key] = int(value)
        else:
            want[key] = value
    return want


def left_behind():
    """Children that we were given when the grader ended and that still live,
    after a quarter of a second for those who are being killed (poll, no
    verdict hangs on the time: a process that stays, stays)."""
    until = time.monotonic() + 0.25
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return []
        if pid == 0:
            if time.monotonic() > until:
                break
            signal.sigtimedwait([signal.SIGCHLD], 0.01)
    names = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = open(f"/proc/{entry}/stat").read()
        except OSError:
            continue
        if int(stat.rsplit(")", 1)[1].split()[1]) == os.getpid():
            names.append(stat.split(" (")[1].split(")")[0])
            os.kill(int(entry), signal.SIGKILL)
    return names


def run(command):
    """Status, stdout, stderr; what it leaves behind is a failure."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return None, b"", b"still running after %d s" % LIMIT
    return child.returncode, out, err


def rude_bytes(data):
    """Control bytes other than newline and tab, or bytes that are no UTF-8."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes that are no UTF-8"
    found = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    return f"a control byte {found.group()!r}" if found else None


def wrong(want, grade, lab, seed):
    """One grade with --json, and what is wrong with it: None, or a sentence."""
    number = str(int(lab[:2]))
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "report.json")
        command = [grade, number, "--submission", want["folder"],
                   "--json", file] + (["--seed", seed] if seed else [])
        status, words, err = run(command)
        out = open(file, "rb").read() if os.path.exists(file) else b""
    left = left_behind()
    if left:
        return f"left running: {' '.join(left)}"
    if status is None:
        return err.decode()
    rude = rude_bytes(out) or rude_bytes(words) or rude_bytes(err)
    if rude:
        return f"{rude} in the report"
    wide = [line for line in words.decode().split("\n") if len(line) > 80]
    if wide:
        return f"{len(wide[0])} columns: {wide[0]}"
    said = (words + out + err).decode()
    for pattern in want["says"]:
        if not re.search(pattern, said):
            return f"does not say /{pattern}/: {said[:300]!r}"
    if want["status"] is not None and status != want["status"]:
        return f"status {status}, not {want['status']}: {said[:300]!r}"
    if want["name"] is None and status == 2:
        return None
    try:
        report = json.loads(out)
    except ValueError:
        return f"no JSON (status {status}): {said[:300]!r}"
    return wrong_report(want, report, status)


def wrong_report(want, report, status):
    checks = report["checks"]
    seed = f" [seed {report['seed']}]"
    ungraded = [c["id"] for c in checks if c["verdict"] in ("skip", "error")]
    if ungraded:
        reasons = " ".join(str(c["message"]) for c in checks
                           if c["id"] in ungraded)
        return f"not graded: {' '.join(ungraded)}: {reasons[:300]}{seed}"
    failed = [c["id"] for c in checks if c["verdict"] == "fail"]
    if sum(c["points"] for c in checks) != report["score"]:
        return "the score is not the sum of the points"
    if status != (0 if report["score"] == report["max"] else 1):
        return f"status {status} for {report['score']} of {report['max']}"
    if want["name"] is None:  # a bad one: no points for anything
        return None if report["score"] == 0 else f"{report['score']} points"
    for check in want["fails"]:
        if check not in failed:
            return f"{check} passed{seed}"
    for check in failed:
        if check not in want["fails"] + want["may-fail"]:
            message = next(c for c in checks if c["id"] == check)["message"]
            return f"{check} failed{seed}:\n{message}"
    low, high = want["score"]
    if not low <= report["score"] <= high:
        return f"{report['score']} points{seed}"
    names = {c["misconception"] for c in checks if c.get("misconception")}
    expected = set() if want["name"] == "-" else {want["name"]}
    if names != expected:
        return (f"named {' '.join(sorted(names)) or 'nothing'}, "
                f"not {want['name']}{seed}")
    remarks = " ".join(r for c in checks for r in c.get("remarks", []))
    for remark in want["remark"]:
        if f"[{remark}]" not in remarks:
            return f"no remark {remark}{seed}"
    if not want["remark"] and "[" in remarks:
        return f"a remark of its own: {remarks[:200]}{seed}"
    return None


def main():
    grade, folder = sys.argv[1], sys.argv[2].rstrip("/")
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    name = os.path.basename(folder)
    lab = os.path.basename(os.path.dirname(folder))
    want = read_expect(folder)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    begun = time.monotonic()
    bad = []
    for _ in range(runs):
        why = wrong(want, grade, lab, os.environ.get("SEED"))
        if why:
            bad.append(why)
    took = (time.monotonic() - begun) / runs
    if bad:
        print(f"FAILED {lab}/{name}: {len(bad)} of {runs} runs: {bad[0]}")
        return 1
    print(f"ok     {lab}/{name:28} {want['name'] or 'refused':24} {took:5.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
