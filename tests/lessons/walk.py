"""A person walks through lesson 1 by keys, in tmux: the player at 80x24 in one
window, terminals A, B and C by `viz --shell` in others. Types what the screen
says, answers the questions, resizes the window on the way, leaves half-way and
comes back, and must end with every tick. Waits for what tmux shows (control
mode), never for time; a silence of LIMIT seconds is a failure.

    walk.py build/bin/viz
"""

import os
import re
import select
import subprocess
import sys
import tempfile
import time

LIMIT = 60
README = "lessons/01-blocking/README.md"
SIZES = [(80, 24), (140, 45), (100, 30), (60, 15), (80, 24)]


class Failure(Exception):
    pass


class Tmux:
    """One tmux server of our own, watched through its control mode."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "tmux")
        self.windows = {}
        self.run("-f", "/dev/null", "new-session", "-d", "-s", "walk", "-x",
                 "80", "-y", "24", "cat")
        self.run("set", "-g", "default-terminal", "screen-256color")
        self.control = subprocess.Popen(
            ["tmux", "-S", self.socket, "-C", "attach", "-t", "walk"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, *args):
        done = subprocess.run(["tmux", "-S", self.socket, *args],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure("tmux %s: %s" % (" ".join(args), done.stderr))
        return done.stdout

    def open(self, name, command):
        self.windows[name] = self.run(
            "new-window", "-d", "-P", "-F", "#{pane_id}", "-n", name,
            command).strip()
        self.run("set", "-w", "-t", self.windows[name], "remain-on-exit", "on")
        self.resize(name, 80, 24)

    def resize(self, name, columns, rows):
        self.run("resize-window", "-t", self.windows[name], "-x", str(columns),
                 "-y", str(rows))

    def keys(self, name, *keys):
        self.run("send-keys", "-t", self.windows[name], *keys)

    def text(self, name, text):
        self.run("send-keys", "-t", self.windows[name], "-l", text)

    def shows(self, name):
        return self.run("capture-pane", "-p", "-t", self.windows[name])

    def process(self, name):
        """The program in a window; below its shell, when it has one there."""
        pid = self.run("display", "-p", "-t", self.windows[name],
                       "#{pane_pid}").strip()
        with open("/proc/%s/comm" % pid, encoding="utf-8") as file:
            if file.read().strip() not in ("sh", "bash", "dash"):
                return pid
        with open("/proc/%s/task/%s/children" % (pid, pid),
                  encoding="ascii") as file:
            return (file.read().split() + [pid])[0]

    def until(self, name, true, what):
        """What the window shows, once true(it). Looks when tmux says that
        something was written somewhere, and now and then."""
        deadline = time.monotonic() + LIMIT
        before = None
        while True:
            shown = self.shows(name)
            if true(shown) and shown == before:
                return shown  # twice: tmux may be in the middle of a picture
            before = shown
            if time.monotonic() > deadline:
                raise Failure("waited %d s until %s" % (LIMIT, what))
            if select.select([self.control.stdout], [], [], 0.1)[0]:
                os.read(self.control.stdout.fileno(), 65536)

    def close(self):
        # The player's end, by pidfd: hang-up must end it.
        player = None
        if "player" in self.windows:
            try:
                player = os.pidfd_open(int(self.process("player")))
            except (OSError, ValueError, Failure):
                pass
        subprocess.run(["tmux", "-S", self.socket, "kill-server"],
                       capture_output=True, check=False)
        self.control.wait()
        if player is not None and not select.select([player], [], [], LIMIT)[0]:
            raise Failure("the player outlived its terminal")


def status():
    """What the player ended with, "" while it runs."""
    try:
        with open("ended", encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def terminal_blocks():
    """What the lesson lets one type, in order: (terminal, lines)."""
    with open(README, encoding="utf-8") as file:
        text = file.read()
    return [(m.group(1), m.group(2).splitlines()) for m in
            re.finditer(r"^```terminal ([ABC])\n(.*?)^```", text, re.M | re.S)]


def fields(pid):
    """State, foreground group and process group of a process; () when gone."""
    try:
        with open("/proc/%s/stat" % pid, encoding="latin-1") as file:
            words = file.read().rpartition(")")[2].split()
        return words[0], int(words[5]), int(words[2])
    except (OSError, IndexError):
        return ()


def network(pid):
    try:
        return os.readlink("/proc/%s/ns/net" % pid)
    except OSError:
        return ""


def reads_line(player, letter):
    """Whether the program in front of that terminal's bash sleeps. A person
    sees that it is there; we ask /proc (shells carry their letter, and are in
    the player's network)."""
    ours_is = network(player)
    mark = b"TWO_TERMINALS_SHELL=" + letter.encode() + b"\0"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as file:
                ours = mark in file.read()
            with open("/proc/%s/comm" % pid, encoding="latin-1") as file:
                ours = ours and file.read() == "bash\n"
        except OSError:
            continue
        ours = ours and network(pid) == ours_is
        now = fields(pid) if ours else ()
        if not now or now[1] <= 0 or now[1] == now[2]:
            continue
        front = fields(now[1])
        if front and front[0] == "S":
            return True
    return False


class Walk:
    def __init__(self, tmux, viz):
        self.tmux = tmux
        self.viz = viz
        self.blocks = terminal_blocks()
        self.typed = 0
        self.sizes = 0

    def start(self):
        # Its status goes to a file: tmux does not always learn it.
        self.tmux.open("player", "%s --lesson %s; echo $? >ended" %
                       (self.viz, README))
        self.tmux.until("player", lambda s: re.search(r"step \d+ of \d+", s),
                        "the player is there")

    def prompt(self, letter):
        self.tmux.until(
            letter,
            lambda s: re.search(r"%s [$#]$" % letter, s.rstrip()),
            "terminal %s has its prompt" % letter)

    def type_line(self, letter, line):
        if line == "$ make shell":
            self.tmux.open(letter, "exec %s --shell" % self.viz)
            self.prompt(letter)
        elif line.startswith("$ "):
            self.prompt(letter)
            self.tmux.text(letter, line[2:])
            self.tmux.keys(letter, "Enter")
        elif line.startswith(">"):
            player = self.tmux.process("player")
            self.tmux.until(letter, lambda s: reads_line(player, letter),
                            "the program in %s reads a line" % letter)
            self.tmux.text(letter, line[2:])
            self.tmux.keys(letter, "Enter")
        else:
            self.tmux.keys(letter, "C-" + line[1].lower())

    def step(self):
        """Do what the open step asks, and go on; False at the end."""
        where = re.compile(r"step (\d+) of (\d+)")
        screen = self.tmux.shows("player")
        number, last = map(int, where.search(screen).groups())
        if re.search(r"In terminal [ABC]:|^ [ABC] ([$>]|press) ", screen,
                     re.M):
            letter, lines = self.blocks[self.typed]
            self.typed += 1
            for line in lines:
                self.type_line(letter, line)
        done = r"Enter goes on|Enter reads on|The lesson is done|the end\. q"
        screen = self.tmux.until(
            "player", lambda s: re.search(done + "|What do you say", s),
            "all of step %d came true" % number)
        if "What do you say" in screen:
            self.tmux.keys("player", "b")
            self.tmux.until("player",
                            lambda s: re.search(r"Yes\.|Not quite", s) or
                            "PgUp" in s, "the answer is judged")
        if number == last:
            self.tmux.until("player", lambda s: "The lesson is done" in s,
                            "the lesson is done")
            return False
        if number % 7 == 0:
            self.sizes += 1
            self.tmux.resize("player", *SIZES[self.sizes % len(SIZES)])
        self.tmux.keys("player", "n")
        self.tmux.until("player",
                        lambda s: "step %d of" % (number + 1) in s,
                        "step %d opens" % (number + 1))
        return True

    def all(self):
        while self.step():
            pass
        if self.typed != len(self.blocks):
            raise Failure("%d of %d terminal blocks were shown" %
                          (self.typed, len(self.blocks)))

    def leave(self):
        self.tmux.keys("player", "q")
        self.tmux.until("player", lambda s: status() == "0\n",
                        "the player ends with status 0")


def main():
    viz = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        home = os.getcwd()
        os.symlink(os.path.join(home, "lessons"),
                   os.path.join(folder, "lessons"))
        os.chdir(folder)  # so that the student's own .lab is left alone
        os.environ["LC_ALL"] = "C.UTF-8"
        tmux = Tmux(folder)
        walk = Walk(tmux, viz)
        try:
            walk.start()
            walk.all()
            walk.leave()
            walk.start()
            tmux.until("player", lambda s: "(Last time you" in s,
                       "it opens where it was left")
            walk.leave()
        except Failure as failure:
            print("FAILED: %s" % failure)
            for name in tmux.windows:
                print("--- %s\n%s" % (name, tmux.shows(name).rstrip()))
            return 1
        finally:
            tmux.close()
    print("walk: the lesson was walked to its last tick")
    return 0


if __name__ == "__main__":
    sys.exit(main())
