/*
 * 31: Targets.
 *
 * A coroutine's function is a void *(void *), and all that it needs must go through that pointer. A target is any C function,
 * with the signature it has anyway: its prototype, as text, says how to call it. Its arguments are passed by position, as to
 * the function itself; or as values that are checked, by position or by name, and then what has a default may be left out. A
 * text is copied, so that it may change before the coroutine runs. The result is joined as what it is.
 *
 *     $ ./31_targets
 *     int resize(const char *path, int width = 800, int height = 600)
 *     a.png: 640 x 480
 *     307200 pixels
 *     b.png: 800 x 75
 *     60000 pixels
 *     c.png: 800 x 600
 *     480000 pixels
 *     ERANGE: parameter 'width' of resize: 3000000000 does not fit int32_t
 *     coro #4 (resize) failed: EINVAL (Invalid argument): there are no negative pixels
 *     EINVAL: there are no negative pixels
 *     half of 7 is 3.5
 */
#include "must.h"

#include <errno.h>
#include <string.h>

static int resize(const char *path, int width, int height) {
    MUST(coro_sleep(CORO_MS(1))); /* stands for work that waits */
    if (width < 0 || height < 0) return coro_fail(-EINVAL, "there are no negative pixels"), 0;
    printf("%s: %d x %d\n", path, width, height);
    return width * height;
}

/* The same from one text: the prototype is that of the function, whatever becomes of it. */
CORO_TARGET(double, half, (double number)) {
    return number / 2;
}

/* Waits for the result, which is an int. */
static void print_pixels(coro_t co) {
    int pixels;
    int error = co < 0 ? (int)co : coro_join_result(co, &pixels, sizeof pixels, CORO_FOREVER);
    if (error < 0) {
        printf("%s: %s\n", coro_error_name(error), coro_error_detail());
    } else {
        printf("%d pixels\n", pixels);
    }
}

int main(void) {
    coro_target_t target =
        MUST(coro_target_register("int resize(const char *path, int width = 800, int height = 600)", (coro_function)resize));
    char text[80];
    MUST(coro_target_describe(target, text, sizeof text));
    puts(text);

    /* By position, as C does: all arguments, and nobody checks them. */
    char path[] = "a.png";
    coro_t co = MUST(coro_spawn_named("resize", path, 640, 480));
    strcpy(path, "gone");
    print_pixels(co);

    /* As values, by name. */
    const char *const names[] = {"height", "path"};
    print_pixels(coro_spawn_kwargs(target, names, CORO_ARGS(75, "b.png")));

    /* As values, by position. What is wrong is told before anything is run. */
    print_pixels(coro_spawn_args(target, CORO_ARGS("c.png")));
    print_pixels(coro_spawn_args(target, CORO_ARGS("d.png", 3000000000)));

    /* A target fails as every coroutine does. */
    print_pixels(coro_spawn_args(target, CORO_ARGS("e.png", -1)));

    double number;
    target = MUST(coro_target_register(CORO_TARGET_OF(half)));
    MUST(coro_join_result(MUST(coro_spawn_target(target, 7.0)), &number, sizeof number, CORO_FOREVER));
    printf("half of 7 is %g\n", number);
    return 0;
}
