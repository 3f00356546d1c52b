#!/bin/sh
# tools/lab.sh as a student meets it, in a copy of the kit: starter, build with
# and without mistakes, hints, reset, solution, and a progress file that is
# whole, missing, or broken. And that no hint gives the solution away.
set -u
cd "$(dirname "$0")/.." || exit 2
passed=0
failed=0
box=$(mktemp -d) || exit 2
trap 'umount "$box/tiny" 2>/dev/null; rm -rf "$box"' EXIT
kit=$box/kit
out=$box/out
mkdir -p "$kit/tests/submissions/01-blocking"
cp -R tools labs "$kit/"
cp -R tests/submissions/01-blocking/right-* "$kit/tests/submissions/01-blocking/"

ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed 's/^/    /' "$out"
}
is() { # what it shows; a command that must succeed
    what=$1
    shift
    if "$@"; then ok; else bad "$what"; fi
}
lab() { # arguments of lab.sh; sets status
    status=0
    (cd "$kit" && sh tools/lab.sh "$@") >"$out" 2>&1 </dev/null || status=$?
}
says() { # description, status, pattern in the output
    if [ $status = "$2" ] && grep -qE -- "$3" "$out"; then ok; else
        bad "$1 (status $status, wanted $2 and /$3/)"; fi
}
progress() { cat "$kit/.lab/progress"; }
has_line() { progress | grep -qxF -- "$1"; }

# --- names -----------------------------------------------------------------
for name in '' 99-nothing ../labs 01-blocking/../01-blocking 'a b' -h; do
    lab hint "$name"
    says "no lab '$name'" 2 '^There is no such lab'
done
lab sing 01-blocking
says 'an unknown verb' 2 '^usage: '

# --- start -----------------------------------------------------------------
lab build 01-blocking
says 'nothing to build yet' 2 'Type: make lab-1'
lab reset 01-blocking
says 'nothing to reset yet' 2 'Type: make lab-1'
echo 'no folder' >"$kit/work"
for verb in start reset; do
    lab $verb 01-blocking
    says "work is a file: $verb" 2 '^work is a file, and must be a folder'
done
rm "$kit/work"
mkdir "$kit/work" && echo 'no folder' >"$kit/work/01-blocking"
lab start 01-blocking
says 'the folder in it is a file' 2 '^work/01-blocking is a file'
is 'and is left as it was' grep -qx 'no folder' "$kit/work/01-blocking"
rm -r "$kit/work"
lab start 01-blocking
says 'the starter is copied, and where to edit' 0 'open work/01-blocking/wcd\.c in your editor'
is 'the copy is the starter' cmp -s labs/01-blocking/wcd.c "$kit/work/01-blocking/wcd.c"
echo '/* mine */' >>"$kit/work/01-blocking/wcd.c"
lab start 01-blocking
says 'a second start says where it is' 0 '^Your program: work/01-blocking/wcd\.c$'
is 'a second start changes nothing' grep -qx '/\* mine \*/' "$kit/work/01-blocking/wcd.c"
mv "$kit/work/01-blocking/wcd.c" "$kit/work/01-blocking/old.c"
lab start 01-blocking
says 'a starter that was lost comes back' 0 'was not there'
is 'and nothing else is touched' test -e "$kit/work/01-blocking/old.c"
rm "$kit/work/01-blocking/old.c"

# --- build -----------------------------------------------------------------
lab build 01-blocking
says 'the starter builds' 0 '^Built build/labs/01-blocking/wcd from work/01-blocking/\.$'
is 'without a warning' test "$(wc -l <"$out")" = 1
"$kit/build/labs/01-blocking/wcd" 7101 >"$out" 2>&1
status=$?
says 'the starter fails kindly' 2 '^wcd: next, wcd\.c line [0-9]+: write open_listener\(\): '
is 'in one line' test "$(wc -l <"$out")" = 1
is 'make wcd in the lab shell builds again' \
    sh -c "make -s -C '$kit/build/labs/01-blocking' wcd >/dev/null"
printf 'int main(void) { return x + y; }\nint z = w;\n' >"$kit/work/01-blocking/wcd.c"
lab build 01-blocking
says 'what does not compile: the first error' 1 'work/01-blocking/wcd\.c:1:[0-9]+: error: .*x'
says 'and how many more' 1 '\.\.\. and [0-9]+ more'
is 'but only the first' test "$(grep -c 'error:' "$out")" = 1
is 'the program of before is still there' test -x "$kit/build/labs/01-blocking/wcd"
printf 'int f(void);\nint main(void) { return f(); }\n' >"$kit/work/01-blocking/wcd.c"
lab build 01-blocking
says 'what does not link says so too' 1 'undefined reference to .f'
printf 'int main(void) { int unused; return 0; }\n' >"$kit/work/01-blocking/wcd.c"
lab build 01-blocking
says 'a warning is shown' 0 'warning: .*unused'
printf 'int f(void);\nint f(void) { return 0; }\n' >"$kit/work/01-blocking/more.c"
printf 'int f(void);\nint main(void) { return f(); }\n' >"$kit/work/01-blocking/wcd.c"
lab build 01-blocking
says 'files beside it are built in' 0 '^Built '
rm "$kit"/work/01-blocking/*.c
lab build 01-blocking
says 'a folder without a program' 2 'no \.c file'
for right in tests/submissions/01-blocking/right-*/; do
    lab build 01-blocking "${right%/}"
    says "${right##*/01-blocking/} builds" 0 '^Built '
    is "without a warning" test "$(wc -l <"$out")" = 1
done

# --- reset -----------------------------------------------------------------
echo 'my work' >"$kit/work/01-blocking/wcd.c"
lab reset 01-blocking
says 'nobody to ask: how to mean it' 2 'make reset-1 CONFIRM=yes'
is 'and nothing is changed' grep -qx 'my work' "$kit/work/01-blocking/wcd.c"
export CONFIRM=yes
lab reset 01-blocking
unset CONFIRM
says 'reset says where the old one is' 0 'Yours is in \.lab/backups/01-blocking-[0-9]{8}-[0-9]{6}'
is 'the starter is back' cmp -s labs/01-blocking/wcd.c "$kit/work/01-blocking/wcd.c"
is 'the old one is kept' grep -qx 'my work' "$kit"/.lab/backups/01-blocking-*/wcd.c
if command -v script >/dev/null 2>&1; then
    for answer in n y; do
        echo 'my work' >"$kit/work/01-blocking/wcd.c"
        (cd "$kit" && echo $answer | script -qec 'sh tools/lab.sh reset 01-blocking' /dev/null) >"$out" 2>&1
        status=$?
        [ $answer = y ] || says 'a person says no' 1 'Nothing was changed'
        [ $answer = n ] || says 'a person says yes' 0 'is the starter again'
        is "and so it is ($answer)" test "$answer" = "$(
            grep -qx 'my work' "$kit/work/01-blocking/wcd.c" && echo n || echo y)"
    done
fi

# What cannot be changed is left, and nothing false is said.
if [ "$(id -u)" != 0 ]; then
    chmod 555 "$kit/work/01-blocking"
    CONFIRM=yes
    export CONFIRM
    lab reset 01-blocking
    unset CONFIRM
    says 'a folder that may not be written to' 2 'cannot be written to'
    is 'has kept all' test -e "$kit/work/01-blocking/wcd.c"
    chmod 755 "$kit/work/01-blocking"
fi

# --- hints, and the progress file ------------------------------------------
rm -f "$kit/.lab/progress"
lab hint 01-blocking
says 'the first hint' 0 '^Hint 1 of 3:$'
is 'is remembered' has_line 'lab.01-blocking.hint 1'
is 'in a file that says what it is' sh -c "head -n 1 '$kit/.lab/progress' | grep -q '^# Two Terminals'"
{
    echo 'lesson.01-blocking.ticks 11/24'
    echo '# a note of my own'
    echo ''
    echo 'lab.01-blocking.hint.x 9'
} >>"$kit/.lab/progress"
lab hint 01-blocking
says 'the second one, with the first in short' 0 '^Hint 1 of 3, in short:$'
is 'which is shorter' test "$(sed -n '/in short/,/^Hint 2/p' "$out" | wc -l)" -lt "$(sed -n '/^Hint 2/,$p' "$out" | wc -l)"
is 'one line was changed' has_line 'lab.01-blocking.hint 2'
is 'and no other' test "$(progress | wc -l)" = 6
for line in 'lesson.01-blocking.ticks 11/24' '# a note of my own' 'lab.01-blocking.hint.x 9'; do
    is "kept: $line" has_line "$line"
done
lab hint 01-blocking
says 'the third is the last' 0 'That was the last one'
lab hint 01-blocking
says 'and can be read again' 0 '^Hint 3 of 3:$'
is 'no hint is wider than 80 columns' test -z "$(awk 'length > 80' "$out")"
printf 'lab.01-blocking.hint 1\n\001rubbish\nlesson.x.at 4\nlab.01' >"$kit/.lab/progress"
lab hint 01-blocking
says 'a broken file is kept' 0 'kept as \.lab/progress\.broken-1'
is 'as it was' grep -q rubbish "$kit/.lab/progress.broken-1"
is 'its good lines live on' has_line 'lesson.x.at 4'
is 'and so does the level' has_line 'lab.01-blocking.hint 2'
lab hint 01-blocking
is 'and it is whole again' test ! -e "$kit/.lab/progress.broken-2"
is 'nothing half is left beside it' test ! -e "$kit/.lab/progress.part"

# A full disk: said, and what was there stays.
tiny=$box/tiny
mkdir "$tiny"
if mount -t tmpfs -o size=8k tiny "$tiny" 2>/dev/null; then
    mv "$kit/.lab" "$kit/.lab.kept" && ln -s "$tiny" "$kit/.lab"
    echo 'lab.01-blocking.hint 1' >"$tiny/progress"
    cat /dev/zero >"$tiny/filler" 2>/dev/null
    lab hint 01-blocking
    says 'a full disk is told' 0 'progress was left as it is'
    is 'and the progress is what it was' test "$(cat "$tiny/progress")" = 'lab.01-blocking.hint 1'
    is 'nothing half is beside it' test "$(ls "$tiny" | wc -l)" = 2
    rm "$kit/.lab" && mv "$kit/.lab.kept" "$kit/.lab"
    mv "$kit/work" "$kit/work.kept" && ln -s "$tiny" "$kit/work"
    lab start 01-blocking
    says 'and so is a starter without room' 2 'could not be put into work/01-blocking'
    is 'of which nothing is left' test "$(ls -A "$tiny" | wc -l)" = 2
    rm "$kit/work" && mv "$kit/work.kept" "$kit/work"
    umount "$tiny"
fi

# A lesson that holds the folder does not stop a hint, and writers do not lose
# each other's lines.
if command -v flock >/dev/null 2>&1; then
    (cd "$kit" && flock .lab timeout 20 sh tools/lab.sh hint 01-blocking) >"$out" 2>&1
    status=$?
    says 'a hint beside an open lesson' 0 '^Hint 3 of 3:$'
fi
for n in 1 2 3 4 5 6 7 8; do mkdir -p "$kit/labs/0$n-x" && cp labs/01-blocking/* "$kit/labs/0$n-x/"; done
for n in 1 2 3 4 5 6 7 8; do
    (cd "$kit" && sh tools/lab.sh hint 0$n-x) >/dev/null 2>&1 &
done
wait
echo 'eight at once' >"$out"
is 'eight writers at once all keep their line' \
    test "$(progress | grep -c '^lab\.0[1-8]-x\.hint 1$')" = 8

# --- solution --------------------------------------------------------------
for score in '' 85/100; do
    [ -z "$score" ] || echo "lab.01-blocking.score $score" >>"$kit/.lab/progress"
    lab solution 01-blocking
    says "no solution with '$score'" 1 'once your own program has all points'
done
is 'nothing was shown' test ! -e "$kit/work/01-blocking-solutions"
export TEACHER=1
lab solution 01-blocking
unset TEACHER
says 'a teacher may see it' 0 'work/01-blocking-solutions/right-plain/wcd\.c'
rm -rf "$kit/work/01-blocking-solutions"
echo 'lab.01-blocking.score 100/100' >>"$kit/.lab/progress"
lab solution 01-blocking
says 'with all points it is there' 0 'work/01-blocking-solutions/right-plain/wcd\.c'
is 'as a copy' cmp -s "$kit/work/01-blocking-solutions/right-plain/wcd.c" tests/submissions/01-blocking/right-plain/wcd.c
rm -rf "$kit/tests"
lab solution 01-blocking
says 'a copy of the kit without solutions says so' 2 'without solutions'

# --- hints give nothing away (three levels; no line, no pair of lines) -----
for hints in labs/*/hints.md; do
    name=$(basename "$(dirname "$hints")")
    echo "$hints" >"$out"
    is "$hints has levels 1, 2, 3" test "$(grep -c '^## [123]$' "$hints")" = 3
    for level in 2 3; do
        is "$hints: each idea is in level $level" test "$(
            awk -v n=$level '/^## / { on = $2 == n } on && /^### /' "$hints")" = "$(
            awk '/^## / { on = $2 == 1 } on && /^### /' "$hints")"
    done
    for right in tests/submissions/"$name"/right-*/*.c; do
        awk '
            { gsub(/[ \t]+/, " "); sub(/^ /, ""); sub(/ $/, "") }
            /^[{}]?$/ { next }
            FNR == 1 { last = "" }
            FILENAME == ARGV[1] { line[$0] = 1; pair[last "\n" $0] = 1 }
            FILENAME != ARGV[1] {
                if (length($0) > 12 && $0 in line) print "line: " $0
                if (last != "" && (last "\n" $0) in pair) print "two lines: " last " / " $0
            }
            { last = $0 }' "$right" "$hints" >"$out"
        is "$hints tells no line of $right" test ! -s "$out"
    done
done

# --- where the grader sends its readers ------------------------------------
grep -oE 'lesson [0-9]+, \\"[^"\\]+' tests/grader/misconceptions.c | sort -u >"$box/read"
echo 'no place in a lesson is named at all' >"$out"
is 'the diagnoses name places in the lessons' test -s "$box/read"
while IFS= read -r place; do
    n=${place#lesson }
    echo "$place" >"$out"
    is "$place is a heading" grep -qxE "#+ ${place#*\"}" \
        lessons/"$(printf '%02d' "${n%%,*}")"-*/README.md
done <"$box/read"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
