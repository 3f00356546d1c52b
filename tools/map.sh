#!/bin/sh
# The map: each lesson's state and score, and the one command to type next.
set -u
cd "$(dirname "$0")/.." || exit 2
progress=.lab/progress
value() { # key
    [ -r $progress ] && awk -v k="$1" '$1 == k { $1 = ""; sub(/^ /, ""); v = $0 }
        END { printf "%s", v }' $progress
}
title_of() { sed -n 's/^# *\(L[a-z]* [0-9]*: *\)\{0,1\}//p' "$1" | tr -d '\140' | head -n 1; }

cat <<'TEXT'

  Two Terminals: learn sockets in C. Run both ends, and watch the wire.

TEXT
next=
for readme in lessons/*/README.md; do
    name=$(basename "$(dirname "$readme")")
    n=${name%%-*}
    n=${n#0}
    ticks=$(value "lesson.$name.ticks")
    score=$(value "lab.$name.score")
    hint=$(value "lab.$name.hint")
    if [ -n "$(value "lesson.$name.done")" ]; then state='read to the end'
    elif [ -n "$ticks" ]; then state="ticks $ticks"
    else state='not begun'; fi
    printf '  lesson %-3s %-34s %s\n' "$n" "$(title_of "$readme" | cut -c1-34)" "$state"
    lab=labs/$name/README.md
    if [ -e "$lab" ]; then
        if [ -n "$score" ]; then grade="graded $score"
        elif [ -d "work/$name" ]; then grade='begun, not graded yet'
        else grade='not begun'; fi
        [ -n "$hint" ] && grade="$grade, hint $hint of 3"
        printf '  lab    %-3s %-34s %s\n' "$n" "$(title_of "$lab" | cut -c1-34)" "$grade"
    fi
    if [ -z "$next" ]; then
        if [ "$state" != 'read to the end' ]; then next="make lesson-$n"
        elif [ -e "$lab" ] && [ "$score" != 100/100 ]; then
            [ -d "work/$name" ] && next="make grade-$n" || next="make lab-$n"
        fi
    fi
done
cat <<TEXT

  Next:  ${next:-all is done; pick any of the above}

  make lesson-N    the lesson: text, live wire, ticks      (needs two more terminals)
  make shell       one of those terminals: type it in each
  make tmux-N      the lesson and both terminals in one window
  make lab-N       the assignment; your program goes to work/
  make grade-N     the autograder: points, what is wrong, what to do next
  make hint-N      the next of three hints;  make reset-N  starter back
  make solution-N  a solution, after a pass
  make viz         the wire by itself;       make doctor   what this machine allows
  make all, make test, make format, make clean             for who builds it

TEXT
