/* A gate for blocking work: who comes waits, on its thread, until it is opened for one more. */
#ifndef GATE_H
#define GATE_H

#include "harness.h"

#include <semaphore.h>

typedef struct gate {
    sem_t opened;
    int runs;   /* how many have come */
    int passed; /* and have gone on */
} gate;

gate new_gate(void);
void open_gate(gate *gate, int n);
/* How many have come. */
int gate_runs(gate *gate);
/* Runs others until that many have come. */
void await_runs(gate *gate, int n);
/* The same until that many have gone on. */
void await_passed(gate *gate, int n);

/* For coro_blocking(): comes to the gate; returns the how manieth it was to go on, as AS_POINTER. */
void *pass_gate(void *of_gate);
/* A coroutine: coro_blocking() of that; its result is what that returned. Fails with what the call fails with. */
void *call_gate(void *of_gate);

#endif
