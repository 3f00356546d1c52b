/*
 * The key x: one connection of what is on the screen goes into a new file, as
 * --export writes it. Files are made with the reader's own rights, after all
 * others were given up; one that is there already is never touched.
 */
#ifndef VIZ_SAVE_H
#define VIZ_SAVE_H

#include "viz/events/store.h"
#include "viz/options.h"

/* A name that is free now: .lab/connection-3.txt where there is a folder .lab,
 * else in the current one. */
void save_name(uint32_t connection, char *path, size_t size);

/* Write it: 0, or -1 when there is no such file now. What a person is to be
 * told of that, in one line, into `said`. As .pcap its packets are read again,
 * from the file that is shown or that -w writes. */
int save_connection(const struct options *options, const struct store *store,
                    uint32_t connection, const char *path, char *said,
                    size_t size);

#endif
