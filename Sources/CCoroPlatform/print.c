/* The variadic function of coro.h: Swift can't define one. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))

/* As coro.h declares them. */
extern void coro_write_stderr(const char *text);
extern void coro_print_stderr(const char *format, ...) __attribute__((format(printf, 1, 2)));

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
