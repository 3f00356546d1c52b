#!/usr/bin/env python3
"""Run a command as on a host that forbids user namespaces, as a container
often does: deny.py [--landlock] [--user UID] COMMAND... A seccomp filter
answers EPERM to what would make one; with --landlock the kernel seems to have
no Landlock; --user becomes another user first."""
import ctypes
import os
import platform
import struct
import sys

CALLS = {  # unshare, clone, clone3, landlock_create_ruleset
    "x86_64": (0xC000003E, 272, 56, 435, 444),
    "aarch64": (0xC00000B7, 97, 220, 435, 444),
}
NEW_USER = 0x10000000
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
LOAD, EQUAL, SET, RETURN = 0x20, 0x15, 0x45, 0x06


def program(without_landlock):
    arch, unshare, clone, clone3, landlock = CALLS[platform.machine()]
    deny = [(RETURN, 0, 0, ERRNO | EPERM)]
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, arch), (RETURN, 0, 0, ALLOW),
             (LOAD, 0, 0, 0)]
    # clone3's flags are in memory, where a filter cannot look.
    lines += [(EQUAL, 0, 1, clone3), (RETURN, 0, 0, ERRNO | ENOSYS)]
    if without_landlock:
        lines += [(EQUAL, 0, 1, landlock), (RETURN, 0, 0, ERRNO | ENOSYS)]
    lines += [(EQUAL, 1, 0, unshare), (EQUAL, 0, 3, clone), (LOAD, 0, 0, 16),
              (SET, 0, 1, NEW_USER)] + deny
    return lines + [(RETURN, 0, 0, ALLOW)]


def main():
    words = sys.argv[1:]
    without_landlock = words[:1] == ["--landlock"]
    if without_landlock:
        words = words[1:]
    if words[:1] == ["--user"]:
        uid = int(words[1])
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        words = words[2:]
    if platform.machine() not in CALLS or not words:
        sys.exit(__doc__)
    lines = program(without_landlock)
    code = b"".join(struct.pack("HBBI", *line) for line in lines)
    text = ctypes.create_string_buffer(code)
    filter_ = struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter_):
        sys.exit(f"deny.py: {os.strerror(ctypes.get_errno())}")
    os.execvp(words[0], words)


main()
