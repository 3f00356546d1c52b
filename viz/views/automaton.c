/* See automaton.h. Nodes and wires are tables in the coordinates of the
 * smallest picture, and are stretched to the area. A way that was gone is
 * drawn with heavy lines, so that it can be seen without colours too. */
#include "viz/views/automaton.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/views/words.h"

enum {
    LIGHT,
    HEAVY,
    WIDEST = 13, /* ESTABLISHED and a space on both sides */
    BOXED = 34   /* rows from which states stand in boxes */
};

struct point {
    int8_t row, column;
};

struct node {
    enum tcp_state state;
    struct point at; /* its middle */
};

static const struct node nodes[] = {
    {TCP_CLOSED, {0, 36}},      {TCP_LISTEN, {3, 24}},
    {TCP_SYN_SENT, {3, 50}},    {TCP_SYN_RECV, {6, 14}},
    {TCP_ESTABLISHED, {8, 35}}, {TCP_FIN_WAIT1, {11, 22}},
    {TCP_CLOSE_WAIT, {11, 56}}, {TCP_FIN_WAIT2, {14, 15}},
    {TCP_CLOSING, {14, 34}},    {TCP_LAST_ACK, {14, 56}},
    {TCP_TIME_WAIT, {17, 34}},  {TCP_CLOSED, {17, 56}},
};

enum {
    NODES = sizeof nodes / sizeof nodes[0],
    BEGINNING = 0,  /* the CLOSED at the top */
    END = NODES - 1 /* and the one at the bottom */
};

/* A move: a line through up to four points, with what happens beside it:
 * what came or was called / what is sent. */
struct wire {
    enum tcp_state before, after;
    struct point points[4];
    int8_t count;
    const char *label;
    struct point label_at;
    bool label_ends; /* ends there, instead of beginning */
};

static const struct wire wires[] = {
    {TCP_CLOSED,
     TCP_LISTEN,
     {{0, 33}, {1, 33}, {1, 24}, {3, 24}},
     4,
     "listen()",
     {1, 22},
     true},
    {TCP_CLOSED,
     TCP_SYN_SENT,
     {{0, 39}, {1, 39}, {1, 50}, {3, 50}},
     4,
     "connect() / SYN",
     {1, 52},
     false},
    {TCP_LISTEN,
     TCP_SYN_RECV,
     {{3, 21}, {4, 21}, {4, 12}, {6, 12}},
     4,
     "SYN / SYN,ACK",
     {5, 14},
     false},
    {TCP_SYN_SENT,
     TCP_SYN_RECV,
     {{3, 47}, {6, 47}, {6, 14}},
     3,
     "SYN / SYN,ACK",
     {5, 31},
     false},
    {TCP_SYN_SENT,
     TCP_ESTABLISHED,
     {{3, 53}, {8, 53}, {8, 35}},
     3,
     "SYN,ACK / ACK",
     {6, 55},
     false},
    {TCP_SYN_RECV,
     TCP_ESTABLISHED,
     {{6, 14}, {8, 14}, {8, 35}},
     3,
     "ACK",
     {7, 12},
     true},
    {TCP_ESTABLISHED,
     TCP_FIN_WAIT1,
     {{8, 31}, {9, 31}, {9, 22}, {11, 22}},
     4,
     "close() / FIN",
     {9, 20},
     true},
    {TCP_ESTABLISHED,
     TCP_CLOSE_WAIT,
     {{8, 39}, {9, 39}, {9, 56}, {11, 56}},
     4,
     "FIN / ACK",
     {9, 58},
     false},
    {TCP_FIN_WAIT1,
     TCP_FIN_WAIT2,
     {{11, 19}, {12, 19}, {12, 15}, {14, 15}},
     4,
     "ACK",
     {12, 13},
     true},
    {TCP_FIN_WAIT1,
     TCP_CLOSING,
     {{11, 25}, {12, 25}, {12, 34}, {14, 34}},
     4,
     "FIN / ACK",
     {12, 36},
     false},
    {TCP_FIN_WAIT2,
     TCP_TIME_WAIT,
     {{14, 15}, {17, 15}, {17, 34}},
     3,
     "FIN / ACK",
     {16, 17},
     false},
    {TCP_CLOSING,
     TCP_TIME_WAIT,
     {{14, 34}, {17, 34}},
     2,
     "ACK",
     {15, 36},
     false},
    {TCP_CLOSE_WAIT,
     TCP_LAST_ACK,
     {{11, 56}, {14, 56}},
     2,
     "close() / FIN",
     {12, 58},
     false},
    {TCP_LAST_ACK, TCP_CLOSED, {{14, 56}, {17, 56}}, 2, "ACK", {15, 58}, false},
    {TCP_TIME_WAIT,
     TCP_CLOSED,
     {{17, 34}, {17, 56}},
     2,
     "time",
     {16, 43},
     false},
};

enum { WIRES = sizeof wires / sizeof wires[0] };

/* --- the way of an end ----------------------------------------------------- */

static uint32_t wire_between(enum tcp_state before, enum tcp_state after)
{
    for (int i = 0; i < WIRES; i++)
        if (wires[i].before == before && wires[i].after == after)
            return UINT32_C(1) << i;
    return 0;
}

static uint32_t wires_between(enum tcp_state before, enum tcp_state after)
{
    uint32_t direct = wire_between(before, after);

    for (int via = 1; direct == 0 && via < TCP_STATES; via++) {
        uint32_t first = wire_between(before, (enum tcp_state)via);
        uint32_t second = wire_between((enum tcp_state)via, after);

        if (first != 0 && second != 0 && via != TCP_CLOSED)
            return first | second;
    }
    return direct;
}

void automaton_go(struct automaton_way *way, enum tcp_state before,
                  enum tcp_state after, bool newest)
{
    uint32_t gone;

    if (way->at == TCP_UNKNOWN && before == TCP_LISTEN)
        way->taken |= wire_between(TCP_CLOSED, TCP_LISTEN);
    way->at = after;
    if (before == after)
        return;
    gone = wires_between(before, after);
    way->moved = true;
    way->taken |= gone;
    if (newest)
        way->newest |= gone;
}

/* --- the picture ----------------------------------------------------------- */

/* A picture stretched to its area. */
struct picture {
    struct area area;
    int reach; /* rows of a state above and below its middle */
};

/* From the table's coordinates to the area's. */
static int row_at(const struct picture *picture, int row)
{
    int most = picture->area.rows - 1 - 2 * picture->reach;

    return picture->reach + row * most / (AUTOMATON_ROWS - 1);
}

static int column_at(const struct picture *picture, int column)
{
    return column * (picture->area.columns - 1) / (AUTOMATON_COLUMNS - 1);
}

static int half_width(const struct picture *picture, enum tcp_state state)
{
    char name[WORDS];

    state_text(state, false, WIDEST, name);
    return (text_width(name) + 1) / 2 + 1 + (picture->reach > 0);
}

static const struct node *node_of(enum tcp_state state, bool ends)
{
    for (int i = ends ? 1 : 0; i < NODES; i++)
        if (nodes[i].state == state)
            return &nodes[i];
    return &nodes[END];
}

static bool covers(const struct picture *picture, const struct node *node,
                   int row, int column)
{
    return abs(row - row_at(picture, node->at.row)) <= picture->reach &&
           abs(column - column_at(picture, node->at.column)) <=
               half_width(picture, node->state);
}

/* A line between two points of one row or column; then its head, where it
 * meets the node. */
struct pen {
    const struct picture *picture;
    const struct node *to;
    enum style style;
    int weight;
    int row, column; /* the last cell outside the node, */
    uint32_t head;   /* and what points from there into it; 0: none yet */
};

static void pen_line(struct pen *pen, int row, int column, int down, int right)
{
    static const uint32_t lines[2][2] = {{0x2502, 0x2500}, {0x2503, 0x2501}};

    if (covers(pen->picture, pen->to, row, column))
        return;
    area_fill(pen->picture->area, row, column, 1, pen->style,
              lines[pen->weight][right != 0]);
    pen->row = row;
    pen->column = column;
    pen->head = down > 0    ? 0x25BC
                : right > 0 ? 0x25BA
                : right < 0 ? 0x25C4
                            : 0x25B2;
}

/* The corner between two directions. */
static void pen_corner(struct pen *pen, int row, int column, int from_right,
                       int down_after, int right_after)
{
    /* down then right, down then left, right then down, left then down */
    static const uint32_t corners[2][4] = {{0x2514, 0x2518, 0x2510, 0x250C},
                                           {0x2517, 0x251B, 0x2513, 0x250F}};
    int which = down_after ? (from_right > 0 ? 2 : 3) : right_after > 0 ? 0 : 1;

    area_fill(pen->picture->area, row, column, 1, pen->style,
              corners[pen->weight][which]);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void draw_wire(const struct picture *picture, const struct wire *wire,
                      enum style style, int weight)
{
    struct pen pen = {picture, node_of(wire->after, true), style, weight, 0, 0,
                      0};
    int right = 0;

    for (int i = 1; i < wire->count; i++) {
        int row = row_at(picture, wire->points[i - 1].row);
        int column = column_at(picture, wire->points[i - 1].column);
        int to_row = row_at(picture, wire->points[i].row);
        int to_column = column_at(picture, wire->points[i].column);
        int down = sign(to_row - row), came = right;

        right = sign(to_column - column);
        pen_line(&pen, row, column, down, right);
        if (i > 1)
            pen_corner(&pen, row, column, came, down, right);
        while (row != to_row || column != to_column) {
            row += down;
            column += right;
            pen_line(&pen, row, column, down, right);
        }
    }
    if (pen.head)
        area_fill(picture->area, pen.row, pen.column, 1, style, pen.head);
}

static void draw_label(const struct picture *picture, const struct wire *wire,
                       enum style style)
{
    int column = column_at(picture, wire->label_at.column);

    if (wire->label_ends)
        column -= text_width(wire->label) - 1;
    area_text(picture->area, row_at(picture, wire->label_at.row), column, style,
              wire->label);
}

/* Ways not gone first, so that those gone lie above them. */
static void draw_wires(const struct picture *picture,
                       const struct automaton_way ways[2])
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < WIRES; i++) {
            uint32_t bit = UINT32_C(1) << i;
            bool client = ways[FLOW_CLIENT].taken & bit;
            bool server = ways[FLOW_SERVER].taken & bit;
            bool now = (ways[0].newest | ways[1].newest) & bit;
            enum style style = client && server ? STYLE_PLAIN
                               : client         ? STYLE_CLIENT
                               : server         ? STYLE_SERVER
                                                : STYLE_DIM;

            if ((client || server) != (pass == 1))
                continue;
            draw_wire(picture, &wires[i], style, pass == 1 ? HEAVY : LIGHT);
            draw_label(picture, &wires[i], now ? STYLE_STRONG : style);
        }
    }
}

static bool is_at(const struct automaton_way *way, int node)
{
    if (way->at != nodes[node].state)
        return false;
    return way->at != TCP_CLOSED || way->moved == (node == END);
}

static void draw_marker(const struct picture *picture, int node,
                        const struct automaton_way *way, enum flow_side side)
{
    int row = row_at(picture, nodes[node].at.row);
    int middle = column_at(picture, nodes[node].at.column);
    int half = half_width(picture, nodes[node].state);

    if (side == FLOW_CLIENT)
        area_printf(picture->area, row, middle - half - 7 - way->assumed,
                    STYLE_CLIENT, "client%s\xE2\x96\xBA",
                    way->assumed ? "?" : "");
    else
        area_printf(picture->area, row, middle + half + 1, STYLE_SERVER,
                    "\xE2\x97\x84server%s", way->assumed ? "?" : "");
}

static void draw_node(const struct picture *picture, int node, bool here)
{
    int row = row_at(picture, nodes[node].at.row);
    int half = half_width(picture, nodes[node].state);
    int left = column_at(picture, nodes[node].at.column) - half;
    struct area place = area_part(picture->area, row - picture->reach, left,
                                  1 + 2 * picture->reach, 2 * half + 1);
    enum style style = !here                                  ? STYLE_PLAIN
                       : nodes[node].state == TCP_ESTABLISHED ? STYLE_GOOD
                                                              : STYLE_STRONG;
    char name[WORDS];

    for (int i = 0; i < place.rows; i++)
        area_fill(place, i, 0, place.columns, STYLE_PLAIN, ' ');
    if (picture->reach > 0)
        area_box(place, "");
    state_text(nodes[node].state, false, WIDEST, name);
    area_text(place, picture->reach, (place.columns - text_width(name)) / 2,
              style, name);
}

void automaton_draw(struct area area, const struct automaton_way ways[2])
{
    struct picture picture = {area, area.rows >= BOXED ? 1 : 0};

    draw_wires(&picture, ways);
    for (int i = 0; i < NODES; i++)
        draw_node(&picture, i, is_at(&ways[0], i) || is_at(&ways[1], i));
    for (int i = 0; i < NODES; i++)
        for (int side = 0; side < 2; side++)
            if (is_at(&ways[side], i))
                draw_marker(&picture, i, &ways[side], (enum flow_side)side);
}
