/*
 * For tests in which the system says no: the calls of a table fail, the first,
 * the second, ... with an errno of their man page, or many at random. Define
 * CALLS(X), a row X(name, errno, ...) a call, before you include this; catch
 * each with WRAP() or by hand, and the linker's --wrap (see the Makefile).
 * malloc(3) and calloc(3) are caught here, and their blocks counted.
 */
#ifndef TESTS_UNIT_FAULTS_H
#define TESTS_UNIT_FAULTS_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef CALLS /* who has no table */
#define CALLS(X) X(malloc, ENOMEM) X(calloc, ENOMEM)
#endif

enum { ERRNOS = 12 };

struct call {
    const char *name;
    int errnos[ERRNOS];
};

#define NUMBER(name, ...) CALL_##name,
enum { CALLS(NUMBER) CALL_COUNT };
#define ROW(name, ...) {#name, {__VA_ARGS__}},
static const struct call calls[] = {CALLS(ROW)};

static struct fault {
    _Atomic int call; /* which fails; -1: none; CALL_COUNT: any, at random */
    _Atomic int error;
    _Atomic int left; /* so many calls of it come through before */
    _Atomic unsigned seed;
    atomic_int happened;
    atomic_long blocks; /* allocated and not yet freed */
} fault = {.call = -1};

static bool due(int call)
{
    if (fault.call == CALL_COUNT) {
        unsigned turn = atomic_fetch_add(&fault.seed, 2654435761U) *
                        2246822519U;
        const int *errnos = calls[call].errnos;
        int count = 0;

        turn ^= turn >> 15;
        if (turn % 24 != 0)
            return false;
        while (count < ERRNOS && errnos[count])
            count++;
        atomic_fetch_add(&fault.happened, 1);
        errno = errnos[turn / 24 % (unsigned)count];
        return true;
    }
    if (fault.call != call || atomic_fetch_sub(&fault.left, 1) != 0)
        return false;
    fault.happened = 1;
    errno = fault.error;
    return true;
}

#define WRAP(type, name, bad, parameters, arguments) \
    type __real_##name parameters;                   \
    type __wrap_##name parameters;                   \
    type __wrap_##name parameters                    \
    {                                                \
        if (due(CALL_##name))                        \
            return bad;                              \
        return __real_##name arguments;              \
    }

/* Allocations are counted: all that the play took must have come back. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add(&fault.blocks, 1);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return due(CALL_malloc) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return due(CALL_calloc) ? NULL : counted(__real_calloc(count, size));
}

void __wrap_free(void *block)
{
    if (block)
        atomic_fetch_sub(&fault.blocks, 1);
    __real_free(block);
}

#endif
