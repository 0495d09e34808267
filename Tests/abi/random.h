/* Numbers drawn from a seed. (xorshift32: Marsaglia, 2003.) */
#ifndef RANDOM_H
#define RANDOM_H

static inline unsigned next_random(unsigned *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* 0 to below - 1. */
static inline int draw(unsigned *state, int below) {
    return (int)(next_random(state) % (unsigned)below);
}

#endif
