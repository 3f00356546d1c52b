/*
 * The canvas: nothing but printable characters reaches a cell, whatever is
 * drawn and wherever.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/screen/canvas.h"

/* One row of the canvas as text, trailing spaces cut. */
static const char *row_text(struct canvas *canvas, int row)
{
    static char text[65536];
    char *all = NULL, *line;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);

    canvas_print(canvas, out);
    fclose(out);
    line = all;
    while (row-- > 0)
        line = strchr(line, '\n') + 1;
    *strchr(line, '\n') = '\0';
    strncpy(text, line, sizeof text - 1);
    free(all);
    return text;
}

/* Each cell is a printable character or the right half of a wide one. */
static void ck_canvas_sound(const struct canvas *canvas)
{
    for (int row = 0; row < canvas->rows; row++) {
        for (int column = 0; column < canvas->columns; column++) {
            const struct cell *cell =
                &canvas->cells[row * canvas->columns + column];

            if (cell->code == 0) {
                ck_assert_int_gt(column, 0);
                ck_assert_int_eq(code_width(cell[-1].code), 2);
            } else {
                ck_assert_int_ge(code_width(cell->code), 1);
            }
            if (canvas->ascii)
                ck_assert_uint_lt(cell->code, 0x7F);
            ck_assert_uint_lt(cell->style, STYLES);
        }
    }
}

START_TEST(sizes_outside_1_to_1000_are_refused)
{
    static const int bad[][2] = {{0, 5},    {5, 0},    {-1, 5},
                                 {1001, 5}, {5, 1001}, {1 << 30, 1 << 30}};
    struct canvas canvas;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        ck_assert_int_eq(canvas_init(&canvas, bad[i][0], bad[i][1]), -1);
        ck_assert_int_eq(errno, EINVAL);
    }
    ck_assert_int_eq(canvas_init(&canvas, 1000, 1000), 0);
    canvas_fini(&canvas);
}
END_TEST

START_TEST(text_is_cut_at_the_edges_of_its_area)
{
    struct canvas canvas;
    struct area area;

    canvas_init(&canvas, 3, 10);
    area = area_part(canvas_area(&canvas), 1, 2, 1, 4);
    ck_assert_int_eq(area_text(area, 0, 0, STYLE_PLAIN, "abcdefgh"), 4);
    ck_assert_int_eq(area_text(area, 0, 2, STYLE_PLAIN, "XY"), 2);
    ck_assert_int_eq(area_text(area, 5, 0, STYLE_PLAIN, "below"), 4);
    area_text(area, 0, -1, STYLE_PLAIN, "12");
    ck_assert_str_eq(row_text(&canvas, 0), "");
    ck_assert_str_eq(row_text(&canvas, 1), "  2bXY");
    ck_assert_str_eq(row_text(&canvas, 2), "");
    canvas_fini(&canvas);
}
END_TEST

/* What must not reach a terminal, and what is shown for it. */
static const struct {
    const char *bytes, *shown;
} harmful[] = {
    {"a\x1B[31mb", "a.[31mb"},    /* CSI */
    {"a\x1B]0;x\x07", "a.]0;x."}, /* OSC, BEL */
    {"a\x9B"
     "31m",
     "a.31m"}, /* CSI in one byte */
    {"a\xC2\x9B"
     "31m",
     "a.31m"}, /* the same in UTF-8 */
    {"a\x7F"
     "b\r\n",
     "a.b.."}, /* DEL, CR, LF */
    {"a\xE2\x80\xAE"
     "b",
     "a.b"}, /* U+202E override */
    {"a\xE2\x81\xA6"
     "b",
     "a.b"}, /* U+2066 isolate */
    {"a\xD8\x9C"
     "b",
     "a.b"}, /* U+061C Arabic letter mark */
    {"a\xE2\x80\x8B"
     "b",
     "a.b"}, /* U+200B zero width */
    {"a\xE2\x80\x8D"
     "b",
     "a.b"}, /* U+200D joiner */
    {"a\xEF\xBB\xBF"
     "b",
     "a.b"}, /* U+FEFF */
    {"a\xC2\xAD"
     "b",
     "a.b"}, /* soft hyphen */
    {"a\xF3\xA0\x81\x81"
     "b",
     "a.b"}, /* U+E0041 tag */
    {"a\xEE\x80\x80"
     "b",
     "a.b"}, /* U+E000 private */
    {"a\xEF\xBF\xBE"
     "b",
     "a.b"}, /* U+FFFE */
    {"a\xE2\x80\xA8"
     "b",
     "a.b"}, /* U+2028 */
    {"a\xFF\xFE"
     "b",
     "a..b"},                       /* no UTF-8 at all */
    {"a\xC0\x9B", "a.."},           /* overlong */
    {"a\xE0\x80\x9B", "a..."},      /* overlong */
    {"a\xED\xA0\x80", "a..."},      /* surrogate */
    {"a\xF4\x90\x80\x80", "a...."}, /* past U+10FFFF */
    {"a\xE2\x94", "a.."},           /* cut short */
    {"e\xCC\x81x", "ex"},           /* a mark over e is left out */
    {"\xC3\xA9\xE2\x94\x80\xE6\xBC\xA2", "\xC3\xA9\xE2\x94\x80\xE6\xBC\xA2"},
};

START_TEST(what_a_terminal_would_obey_becomes_a_dot)
{
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++) {
        struct canvas canvas;

        canvas_init(&canvas, 1, 40);
        area_text(canvas_area(&canvas), 0, 0, STYLE_PLAIN, harmful[i].bytes);
        ck_assert_str_eq(row_text(&canvas, 0), harmful[i].shown);
        ck_canvas_sound(&canvas);
        canvas_fini(&canvas);
    }
}
END_TEST

START_TEST(a_wide_character_never_loses_one_half)
{
    struct canvas canvas;
    struct area area;

    canvas_init(&canvas, 1, 6);
    area = canvas_area(&canvas);
    ck_assert_int_eq(
        area_text(area, 0, 0, STYLE_PLAIN, "\xE6\xBC\xA2\xE5\xAD\x97"), 4);
    area_text(area, 0, 1, STYLE_PLAIN, "x");
    ck_assert_str_eq(row_text(&canvas, 0), " x\xE5\xAD\x97");
    area_text(area, 0, 2, STYLE_PLAIN, "y");
    ck_assert_str_eq(row_text(&canvas, 0), " xy");
    area_text(area, 0, 5, STYLE_PLAIN, "\xE6\xBC\xA2"); /* no room */
    ck_assert_str_eq(row_text(&canvas, 0), " xy  .");
    ck_canvas_sound(&canvas);
    canvas_fini(&canvas);
}
END_TEST

START_TEST(prose_wraps_at_spaces_and_measures_without_drawing)
{
    struct canvas canvas;
    struct area area;
    const char *text = "one two three\nfour abcdefghijklm";

    canvas_init(&canvas, 8, 8);
    area = canvas_area(&canvas);
    ck_assert_int_eq(area_wrap(area, 0, 0, STYLE_PLAIN, text), 5);
    ck_assert_str_eq(row_text(&canvas, 0), "one two");
    ck_assert_str_eq(row_text(&canvas, 1), "three");
    ck_assert_str_eq(row_text(&canvas, 2), "four");
    ck_assert_str_eq(row_text(&canvas, 3), "abcdefgh");
    ck_assert_str_eq(row_text(&canvas, 4), "ijklm");
    ck_assert_int_eq(
        area_wrap(area_part(area, 0, 0, 0, 8), 0, 0, STYLE_PLAIN, text), 5);
    ck_assert_int_eq(area_wrap(area, 0, 0, STYLE_PLAIN, ""), 0);
    canvas_fini(&canvas);
}
END_TEST

START_TEST(a_part_stays_inside_its_area)
{
    struct canvas canvas;
    struct area area, part;

    canvas_init(&canvas, 10, 20);
    area = area_part(canvas_area(&canvas), 2, 3, 5, 7);
    part = area_part(area, 4, 6, 100, 100);
    ck_assert_int_eq(part.rows, 1);
    ck_assert_int_eq(part.columns, 1);
    part = area_part(area, 99, -5, 3, 4);
    ck_assert_int_eq(part.rows, 0);
    ck_assert_int_eq(part.columns, 0);
    part = area_part(area, 1, 1, 2147483647, 2147483647);
    ck_assert_int_eq(part.rows, 4);
    ck_assert_int_eq(part.columns, 6);
    area_fill(part, 0, -3, 2147483647, STYLE_PLAIN, '#');
    ck_assert_str_eq(row_text(&canvas, 3), "    ######");
    canvas_fini(&canvas);
}
END_TEST

START_TEST(an_ascii_canvas_holds_ascii_only)
{
    struct canvas canvas;

    canvas_init(&canvas, 4, 20);
    canvas.ascii = true;
    area_box(canvas_area(&canvas), "\xE2\x9C\x93 t\xC3\xAFtle");
    area_text(canvas_area(&canvas), 1, 1, STYLE_PLAIN,
              "\xE2\x94\x80\xE2\x94\x80\xE2\x96\xBA \xE6\xBC\xA2");
    ck_canvas_sound(&canvas);
    ck_assert_str_eq(row_text(&canvas, 0), "+- x t?tle --------+");
    ck_assert_str_eq(row_text(&canvas, 1), "|--> ?             |");
    canvas_fini(&canvas);
}
END_TEST

START_TEST(random_bytes_anywhere_leave_a_sound_canvas)
{
    srandom(7);
    for (int run = 0; run < 400; run++) {
        struct canvas canvas;
        char bytes[64];

        canvas_init(&canvas, 1 + (int)(random() % 6), 1 + (int)(random() % 40));
        canvas.ascii = random() % 4 == 0;
        for (int i = 0; i < 40; i++) {
            struct area area = area_part(
                canvas_area(&canvas), (int)(random() % 9) - 2,
                (int)(random() % 50) - 5, (int)(random() % 9) - 1,
                (int)(random() % 50) - 2);

            for (size_t n = 0; n < sizeof bytes; n++)
                bytes[n] = (char)(random() % 3 ? random()
                                               : random() % 64 + 128);
            area_textn(area, (int)(random() % 8) - 2, (int)(random() % 50) - 9,
                       (enum style)(random() % STYLES), bytes,
                       (size_t)(random() % 64));
            area_fill(area, 0, (int)(random() % 50) - 9, (int)(random() % 9),
                      STYLE_DIM, (uint32_t)random() % 0x120000);
            bytes[63] = '\0';
            area_wrap(area, 0, (int)(random() % 9) - 2, STYLE_PLAIN, bytes);
        }
        ck_canvas_sound(&canvas);
        canvas_fini(&canvas);
    }
}
END_TEST

START_TEST(an_svg_keeps_text_as_text_and_no_markup_of_it)
{
    struct canvas canvas;
    char *svg = NULL, *again = NULL;
    size_t size = 0, size_again = 0;
    FILE *out = open_memstream(&svg, &size);

    ck_assert_int_eq(canvas_init(&canvas, 2, 20), 0);
    area_text(canvas_area(&canvas), 0, 3, STYLE_BAD, "<b>\033[31m&\xC3\xA9");
    area_fill(canvas_area(&canvas), 1, 0, 20, STYLE_BAR, ' ');
    canvas_svg(&canvas, "a < b", out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(svg, "<title>a &lt; b</title>"));
    ck_assert_ptr_nonnull(strstr(
        svg, "<text class=\"b\" x=\"36\" y=\"22\" textLength=\"90\" "
             "xml:space=\"preserve\">&lt;b&gt;.[31m&amp;\xC3\xA9</text>"));
    ck_assert_ptr_nonnull(strstr(svg, "class=\"barred\" x=\"9\" y=\"26\" "
                                      "width=\"180\" height=\"17\""));
    out = open_memstream(&again, &size_again);
    canvas_svg(&canvas, "a < b", out);
    fclose(out);
    ck_assert_str_eq(svg, again);
    free(svg);
    free(again);
    canvas_fini(&canvas);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("canvas");
    TCase *tcase = tcase_create("canvas");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, sizes_outside_1_to_1000_are_refused);
    tcase_add_test(tcase, text_is_cut_at_the_edges_of_its_area);
    tcase_add_test(tcase, what_a_terminal_would_obey_becomes_a_dot);
    tcase_add_test(tcase, a_wide_character_never_loses_one_half);
    tcase_add_test(tcase, prose_wraps_at_spaces_and_measures_without_drawing);
    tcase_add_test(tcase, a_part_stays_inside_its_area);
    tcase_add_test(tcase, an_ascii_canvas_holds_ascii_only);
    tcase_add_test(tcase, random_bytes_anywhere_leave_a_sound_canvas);
    tcase_add_test(tcase, an_svg_keeps_text_as_text_and_no_markup_of_it);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
