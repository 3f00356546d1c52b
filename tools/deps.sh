#!/bin/sh
# The dependency step: tools/deps.sh viz|grade|test|doctor.
# Looks for what is missing, says what it will install, why and with which
# command, asks when a person is there, installs as root or through sudo.
# Touches nothing when all is there. Without rights: prints the exact line to
# type and ends with status 2. `doctor` only reports: 1 when viz cannot be built.
set -u
goal=${1:-viz}

if [ -n "${TWO_TERMINALS_SHELL:-}" ] && [ "$goal" != doctor ]; then
    missing_ok=1
else
    missing_ok=0
fi

# --- what is needed: kind, what to look for, why ---------------------------
# kind h: a C header; kind p: a program.
needs() {
    cat <<'TABLE'
viz   h pcap.h                   captures the wire (libpcap)
viz   h ncursesw/curses.h        draws the screen (ncurses)
viz   h libmnl/libmnl.h          asks the kernel for its sockets (libmnl)
viz   h cmark.h                  reads the lesson texts (libcmark)
viz   p ss                       stands beside our view in the lessons (iproute2)
viz   p netstat                  stands beside our view in the lessons (net-tools)
viz   p lsof                     stands beside our view in the lessons (lsof)
viz   p bash                     is the shell of the two terminals (bash)
grade h check.h                  drives the autograder (Check)
grade h jansson.h                writes the reports (jansson)
grade h seccomp.h                keeps a submission in its cell (libseccomp)
grade p bwrap                    is the cell (bubblewrap)
grade p pkg-config               finds how to link Check (pkg-config)
test  p clang                    builds everything a second time (clang)
test  p clang-format             keeps one style (clang-format)
test  p tmux                     tries the screens as a person would (tmux)
test  p ps                       shows the tests what still runs (procps)
test  p git                      tells the tests which files are ours (git)
test  p python3                  reads our reports as another program would (python3)
TABLE
}

# Debian keeps libFuzzer apart, by clang's version, and does not always pull it
# in. Nothing where no such package is known: new fuzz inputs are then skipped,
# and the stage says so. A bare system's lists are empty before apt-get update.
fuzzer_package() {
    version=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    if [ -z "$version" ] && grep -q bookworm /etc/os-release 2>/dev/null; then
        echo libclang-rt-14-dev
    elif apt-cache show "libclang-rt-${version:-none}-dev" >/dev/null 2>&1; then
        echo "libclang-rt-$version-dev"
    fi
}

# The package that has it, by package manager. A word not listed is its own
# package's name.
package() { # manager thing
    case "$1:$2" in
    apt:pcap.h) echo libpcap-dev ;;
    apt:ncursesw/curses.h) echo libncurses-dev ;;
    apt:libmnl/libmnl.h) echo libmnl-dev ;;
    apt:cmark.h) echo libcmark-dev ;;
    apt:jansson.h) echo libjansson-dev ;;
    apt:clang) echo clang "$(fuzzer_package)" ;;
    apt:seccomp.h) echo libseccomp-dev ;;
    dnf:pcap.h) echo libpcap-devel ;;
    dnf:ncursesw/curses.h) echo ncurses-devel ;;
    dnf:libmnl/libmnl.h) echo libmnl-devel ;;
    dnf:cmark.h) echo cmark-devel ;;
    dnf:jansson.h) echo jansson-devel ;;
    dnf:seccomp.h) echo libseccomp-devel ;;
    dnf:check.h) echo check-devel ;;
    dnf:ss) echo iproute ;;
    dnf:clang) echo clang compiler-rt ;;
    dnf:clang-format) echo clang-tools-extra ;;
    dnf:pkg-config) echo pkgconf-pkg-config ;;
    pacman:pcap.h) echo libpcap ;;
    pacman:ncursesw/curses.h) echo ncurses ;;
    pacman:libmnl/libmnl.h) echo libmnl ;;
    pacman:seccomp.h) echo libseccomp ;;
    pacman:clang) echo clang compiler-rt ;;
    pacman:clang-format) echo clang ;;
    pacman:python3) echo python ;;
    pacman:pkg-config) echo pkgconf ;;
    apk:pcap.h) echo libpcap-dev ;;
    apk:ncursesw/curses.h) echo ncurses-dev ;;
    apk:libmnl/libmnl.h) echo libmnl-dev ;;
    apk:cmark.h) echo cmark-dev ;;
    apk:jansson.h) echo jansson-dev ;;
    apk:seccomp.h) echo libseccomp-dev ;;
    apk:check.h) echo check-dev ;;
    apk:clang) echo clang compiler-rt ;;
    apk:clang-format) echo clang-extra-tools ;;
    brew:pcap.h) echo libpcap ;;
    brew:ncursesw/curses.h) echo ncurses ;;
    dnf:ps | pacman:ps) echo procps-ng ;;
    *:ps) echo procps ;;
    *:cmark.h) echo cmark ;;
    *:jansson.h) echo jansson ;;
    *:check.h) echo check ;;
    *:ss) echo iproute2 ;;
    *:netstat) echo net-tools ;;
    *:bwrap) echo bubblewrap ;;
    *) echo "$2" ;;
    esac
}

wanted() { # kind of goal in column one that this goal includes
    case "$goal:$1" in
    viz:viz | grade:grade | grade:viz | test:* | doctor:*) return 0 ;;
    *) return 1 ;;
    esac
}

have() { # kind thing
    if [ "$1" = p ]; then
        command -v "$2" >/dev/null 2>&1 ||
            [ -x "/usr/sbin/$2" ] || [ -x "/sbin/$2" ]
    else
        printf '#include <stddef.h>\n#include <stdint.h>\n#include <%s>\n' "$2" |
            ${CC:-cc} -E -x c - >/dev/null 2>&1
    fi
}

if ! command -v "${CC:-cc}" >/dev/null 2>&1; then
    echo "There is no C compiler here (looked for '${CC:-cc}')." >&2
    echo "Type:  sudo apt-get install -y gcc libc6-dev    (or your system's like)" >&2
    exit 2
fi

missing=
reasons=
unbuildable=0
table=$(needs)
while read -r level kind thing why; do
    wanted "$level" || continue
    if have "$kind" "$thing"; then
        [ "$goal" = doctor ] && printf '  yes  %-20s %s\n' "$thing" "$why"
        continue
    fi
    [ "$goal" = doctor ] && printf '  NO   %-20s %s\n' "$thing" "$why"
    [ "$level$kind" = vizh ] && unbuildable=1
    missing="$missing $thing"
    reasons="$reasons
  $(printf '%-20s' "$thing") $why"
done <<TABLE
$table
TABLE

# Ubuntu 24.04 gives an ordinary program no rights in a private network unless a
# profile allows it: offer to load ours. Never stops anything: without it the
# lesson plays its stored capture and says so.
restriction=${RESTRICTION_FILE:-/proc/sys/kernel/apparmor_restrict_unprivileged_userns}
profile=${PROFILE_FILE:-/etc/apparmor.d/two-terminals}
offer_profile() {
    [ "$goal" != doctor ] && [ $missing_ok = 0 ] || return 0
    [ "$(cat "$restriction" 2>/dev/null)" = 1 ] || return 0
    grep -qF "\"$(pwd -P)/build/" "$profile" 2>/dev/null && return 0
    echo "This system restricts private networks (AppArmor). One profile, for this"
    echo "folder's viz and grade only, allows them:  sudo sh tools/apparmor.sh"
    if [ "$(id -u)" = 0 ]; then
        sh tools/apparmor.sh
    elif [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
        printf 'Load it now? [Y/n] '
        read -r answer || answer=n
        case $answer in '' | y* | Y*) sudo sh tools/apparmor.sh ;; esac
    elif sudo -n true 2>/dev/null; then
        sudo -n sh tools/apparmor.sh
    fi || echo "It was not loaded; the lesson will play its stored capture."
    return 0
}

if [ -z "$missing" ]; then
    offer_profile
    exit 0
fi

manager=
for m in apt-get dnf pacman apk brew; do
    command -v $m >/dev/null 2>&1 && manager=$m && break
done
packages=
for thing in $missing; do
    p=$(package "${manager%-get}" "$thing")
    case " $packages " in *" $p "*) ;; *) packages="$packages $p" ;; esac
done
packages=${packages# }
case $manager in
apt-get) install="apt-get install -y --no-install-recommends $packages" ;;
dnf) install="dnf install -y $packages" ;;
pacman) install="pacman -S --needed --noconfirm $packages" ;;
apk) install="apk add $packages" ;;
brew) install="brew install $packages" ;;
*)
    echo "Missing:$reasons" >&2
    echo "This system's package manager is not known here: install these by hand." >&2
    [ "$goal" = doctor ] && exit $unbuildable
    exit 2
    ;;
esac

as_root=sudo
[ "$(id -u)" = 0 ] && as_root=
[ $manager = brew ] && as_root=
line="${as_root:+$as_root }$install"
[ $manager = apt-get ] && line="${as_root:+$as_root }apt-get update && $line"

if [ "$goal" = doctor ]; then
    echo "To get what is missing, type:"
    echo "  $line"
    [ $unbuildable = 0 ] || echo "After that, make doctor looks at the rest: namespaces, capture, the terminal."
    exit $unbuildable
fi
if [ $missing_ok = 1 ]; then
    echo "Something is missing, and nothing can be installed from inside the lab network." >&2
    echo "Leave this shell first (type exit), then type the same command again." >&2
    exit 2
fi

echo "Missing on this machine:$reasons"
echo "To install: $line"
cannot() {
    echo "$1" >&2
    echo "Type this yourself, or ask who runs the machine:" >&2
    echo "  $line" >&2
    exit 2
}
if [ -n "$as_root" ]; then
    command -v sudo >/dev/null 2>&1 ||
        cannot "Installing needs root, and there is no sudo here."
    if ! sudo -n true 2>/dev/null; then
        { [ -t 0 ] && [ -z "${CI:-}" ]; } ||
            cannot "Installing needs sudo, which wants a password here."
    fi
fi
if [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
    printf 'Install now? [Y/n] '
    read -r answer || answer=n
    case $answer in
    '' | y* | Y*) ;;
    *) cannot "Nothing was installed." ;;
    esac
fi

log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
run() {
    echo "  + $*"
    DEBIAN_FRONTEND=noninteractive $as_root "$@" >"$log" 2>&1 </dev/null || {
        tail -n 15 "$log" >&2
        cannot "That did not work (the last lines stand above)."
    }
}
[ $manager = apt-get ] && run apt-get -o DPkg::Lock::Timeout=120 update
# shellcheck disable=SC2086 # words on purpose
case $manager in
apt-get) run env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $packages ;;
*) run $install ;;
esac
for thing in $missing; do
    case $thing in *.h) k=h ;; *) k=p ;; esac
    have $k "$thing" || cannot "Installed, but '$thing' is still not found."
done
echo "Installed."
offer_profile
