/*
 * A canvas as plain text: what `viz --dump` prints, what the golden screens
 * are compared with, and what text mode sends line by line.
 */
#include "viz/screen/canvas.h"

void code_print(uint32_t code, FILE *out)
{
    if (code < 0x80) {
        putc((int)code, out);
    } else if (code < 0x800) {
        putc((int)(0xC0 | code >> 6), out);
        putc((int)(0x80 | (code & 0x3F)), out);
    } else if (code < 0x10000) {
        putc((int)(0xE0 | code >> 12), out);
        putc((int)(0x80 | (code >> 6 & 0x3F)), out);
        putc((int)(0x80 | (code & 0x3F)), out);
    } else {
        putc((int)(0xF0 | code >> 18), out);
        putc((int)(0x80 | (code >> 12 & 0x3F)), out);
        putc((int)(0x80 | (code >> 6 & 0x3F)), out);
        putc((int)(0x80 | (code & 0x3F)), out);
    }
}

void canvas_print(const struct canvas *canvas, FILE *out)
{
    const struct cell *row = canvas->cells;

    for (int i = 0; i < canvas->rows; i++, row += canvas->columns) {
        int end = canvas->columns;

        while (end > 0 && row[end - 1].code == ' ')
            end--;
        for (int column = 0; column < end; column++) {
            if (row[column].code != 0) /* the right half of a wide one */
                code_print(row[column].code, out);
        }
        putc('\n', out);
    }
}
