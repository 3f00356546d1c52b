/* Functions that other threads ask the loop to run: a list that anybody pushes
 * to, and the loop takes whole. */
#include <errno.h>
#include <stdlib.h>

#include "common/pool/inside.h"

int pool_post(struct pool *pool, void (*fn)(void *arg), void *arg)
{
    struct post *post;

    if (!fn || atomic_load(&pool->stop)) {
        errno = fn ? ECANCELED : EINVAL;
        return -1;
    }
    post = malloc(sizeof *post);
    if (!post)
        return -1;
    post->fn = fn;
    post->arg = arg;
    post->next = atomic_load(&pool->posts);
    while (!atomic_compare_exchange_weak(&pool->posts, &post->next, post))
        ;
    pool_wake(pool);
    return 0;
}

/* The list, the first one first. */
static struct post *take(struct pool *pool)
{
    struct post *latest = atomic_exchange(&pool->posts, NULL), *first = NULL;

    while (latest) {
        struct post *next = latest->next;

        latest->next = first;
        first = latest;
        latest = next;
    }
    return first;
}

void posts_run(struct pool *pool)
{
    struct post *post = take(pool);

    while (post) {
        struct post *next = post->next;

        call_begins(pool, NULL, "posted", post->fn);
        post->fn(post->arg);
        call_ended(pool);
        free(post);
        post = next;
    }
}

void posts_free(struct pool *pool)
{
    struct post *post = take(pool);

    while (post) {
        struct post *next = post->next;

        free(post);
        post = next;
    }
}
