#include "gate.h"

gate new_gate(void) {
    gate gate = {.runs = 0};
    CHECK_EQ(sem_init(&gate.opened, 0, 0), 0);
    return gate;
}

void open_gate(gate *gate, int n) {
    for (int i = 0; i < n; i++) CHECK_EQ(sem_post(&gate->opened), 0);
}

int gate_runs(gate *gate) {
    return __atomic_load_n(&gate->runs, __ATOMIC_SEQ_CST);
}

static void await_count(const int *count, int n) {
    while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < n) {
        CHECK_EQ(coro_yield_slice(), 0); /* no sleep: virtual time may stand still */
        usleep(100);
    }
    CHECK_EQ(__atomic_load_n(count, __ATOMIC_SEQ_CST), n);
}

void await_runs(gate *gate, int n) {
    await_count(&gate->runs, n);
}

void await_passed(gate *gate, int n) {
    await_count(&gate->passed, n);
}

void *pass_gate(void *of_gate) {
    gate *gate = of_gate;
    __atomic_fetch_add(&gate->runs, 1, __ATOMIC_SEQ_CST);
    while (sem_wait(&gate->opened) != 0) CHECK_EQ(errno, EINTR);
    return AS_POINTER(__atomic_add_fetch(&gate->passed, 1, __ATOMIC_SEQ_CST));
}

void *call_gate(void *of_gate) {
    void *result = of_gate;
    int error = coro_blocking(pass_gate, of_gate, &result);
    if (error == 0) return result;
    CHECK(result == NULL);
    return coro_fail(error, NULL);
}
