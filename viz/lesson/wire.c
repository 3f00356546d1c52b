/* See wire.h. */
#include "viz/lesson/wire.h"

#include <stdio.h>

struct loss wire_of(const struct block *block)
{
    struct loss loss = {0, 0};

    if (block->line_count > 0) /* fences.c has looked at every line */
        loss_read(&loss, block->lines[block->line_count - 1]);
    return loss;
}

struct loss wire_at(const struct document *document, size_t last)
{
    for (size_t i = last; i-- > 0;)
        if (document->blocks[i].kind == BLOCK_WIRE)
            return wire_of(&document->blocks[i]);
    return (struct loss){0, 0};
}

static const char *ordinal(unsigned n)
{
    if (n / 10 % 10 == 1)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

char *wire_sentence(const struct loss *loss, char text[WIRE_SENTENCE])
{
    if (loss->of == 0)
        snprintf(text, WIRE_SENTENCE, "From here on the wire loses nothing.");
    else if (loss->lost == loss->of)
        snprintf(text, WIRE_SENTENCE,
                 "From here on the wire loses everything: it is cut.");
    else if (loss->lost == 1)
        snprintf(text, WIRE_SENTENCE,
                 "From here on the wire loses every %u%s packet each way, of "
                 "TCP and of UDP.",
                 loss->of, ordinal(loss->of));
    else
        snprintf(text, WIRE_SENTENCE,
                 "From here on the wire loses the last %u of every %u packets "
                 "each way, of TCP and of UDP.",
                 loss->lost, loss->of);
    return text;
}
