#include "source.h"

ssize_t produce(void *of_source, void *buffer, size_t n) {
    source *from = of_source;
    if (from->suspends) {
        int code = coro_yield();
        if (code < 0) return code;
    }
    if (from->error) {
        int error = from->error;
        from->error = 0;
        return error;
    }
    size_t left = from->size - from->given;
    if (n > left) n = left;
    if (n > from->most) n = from->most;
    memcpy(buffer, from->bytes + from->given, n);
    from->given += n;
    return (ssize_t)n;
}

source text_source(const char *text, size_t most) {
    return (source){.bytes = text, .size = strlen(text), .most = most};
}

coro_reader *reader_of(source *from, size_t buffer_size) {
    coro_reader *reader = coro_reader_new_with(produce, from, buffer_size);
    CHECK(reader != NULL);
    return reader;
}

void check_line(coro_reader *reader, const char *expected) {
    const char *line;
    CHECK_EQ(coro_reader_read_line(reader, 0, &line), strlen(expected));
    CHECK_STR(line, expected);
}
