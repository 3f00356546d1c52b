#!/bin/sh
# What someone takes home: tools/pool.sh header|pc|join, for `make pool`.
#   header          one self-contained header of the public ones, on stdout
#   pc              its pkg-config file, for the folder it lies in, on stdout
#   join OUT OBJ... one archive of one object that shows no name but the
#                   header's: a program may call its own functions what it likes
set -eu
cd "$(dirname "$0")/.."
# In this order: each uses only those before it.
public='clock net io buf frame queue workers log pool'

case ${1-} in
header)
    version=$(sh tools/version.sh)
    echo "/*"
    echo " * libpool $version: sockets without surprises, and the managed pool."
    echo " * Link with -lpool -pthread. Made of these headers of Two Terminals:"
    printf ' *    '
    printf ' %s.h' $public
    printf '\n *\n'
    sed -n 's/^/ * /; s/ *$//; p' LICENSE
    echo " */"
    echo '#ifdef __cplusplus'
    echo 'extern "C" {'
    echo '#endif'
    for name in $public; do
        echo
        grep -v '^#include "common/' common/$name.h
    done
    echo
    echo '#ifdef __cplusplus'
    echo '}'
    echo '#endif'
    ;;
pc)
    cat <<TEXT
prefix=\${pcfiledir}${2-}
Name: pool
Description: Sockets without surprises, and a managed pool of them
Version: $(sh tools/version.sh)
Cflags: -I\${prefix}${2:+/include}
Libs: -L\${prefix}${2:+/lib} -lpool -pthread
TEXT
    ;;
join)
    out=$2
    shift 2
    folder=$(dirname "$out")
    ${LD:-ld} -r -o "$folder/pool.o" "$@"
    # The names that the header gives.
    grep -oE '\b[a-z]+_[a-z0-9_]+ *\(' "$folder/pool.h" | tr -d '( ' |
        sort -u >"$folder/names"
    ${OBJCOPY:-objcopy} --keep-global-symbols="$folder/names" "$folder/pool.o"
    rm -f "$out"
    ${AR:-ar} rcs "$out" "$folder/pool.o"
    rm -f "$folder/pool.o" "$folder/names"
    ;;
*)
    echo 'usage: tools/pool.sh header | pc [RELATIVE-PREFIX] | join OUT OBJECT...' >&2
    exit 2
    ;;
esac
