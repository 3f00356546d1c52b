#!/bin/sh
# Ubuntu 24.04 and later give an ordinary program no rights in a user namespace
# of its own unless an AppArmor profile says so. This loads one for exactly two
# programs: this checkout's build/bin/viz and build/bin/grade (and their
# instrumented builds). Run as root; `remove` takes it back.
set -eu
cd "$(dirname "$0")/.."
checkout=$(pwd -P)
profile=/etc/apparmor.d/two-terminals
if [ "$(id -u)" != 0 ]; then
    echo "This needs root. Type:  sudo sh tools/apparmor.sh" >&2
    exit 2
fi
if ! command -v apparmor_parser >/dev/null 2>&1; then
    echo "There is no AppArmor here (no apparmor_parser), so nothing is to be done." >&2
    exit 2
fi
if [ "${1:-}" = remove ]; then
    [ -e $profile ] || { echo "There is no profile of ours."; exit 0; }
    apparmor_parser -R $profile
    rm -f $profile
    echo "Removed $profile."
    exit 0
fi
case $checkout in
*[\"*?{}\[\]^\\]* | *'
'*)
    echo "The path of this folder has a character that AppArmor reads as a pattern:" >&2
    echo "  $checkout" >&2
    echo "Move the folder, then type the same again." >&2
    exit 2
    ;;
esac
cat >$profile <<TEXT
# Two Terminals: private networks for the lessons and the autograder.
abi <abi/4.0>,
include <tunables/global>

profile two-terminals "$checkout/build/{bin,address/bin,thread/bin,clang/bin}/{viz,grade}" flags=(unconfined) {
  userns,
}
TEXT
apparmor_parser -r $profile
echo "Loaded: viz and grade of $checkout may make private networks."
