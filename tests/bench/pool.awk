# The table and the JSON of tests/bench/pool.sh, from lines
# "measure server median [low high]", one for each run: the median of the runs
# counts, and the widest spread.
BEGIN {
    count = split(servers, name, " ")
    # measure | title | goal of the pool ("": none) | digits
    row("cpu-100", "CPU a message, 100 connections", 1.03, 2)
    row("cpu-1000", "CPU a message, 1000 connections", 1.03, 2)
    row("cpu-9000", "CPU a message, 9000 connections", 1.03, 2)
    row("large", "CPU a message of 64 KiB", 1.03, 2)
    row("lines", "CPU a line, 16 in flight", 1.3, 2)
    row("connects", "CPU of connect-echo-close", 1.00, 2)
    row("udp", "CPU a datagram", "", 2)
    row("growth", "CPU with 10,000 idle / without", 1.05, 2)
    row("cpu-1:calls", "system calls, 1 connection", 3.0, 2)
    row("cpu-100:calls", "system calls, 100 connections", 2.15, 2)
    row("cpu-100:ctl", "epoll_ctl, 100 connections", 0, 2)
    row("instructions", "user instructions a message", 170, 0)
    row("memory", "bytes an idle connection", 192, 0)
    row("timer", "ns a reset of an idle timeout", 2, 1)
    row("cpu-1", "CPU a message, 1 connection", "", 2)
    row("cpu-100:rate", "rate, 100 connections", "", 2)
    row("cpu-1000:rate", "rate, 1000 connections", "", 2)
    row("cpu-100:p50", "latency p50, 100 connections", "", 2)
    row("cpu-100:p99", "latency p99", "", 2)
    row("cpu-100:p999", "latency p99.9", "", 2)
}
function row(key, words, most, places)
{
    rows++
    keys[rows] = key
    title[rows] = words
    goal[rows] = most
    digits[rows] = places
}
{
    key = $1 SUBSEP $2
    list[key] = list[key] " " $3
    if (NF >= 5) {
        if (!(key in low) || $4 < low[key])
            low[key] = $4
        if (!(key in high) || $5 > high[key])
            high[key] = $5
    }
    measured[$1] = 1
    if (!($1 in seen)) {
        seen[$1] = 1
        order[++measures] = $1
    }
}
function median(text,   v, n, i, k, swap)
{
    n = split(text, v, " ")
    for (i = 2; i <= n; i++)
        for (k = i; k > 1 && v[k] + 0 < v[k - 1] + 0; k--) {
            swap = v[k]
            v[k] = v[k - 1]
            v[k - 1] = swap
        }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
# As the table shows it: a goal is missed when the figure shown is above it.
function shown(key, who, places)
{
    return (key, who) in value ? sprintf("%." places "f", value[key, who]) : "-"
}
function verdict(i,   v)
{
    if (goal[i] == "")
        return ""
    v = shown(keys[i], "pool", digits[i])
    if (v == "-")
        return sprintf("<= %s", goal[i])
    return sprintf("<= %-5s %s", goal[i], v + 0 > goal[i] + 0 ? "MISSED" : "met")
}
function spread(key, who)
{
    return (key, who) in low ? sprintf("%.2f-%.2f", low[key, who], high[key, who]) : ""
}
function line_of(i,   k)
{
    printf "%-34s", title[i]
    for (k = 1; k <= count; k++)
        printf " %11s", shown(keys[i], name[k], digits[i])
    printf "   %s\n", verdict(i)
}
function spreads_of(i,   k, any)
{
    for (k = 1; k <= count; k++)
        any = any spread(keys[i], name[k])
    if (any == "")
        return
    printf "%-34s", title[i]
    for (k = 1; k <= count; k++)
        printf " %11s", spread(keys[i], name[k])
    printf "\n"
}
function heading(words,   k)
{
    printf "%-34s", words
    for (k = 1; k <= count; k++)
        printf " %11s", name[k]
}
function quoted(text)
{
    gsub(/[\\"]/, "\\\\&", text)
    return "\"" text "\""
}
function write_json(   i, k, key, separator)
{
    printf("{\"part\":\"pool\",\"machine\":%s,\"rounds\":%d,\"goals\":{", quoted(machine), rounds) >json
    for (i = 1; i <= rows; i++)
        if (goal[i] != "") {
            printf "%s\"%s\":%s", separator, keys[i], goal[i] >json
            separator = ","
        }
    printf "},\"measures\":{" >json
    for (i = 1; i <= measures; i++) {
        key = order[i]
        printf "%s\"%s\":{", (i > 1 ? "," : ""), key >json
        separator = ""
        for (k = 1; k <= count; k++)
            if ((key, name[k]) in value) {
                printf "%s\"%s\":[%s", separator, name[k], value[key, name[k]] >json
                if ((key, name[k]) in low)
                    printf ",%s,%s", low[key, name[k]], high[key, name[k]] >json
                printf "]" >json
                separator = ","
            }
        printf "}" >json
    }
    print "}}" >json
}
END {
    for (key in list)
        value[key] = median(list[key])
    print "The pool and its peers: ratios to the bare epoll loop, or counts"
    printf "%s, medians of %d rounds%s\n\n", machine, rounds,
        (runs > 1 ? " and " runs " runs" : "")
    heading("")
    print "   goal of pool"
    for (i = 1; i <= rows; i++)
        if (keys[i] in measured)
            line_of(i)
    print ""
    heading("spread (10th to 90th percentile)")
    print ""
    for (i = 1; i <= rows; i++)
        if (keys[i] in measured)
            spreads_of(i)
    print ""
    while ((getline text <notes) > 0)
        print text
    write_json()
}
