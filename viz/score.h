/*
 * What was predicted rightly, kept in the learner's progress file
 * (docs/progress.md) where there is a folder .lab: of the capture at hand, and
 * of all there ever was.
 */
#ifndef VIZ_SCORE_H
#define VIZ_SCORE_H

struct score {
    unsigned right, asked; /* of this prediction, as kept last */
};

/* The score of `source` is that now. Below the number asked before, a new
 * prediction has begun. 0, also when there is no .lab; -1 with errno. */
int score_keep(struct score *kept, const char *source, unsigned right,
               unsigned asked);

#endif
