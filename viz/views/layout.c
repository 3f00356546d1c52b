/* See layout.h. */
#include "viz/views/layout.h"

struct layout lay_out(int columns)
{
    struct layout l = {0};
    int at = columns >= 60 ? 1 : 0, gap = columns >= 60 ? 1 : 0;

    l.time = at;
    if (columns >= 46) {
        l.time_columns = columns >= 100 ? 10 : columns >= 60 ? 8 : 6;
        at += l.time_columns + 1;
    }
    l.since = at;
    if (columns >= 100) {
        l.since_columns = 9;
        at += l.since_columns + 1;
    }
    l.id = at;
    l.id_columns = columns >= 100 ? 4 : columns >= 24 ? 2 : 0;
    at += l.id_columns + (l.id_columns > 0 && columns >= 42);
    l.state_columns = columns >= 70   ? 11
                      : columns >= 58 ? 10
                      : columns >= 42 ? 8
                      : columns >= 34 ? 7
                                      : 0;
    if (columns >= 100)
        l.state_columns++;
    l.client = at;
    l.left = at + l.state_columns + gap;
    l.lane = l.left + 1;
    l.letter = columns - 1;
    l.server = l.letter - (columns >= 46) - l.state_columns;
    l.right = l.server - gap - 1;
    l.lane_columns = l.right - l.lane;
    if (l.lane_columns < 0)
        l.lane_columns = 0;
    return l;
}

void text_right(struct area area, int row, int column, int columns,
                enum style style, const char *text)
{
    int width = text_width(text);

    area_text(area_part(area, row, column, 1, columns), 0,
              width < columns ? columns - width : 0, style, text);
}

void text_middle(struct area area, int row, int column, int columns,
                 enum style style, const char *text)
{
    int width = text_width(text);

    area_text(area_part(area, row, column, 1, columns), 0,
              width < columns ? (columns - width) / 2 : 0, style, text);
}
