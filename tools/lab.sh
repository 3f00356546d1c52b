#!/bin/sh
# A student's own side of a lab: tools/lab.sh start|build|hint|reset|solution
# NN-name [FOLDER]. Their code is in work/NN-name/, what we keep of it in .lab/.
#   start     the starter into work/NN-name/, once; says where to edit
#   build     every .c of work/NN-name/ (or of FOLDER) into
#             build/labs/NN-name/PROGRAM, and a Makefile there for `make PROGRAM`
#   hint      the next of three hints; the ones before it again, shorter
#   reset     the starter again; what was there goes to .lab/backups/
#   solution  right programs into work/NN-name-solutions/, after full points
# Status: 0; 1 it does not compile, or not this time; 2 it cannot, says why.
set -u
cd "$(dirname "$0")/.." || exit 2
verb=${1:-}
name=${2:-}
folder=${3:-work/$name}

say() { printf '%s\n' "$@"; } # a line each
die() {
    printf '%s\n' "$@" >&2
    exit 2
}

case $name in
[0-9][0-9]-*[!a-z0-9-]*) name= ;;
[0-9][0-9]-?*) [ -e "labs/$name/README.md" ] || name= ;;
*) name= ;;
esac
[ -n "$name" ] || die 'There is no such lab. Type make for the map.'
number=${name%%-*}
number=${number#0}
starters=$(cd "labs/$name" && ls -- *.c *.h 2>/dev/null)
first=$(cd "labs/$name" && ls -- *.c | head -n 1)
program=${first%.c}

# --- the progress file: docs/progress.md, and common/progress.c ------------

progress=.lab/progress

progress_get() { # key
    [ -r $progress ] && awk -v key="$1" \
        'index($0, key " ") == 1 { value = substr($0, length(key) + 2) }
         END { print value }' $progress
}

# The whole file with one line changed, written beside the old one and renamed
# over it. What is written is locked meanwhile, as common/progress.c does it, so
# that a lesson, a grade and a hint that end together each keep their line: who
# got the lock of a file that was renamed since, begins again.
progress_set() { # key value
    mkdir -p .lab || exit 2
    while :; do
        exec 9>>$progress.part
        command -v flock >/dev/null 2>&1 || break
        flock 9
        [ "$(stat -Lc %i /proc/self/fd/9)" = "$(stat -c %i $progress.part 2>/dev/null)" ] && break
    done
    [ -e $progress ] || say '# Two Terminals: your progress. One `key value` a line; docs/progress.md has the keys.' >$progress
    LC_ALL=C awk -v key="$1" -v value="$2" '
        /^#/ || /^$/ { print; next }
        !/^[A-Za-z0-9._-]+ [ -~]+$/ { broken = 1; next }
        index($0, key " ") == 1 { if (!done) print key " " value; done = 1; next }
        { print }
        END { if (!done) print key " " value; exit broken }
    ' $progress >$progress.part
    broken=$?
    if [ $broken -gt 1 ]; then # awk's own: it could not write all of it
        rm -f $progress.part
        exec 9>&-
        say "$progress was left as it is: what is new could not be written." >&2
        return
    fi
    # A last line without its newline was cut off.
    [ -z "$(tail -c 1 $progress)" ] || broken=1
    if [ $broken != 0 ]; then
        n=1
        while [ -e "$progress.broken-$n" ]; do n=$((n + 1)); done
        ln $progress "$progress.broken-$n" &&
            say "$progress could not be read whole: kept as $progress.broken-$n" >&2
    fi
    mv -f $progress.part $progress
    exec 9>&-
}

# --- start, reset ----------------------------------------------------------

# work/ and work/NN-name: folders, and ours to write in.
writable() {
    for place in work "work/$name"; do
        [ ! -e $place ] || [ -d $place ] ||
            die "$place is a file, and must be a folder for your programs. Move it away: mv $place $place.old"
        [ ! -e $place ] || [ -w $place ] ||
            die "$place/ cannot be written to. It must be yours: ls -ld $place"
    done
}

copy_files() { # to where
    for file in $starters; do cp "labs/$name/$file" "$1/" || return; done
}

copy_starter() {
    part=work/.$name.$$
    if ! { mkdir -p "$part" && copy_files "$part" && mv "$part" "work/$name"; }; then
        rm -rf "$part"
        die "The starter could not be put into work/$name/: the reason stands above."
    fi
}

start() {
    writable
    if [ ! -d "work/$name" ]; then
        copy_starter
        say "The starter is now in work/$name/: open work/$name/$first in your editor."
        return
    fi
    for file in $starters; do
        [ -e "work/$name/$file" ] && continue
        cp "labs/$name/$file" "work/$name/" || exit 2
        say "work/$name/$file was not there: here is the starter's again."
    done
    say "Your program: work/$name/$first"
}

keep_backup() {
    backup=.lab/backups/$name-$(date +%Y%m%d-%H%M%S)
    [ ! -e "$backup" ] || backup=$backup-$$
    mkdir -p .lab/backups && cp -R "work/$name" "$backup" || {
        rm -rf "$backup"
        die "Cannot keep a backup in .lab/backups, so nothing was changed."
    }
}

reset() {
    writable
    [ -d "work/$name" ] || die "There is nothing to reset: work/$name/ is not there yet. Type: make lab-$number"
    if [ "${CONFIRM:-}" != yes ]; then
        [ -t 0 ] || die "This puts the starter back into work/$name/ (yours is kept as a backup)." \
            "Nobody is here to ask. If it is meant, type: make reset-$number CONFIRM=yes"
        printf 'Put the starter back into work/%s/? Yours is kept as a backup. [y/N] ' "$name"
        read -r answer || answer=
        case $answer in
        y | Y | yes | Yes) ;;
        *)
            say 'Nothing was changed.'
            exit 1
            ;;
        esac
    fi
    keep_backup
    rm -rf "work/$name" ||
        die "work/$name/ could not be emptied. What was in it is in $backup/"
    copy_starter
    say "work/$name/ is the starter again. Yours is in $backup/"
}

# --- build -----------------------------------------------------------------

# What the compiler said, for one person at night: the first error with the
# lines that show it, and how many more there are.
first_of() { # error|warning, file
    awk -v kind="$1" '
        / (fatal )?(error|warning): / || /undefined reference|multiple definition/ {
            is = kind == "error" ? !/ warning: / : / warning: /
            if (is) seen++
            shown = is && seen == 1
        }
        /: note: |: In function |^In file included|collect2:/ { shown = 0 }
        shown { print "  " $0 }
        END { if (seen > 1) printf "  ... and %d more after it; often the first is the cause.\n", seen - 1 }
    ' "$2"
}

build() {
    [ -d "$folder" ] || die "There is no folder $folder. Type: make lab-$number"
    out=build/labs/$name
    mkdir -p "$out" || exit 2
    ls "$folder"/*.c >/dev/null 2>&1 ||
        die "There is no .c file in $folder. Type make reset-$number for the starter."
    # shellcheck disable=SC2046 # a word, or with options words
    if ! ${CC:-$(command -v cc || command -v gcc || command -v clang || echo cc)} -std=c11 -D_GNU_SOURCE -pthread -g -Wall -Wextra -o "$out/$program.part" \
        "$folder"/*.c 2>"$out/compiler.txt"; then
        rm -f "$out/$program.part"
        {
            say "It does not compile yet. The first thing to mend:" ''
            first_of error "$out/compiler.txt"
            say '' "All that the compiler said: $out/compiler.txt"
        } >&2
        return 1
    fi
    mv -f "$out/$program.part" "$out/$program"
    cat >"$out/Makefile" <<TEXT
# Type \`make $program\` here when you have changed $folder/.
.PHONY: all $program
all $program:
	@cd ../../.. && sh tools/lab.sh build $name '$folder'
TEXT
    if [ -s "$out/compiler.txt" ]; then
        say 'Built, with a warning. It is often a mistake:' ''
        first_of warning "$out/compiler.txt"
        say ''
    fi
    # The assignment is tried by hand with the first lesson's client.
    [ -x build/lessons/01-blocking/client ] ||
        DEPS=skip ${MAKE:-make} --no-print-directory build/lessons/01-blocking/client >/dev/null 2>&1 || true
    say "Built $out/$program from $folder/."
}

# --- hint ------------------------------------------------------------------

# Level N of hints.md. Each idea is a `### heading`; short: only the heading
# and its first sentence (one sentence a line). Prose is wrapped, code is not.
hint_level() { # level, short|long
    awk -v level="$1" -v short="$2" -v width=76 '
        function wrapped(text,    words, n, i, line) {
            n = split(text, words, " ")
            line = "   "
            for (i = 1; i <= n; i++) {
                if (length(line) + 1 + length(words[i]) > width) {
                    print line
                    line = "   "
                }
                line = line " " words[i]
            }
            print line
        }
        /^## / { on = $2 == level; next }
        !on || /^$/ { next }
        /^```/ { code = !code; next }
        /^### / { print (short == "short" ? "  " : "\n  ") substr($0, 5); said = 0; next }
        said++ && short == "short" { next }
        code { print "      " $0; next }
        { wrapped($0) }
    ' "labs/$name/hints.md"
}

hint() {
    [ -r "labs/$name/hints.md" ] || die "This lab has no hints."
    level=$(progress_get "lab.$name.hint")
    case $level in [0-3]) ;; *) level=0 ;; esac
    last=$level
    [ "$level" = 3 ] || level=$((level + 1))
    before=1
    while [ $before -lt $level ]; do
        say "Hint $before of 3, in short:"
        hint_level $before short
        say ''
        before=$((before + 1))
    done
    say "Hint $level of 3:"
    hint_level $level long
    say ''
    if [ "$level" = 3 ]; then
        say "That was the last one. Once your program has all points," \
            "make solution-$number shows other ways to write it."
    else
        say "Hints cost nothing. The next one is nearer to code: make hint-$number"
    fi
    [ "$last" = "$level" ] || progress_set "lab.$name.hint" $level
}

# --- solution --------------------------------------------------------------

solution() {
    score=$(progress_get "lab.$name.score")
    points=${score%%/*}
    if [ "${TEACHER:-}" != 1 ] && { [ -z "$score" ] || [ "$points" != "${score##*/}" ]; }; then
        say "A solution is shown once your own program has all points${score:+ (now $score)}." \
            "What is missing: make grade-$number. A hint: make hint-$number" >&2
        exit 1
    fi
    ls -d tests/submissions/"$name"/right-*/ >/dev/null 2>&1 ||
        die 'This copy came without solutions. Ask who gave it to you.'
    say 'Right programs, each written another way. Copies, to read and to change:' ''
    for right in tests/submissions/"$name"/right-*/; do
        to=work/$name-solutions/$(basename "$right")
        mkdir -p "$to" && cp "$right"*.[ch] "$to/" || exit 2
        say "  $to/$first"
    done
    say '' "Yours beside one of them: diff -u work/$name/$first work/$name-solutions/right-plain/$first"
}

case $verb in
start | build | hint | reset | solution) $verb ;;
*) die 'usage: tools/lab.sh start|build|hint|reset|solution NN-name [FOLDER]' ;;
esac
