/* See shot.h. */
#include "viz/shot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/screen/screen.h"
#include "viz/views/view.h"

enum { STATUS_CANNOT = 2 };

static int write_svg(const struct shot *shot, const struct canvas *canvas,
                     const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "we");
    bool failed = !out;

    if (out) {
        canvas_svg(canvas, shot->title, out);
        failed = ferror(out) | (standard ? fflush(out) : fclose(out));
    }
    if (!failed)
        return 0;
    fprintf(stderr, "viz: --svg %s cannot be written: %s.\n", path,
            strerror(errno));
    return STATUS_CANNOT;
}

static int press_all(const struct shot *shot, struct canvas *canvas,
                     const char *keys)
{
    while (*keys) {
        int key = viewer_key_from_text(&keys);

        if (key == INPUT_NONE) {
            fprintf(stderr,
                    "viz: --keys: no key is called %.20s. Type j, k, <Enter>, "
                    "<Esc>, <Space>, <Tab>, <Up>, <Down>, <Left>, <Right>, "
                    "<PgUp>, <PgDn>, <Home> or <End>.\n",
                    keys);
            return STATUS_CANNOT;
        }
        if (!shot->press(shot->self, key))
            return 0;
        shot->draw(shot->self, canvas);
    }
    return 0;
}

int shot_take(const struct shot *shot, const struct options *options)
{
    struct canvas canvas;
    int status;

    if (canvas_init(&canvas, options->dump_rows, options->dump_columns) < 0) {
        fprintf(stderr,
                "viz: --dump %dx%d: a screen has 1 to %d columns and 1 to %d "
                "rows, as in --dump 80x24.\n",
                options->dump_columns, options->dump_rows, CANVAS_MOST_COLUMNS,
                CANVAS_MOST_ROWS);
        return STATUS_CANNOT;
    }
    canvas.ascii = shot->ascii;
    shot->draw(shot->self, &canvas);
    status = press_all(shot, &canvas, options->keys);
    if (status == 0 && options->svg_path)
        status = write_svg(shot, &canvas, options->svg_path);
    else if (status == 0)
        canvas_print(&canvas, stdout);
    canvas_fini(&canvas);
    return status;
}
