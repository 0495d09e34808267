/* Row H18: buffered reading: by lines, delimiters, lengths and to the end. */
#include "source.h"

TEST(H18_lines_come_whole_however_their_bytes_come) {
    for (size_t most = 1; most < 40; most++) {
        for (size_t size = 1; size < 40; size += 3) {
            source from = text_source("first\n\nthird line, which is longer\r\nlast", most);
            coro_reader *reader = reader_of(&from, size);
            check_line(reader, "first\n");
            check_line(reader, "\n");
            check_line(reader, "third line, which is longer\r\n");
            check_line(reader, "last");
            check_line(reader, "");
            check_line(reader, "");
            CHECK_EQ(coro_reader_free(reader), 0);
        }
    }
}

TEST(H18_a_delimiter_of_several_bytes_is_found_across_refills) {
    static const char text[] = "aab\nab\naabb\nababc--aababc-aababcX";
    for (size_t most = 1; most < sizeof text; most++) {
        const char *data;
        source from = text_source(text, most);
        coro_reader *reader = reader_of(&from, 4);
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), strlen("aab\nab\naabb\nababc--aababc"));
        CHECK_STR(data, "aab\nab\naabb\nababc--aababc");
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), 7);
        CHECK_STR(data, "-aababc");
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), 1);
        CHECK_STR(data, "X");
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), 0);
        CHECK_STR(data, "");
        coro_reader_free(reader);
    }
}

/* The limit is of the length with its delimiter, whatever happens to be in the buffer. */
TEST(H18_without_a_delimiter_within_the_limit_nothing_is_lost) {
    for (size_t most = 1; most < 12; most++) {
        const char *data;
        char all[16] = "";
        source from = text_source("123456\n89", most);
        coro_reader *reader = reader_of(&from, most % 2 ? 2 : 64);
        for (size_t limit = 1; limit < 7; limit++) {
            CHECK_EQ(coro_reader_read_line(reader, limit, &data), -EOVERFLOW);
            CHECK(data == NULL);
            CHECK_CONTAINS(coro_error_detail(), "nothing was taken");
        }
        CHECK(coro_reader_buffered(reader) >= 6);
        CHECK_EQ(coro_reader_read_line(reader, 7, &data), 7);
        CHECK_STR(data, "123456\n");
        CHECK_EQ(coro_reader_read_all(reader, 1, &data), -EOVERFLOW);
        CHECK_EQ(coro_reader_read_exact(reader, all, 2), 2);
        CHECK_STR(all, "89");
        coro_reader_free(reader);
    }
}

TEST(H18_exact_reading_says_how_much_came_before_the_end) {
    char buffer[32] = "";
    source from = text_source("0123456789", 3);
    coro_reader *reader = reader_of(&from, 4);
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 7), 7);
    CHECK_STR(buffer, "0123456");
    memset(buffer, 0, sizeof buffer);
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 7), CORO_EEOF);
    CHECK_EQ(coro_error_progress(), 3);
    CHECK_CONTAINS(coro_error_detail(), "3 of 7");
    CHECK_STR(buffer, "789");
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 1), CORO_EEOF);
    CHECK_EQ(coro_error_progress(), 0);
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 0), 0);
    CHECK_EQ(coro_reader_read(reader, buffer, 5), 0);
    coro_reader_free(reader);
}

TEST(H18_a_peek_takes_nothing_and_what_is_consumed_is_gone) {
    const char *data;
    source from = text_source("GET / HTTP/1.1\r\n", 3);
    coro_reader *reader = reader_of(&from, 4);
    CHECK_EQ(coro_reader_peek(reader, 0, &data), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_reader_peek(reader, 5, &data), coro_reader_buffered(reader));
        CHECK(coro_reader_buffered(reader) >= 5);
        CHECK(memcmp(data, "GET /", 5) == 0);
    }
    CHECK_EQ(coro_reader_consume(reader, 4), 4);
    CHECK_EQ(coro_reader_consume(reader, 30), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "has but ");
    CHECK_EQ(coro_reader_peek(reader, 100, &data), 12); /* all up to the end */
    check_line(reader, "/ HTTP/1.1\r\n");
    coro_reader_free(reader);
}

/* The byte behind a text, where the NUL is, belongs to what comes next. */
TEST(H18_the_NUL_behind_a_text_takes_no_byte) {
    const char *data;
    char byte;
    source from = text_source("a\nb\nc\nd\ne\n", 100);
    coro_reader *reader = reader_of(&from, 16);
    check_line(reader, "a\n");
    CHECK_EQ(coro_reader_peek(reader, 0, &data), 8);
    CHECK(data[0] == 'b');
    check_line(reader, "b\n");
    CHECK_EQ(coro_reader_read(reader, &byte, 1), 1);
    CHECK(byte == 'c');
    CHECK_EQ(coro_reader_consume(reader, 1), 1);
    check_line(reader, "d\n");
    CHECK_EQ(coro_reader_read_all(reader, 0, &data), 2);
    CHECK_STR(data, "e\n");
    coro_reader_free(reader);
}

/* A search that began anew with each byte would take minutes here. */
TEST(H18_a_long_line_byte_by_byte_takes_time_in_proportion) {
    enum { LENGTH = 3 << 20 };
    char *text = malloc(LENGTH + 1);
    memset(text, 'a', LENGTH);
    memcpy(text + LENGTH - 4, "\r\n\r\n", 5);
    source from = text_source(text, 1);
    coro_reader *reader = reader_of(&from, 1);
    CHECK_EQ(coro_reader_read_until(reader, "\r\n\r\n", 4, LENGTH, NULL), LENGTH);
    CHECK_EQ(coro_reader_free(reader), 0);
    free(text);
}
