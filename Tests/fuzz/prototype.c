/*
 * What libFuzzer feeds to the parser of prototypes. An input that begins with '{' is the fields of a struct, any other a
 * prototype. What is taken must read the same in its one spelling, what is not must have a place and a reason, and nothing may
 * be left behind: all runs with AddressSanitizer, and LeakSanitizer at the end.
 */
#include <coro.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                             \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, coro_error_detail()); \
            abort();                                                                                \
        }                                                                                           \
    } while (0)

static void some_function(void) {}

/* "line 2, column 7: why, near 'what'", with a place that is in the text. */
static void check_refusal(const char *text) {
    const char *detail = coro_error_detail();
    int line, column;
    MUST(sscanf(detail, "line %d, column %d: ", &line, &column) == 2 && strstr(detail, ", near ") != NULL);
    for (; line > 1; line--) {
        text = strchr(text, '\n');
        MUST(text != NULL);
        text++;
    }
    MUST(column >= 1 && (size_t)column <= strcspn(text, "\n") + 1);
}

static char *description(coro_target_t target) {
    int length = coro_target_describe(target, NULL, 0);
    MUST(length > 0);
    char *text = malloc((size_t)length + 1);
    MUST(coro_target_describe(target, text, (size_t)length + 1) == length && strlen(text) == (size_t)length);
    return text;
}

static void try_prototype(const char *text) {
    coro_target_t target = coro_target_register(text, some_function);
    if (target < 0) {
        MUST(target == -EINVAL);
        check_refusal(text);
        return;
    }
    char *once = description(target);
    ssize_t size = coro_target_result_size(target);
    MUST(coro_target_unregister(target) == 0);
    target = coro_target_register(once, some_function);
    MUST(target > 0 && coro_target_result_size(target) == size);
    char *twice = description(target);
    if (strcmp(once, twice) != 0) fprintf(stderr, "%s\n%s\n", once, twice);
    MUST(strcmp(once, twice) == 0);
    MUST(coro_target_unregister(target) == 0);
    free(once);
    free(twice);
}

/* Structs are never forgotten, so most go by one name: all but the first are refused when they have been read. */
static void try_struct(const char *fields) {
    static int count;
    char name[32] = "known";
    if (count < 50) snprintf(name, sizeof name, "fuzzed_%d", count);
    int code = coro_struct_register(name, fields);
    if (code == -EINVAL) {
        check_refusal(fields);
    } else if (code == 0) {
        ssize_t size = coro_struct_size(name);
        MUST(size > 0 && size <= 65536);
        MUST(coro_struct_register(name, fields) == 0);
        count++;
    } else {
        MUST(code == -EEXIST && count >= 50);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    MUST(coro_struct_register("known", "int a; double b;") == 0);
    MUST(coro_struct_register("owned", "char text[3];") == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    char *text = malloc(size + 1); /* as long as it is, so that a byte too far is found */
    memcpy(text, data, size);
    text[size] = 0;
    if (text[0] == '{') try_struct(text + 1);
    else try_prototype(text);
    free(text);
    return 0;
}
