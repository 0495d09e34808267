/* The variadic functions of coro.h: Swift can't define one. */
#include "coro_memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))

/* As coro.h declares them. */
extern void coro_write_stderr(const char *text);
extern void coro_print_stderr(const char *format, ...) __attribute__((format(printf, 1, 2)));
typedef struct coro_writer coro_writer;
extern ssize_t coro_writer_write(coro_writer *writer, const void *data, size_t n);
extern ssize_t coro_writer_print(coro_writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ours, in Swift: reports an error of coro_writer_print(), and returns it. */
extern int32_t coro_writer_refuse_text(int32_t error);

EXPORTED void coro_print_stderr(const char *format, ...) {
    int before = errno;
    char few[256], *text = few;
    va_list arguments;
    va_start(arguments, format);
    int length = format == NULL ? snprintf(few, sizeof few, "(null)") : vsnprintf(few, sizeof few, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text = (char *)format; /* what can't be formatted is written as it is */
    } else if ((size_t)length >= sizeof few && (text = malloc((size_t)length + 1)) != NULL) {
        errno = before; /* for %m */
        va_start(arguments, format);
        vsnprintf(text, (size_t)length + 1, format, arguments);
        va_end(arguments);
    } else if (text == NULL) {
        text = few;
    }
    errno = before;
    coro_write_stderr(text);
    if (text != few && text != format) free(text);
    errno = before;
}

EXPORTED ssize_t coro_writer_print(coro_writer *writer, const char *format, ...) {
    int before = errno;
    char few[512], *text = few;
    va_list arguments;
    if (format == NULL) return coro_writer_refuse_text(-EINVAL);
    va_start(arguments, format);
    int length = vsnprintf(few, sizeof few, format, arguments);
    va_end(arguments);
    if (length < 0) return coro_writer_refuse_text(-errno);
    if ((size_t)length >= sizeof few) {
        text = coro_memory_allocate((size_t)length + 1, 16);
        if (text == NULL) return coro_writer_refuse_text(-ENOMEM);
        errno = before; /* for %m */
        va_start(arguments, format);
        vsnprintf(text, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    ssize_t result = coro_writer_write(writer, text, (size_t)length);
    if (text != few) coro_memory_free(text);
    return result;
}
