# The chart of tests/bench/pool.sh: CPU a message of each server against the
# bare loop. gnuplot -e "data='FILE'" tests/bench/pool.gnuplot > FILE.svg
set terminal svg size 800,400 font 'sans,12' background 'white'
set title 'Server CPU a 64-byte message, against a bare epoll loop'
set style data histogram
set style histogram errorbars gap 1 lw 1
set style fill solid 0.8 border -1
set ylabel 'ratio (log)'
set logscale y
set yrange [0.5:*]
set grid y
set key top left
plot data using 2:3:4:xtic(1) title '100 connections' lc rgb '#4477aa', \
     '' using 5:6:7 title '1000 connections' lc rgb '#ccbb44'
