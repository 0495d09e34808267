/* Row H18: a reader against a model of it: a position in an array. */
#define _GNU_SOURCE
#include "source.h"

static uint64_t random_state;
static size_t random_below(size_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % n;
}

enum { MODEL_SIZE = 3000 };
static char model[MODEL_SIZE];

static size_t model_until(size_t at, const char *delimiter, size_t n, size_t limit, bool *found) {
    size_t most = MODEL_SIZE - at < limit ? MODEL_SIZE - at : limit;
    char *place = memmem(model + at, most, delimiter, n);
    *found = place != NULL;
    return place ? (size_t)(place - (model + at)) + n : most;
}

static size_t step_of_model(coro_reader *reader, size_t at) {
    char buffer[256];
    const char *data = NULL;
    size_t left = MODEL_SIZE - at, n = random_below(200);
    ssize_t got;
    bool found;
    switch (random_below(6)) {
    case 0:
        got = coro_reader_read(reader, buffer, n);
        CHECK(got >= 0 && (size_t)got <= n && (got > 0 || n == 0 || left == 0));
        CHECK(memcmp(buffer, model + at, (size_t)got) == 0);
        return at + (size_t)got;
    case 1:
        got = coro_reader_read_exact(reader, buffer, n);
        if (n > left) {
            CHECK_EQ(got, CORO_EEOF);
            CHECK_EQ(coro_error_progress(), left);
            n = left;
        } else CHECK_EQ(got, n);
        CHECK(memcmp(buffer, model + at, n) == 0);
        return at + n;
    case 2:
    case 3: {
        const char *delimiter = random_below(2) ? "ab" : "aba";
        size_t length = strlen(delimiter), limit = length + random_below(60);
        size_t expected = model_until(at, delimiter, length, limit, &found);
        got = coro_reader_read_until(reader, delimiter, length, limit, &data);
        if (!found && expected == limit) {
            CHECK_EQ(got, -EOVERFLOW);
            return at;
        }
        CHECK_EQ(got, expected);
        CHECK(memcmp(data, model + at, expected) == 0 && data[expected] == 0);
        return at + expected;
    }
    case 4:
        got = coro_reader_peek(reader, n, &data);
        CHECK(got >= 0 && (size_t)got <= left && ((size_t)got >= n || (size_t)got == left));
        CHECK(memcmp(data, model + at, (size_t)got) == 0);
        return at;
    default:
        n = random_below(coro_reader_buffered(reader) + 1);
        CHECK_EQ(coro_reader_consume(reader, n), n);
        return at + n;
    }
}

TEST(H18_agrees_with_a_model) {
    for (uint64_t seed = 1; seed < 300; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15u;
        for (int i = 0; i < MODEL_SIZE; i++) model[i] = "abc\n"[random_below(4)];
        source from = {.bytes = model, .size = MODEL_SIZE, .most = 1 + random_below(1 + random_below(300))};
        coro_reader *reader = reader_of(&from, 1 + random_below(100));
        size_t at = 0;
        for (int end = 0; end < 10;) {
            at = step_of_model(reader, at);
            CHECK_EQ(from.given - coro_reader_buffered(reader), at);
            end += at == MODEL_SIZE;
        }
        coro_reader_free(reader);
    }
}
