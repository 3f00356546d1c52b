/* See place.h. */
#include "viz/views/place.h"

#include "viz/views/lines.h"

size_t place_newest(const struct viewer *viewer)
{
    size_t rows = viewer_rows(viewer);
    size_t n;

    if (rows == 0)
        return SIZE_MAX;
    n = lines_before(viewer->store, viewer_choice(viewer), rows - 1);
    return n < rows ? n : SIZE_MAX;
}

size_t place_of(const struct viewer *viewer, uint64_t number)
{
    uint64_t forgotten = store_forgotten(viewer->store);
    size_t rows = viewer_rows(viewer);

    if (number <= forgotten || number - forgotten > rows ||
        !ladder_shows(store_row(viewer->store, number - forgotten - 1),
                      viewer_choice(viewer)))
        return SIZE_MAX;
    return (size_t)(number - forgotten - 1);
}

uint64_t place_number(const struct viewer *viewer, size_t place)
{
    return store_forgotten(viewer->store) + place + 1;
}

size_t place_select(struct viewer *viewer)
{
    size_t last = place_newest(viewer);
    size_t place = place_of(viewer, viewer->selected);

    if (last == SIZE_MAX)
        return SIZE_MAX;
    if (viewer->follow)
        place = last;
    else if (place == SIZE_MAX)
        place = lines_after(viewer->store, viewer_choice(viewer), 0);
    viewer->selected = place_number(viewer, place);
    return place;
}

void place_move(struct viewer *viewer, size_t place, int by)
{
    size_t last = place_newest(viewer);
    struct choice choice = viewer_choice(viewer);

    for (; by < 0 && place > 0; by++) {
        size_t first = lines_first(viewer->store, choice, place);
        size_t n = first > 0 ? lines_before(viewer->store, choice, first - 1)
                             : place;

        if (n >= place)
            break;
        place = n;
    }
    for (; by > 0 && place < last; by--)
        place = lines_after(viewer->store, choice,
                            lines_last(viewer->store, choice, place) + 1);
    if (place > last)
        place = last;
    viewer->selected = place_number(viewer, place);
    viewer->follow = (viewer->live || viewer->tape.on) && place == last;
}

void place_other_flow(struct viewer *viewer, int by)
{
    size_t count = store_flows(viewer->store);

    for (size_t n = 0; n < count; n++) {
        if (store_flow(viewer->store, n)->id != viewer->connection)
            continue;
        if ((by < 0 && n == 0) || (by > 0 && n + 1 == count))
            return;
        viewer->connection =
            store_flow(viewer->store, by < 0 ? n - 1 : n + 1)->id;
        viewer->only_flow = viewer->connection;
        viewer->selected = 0;
        return;
    }
}

enum view_key place_key(struct viewer *viewer, int key)
{
    size_t place = place_select(viewer);
    int page = viewer->page > 1 ? viewer->page - 1 : 1;

    if (place == SIZE_MAX)
        return VIEW_NOT_HANDLED;
    switch (key) {
    case 'j':
    case INPUT_DOWN:
        place_move(viewer, place, 1);
        break;
    case 'k':
    case INPUT_UP:
        place_move(viewer, place, -1);
        break;
    case INPUT_PAGE_DOWN:
    case 'd' & 0x1F:
        place_move(viewer, place, page);
        break;
    case INPUT_PAGE_UP:
    case 'u' & 0x1F:
        place_move(viewer, place, -page);
        break;
    case 'g':
    case INPUT_HOME:
        place_move(viewer, lines_after(viewer->store, viewer_choice(viewer), 0),
                   0);
        break;
    case 'G':
    case INPUT_END:
        place_move(viewer, place_newest(viewer), 0);
        break;
    case 'h':
    case INPUT_LEFT:
        place_other_flow(viewer, -1);
        break;
    case 'l':
    case INPUT_RIGHT:
        place_other_flow(viewer, 1);
        break;
    default:
        return VIEW_NOT_HANDLED;
    }
    return VIEW_HANDLED;
}

bool viewer_connection(struct viewer *viewer, uint32_t *id)
{
    const struct store_row *row = NULL;
    size_t place;

    if (viewer->view != &view_connections && viewer->only_flow < 0) {
        place = place_select(viewer);
        row = place == SIZE_MAX ? NULL : store_row(viewer->store, place);
    }
    if (row && row->note.flow)
        *id = row->note.flow->id;
    else if (viewer->view != &view_connections && viewer->only_flow >= 0)
        *id = (uint32_t)viewer->only_flow;
    else
        *id = viewer->connection;
    return viewer_flow(viewer, *id) != NULL;
}
