// Targets: C++ functions for all languages, and C's from C++.
#include "harness.hpp"

#include <cstring>

namespace {

struct point {
    double x, y;
};
struct wrong {
    int a, b;
};
enum class colour : std::uint8_t { red = 1, green = 2 };

extern "C" int c_length(const char *text, int times) {
    coro_yield();
    return static_cast<int>(std::strlen(text)) * times;
}

} // namespace

template <> struct coro::layout<point> {
    static constexpr const char *name = "point", *fields = "double x; double y;";
};
template <> struct coro::layout<wrong> {
    static constexpr const char *name = "wrong", *fields = "int a;";
};

TEST(L5_cpp_target_has_the_prototype_of_its_function) {
    coro::target named("resize(path, width = 800)", [](const char *, int) { return 1L; });
    CHECK_EQ(named.describe(), "long resize(const char *path, int width = 800)");
    coro::target bare("bare", [](unsigned char, bool, char, std::uint16_t, double *, const point *) {});
    CHECK_EQ(bare.describe(), "void bare(uint8_t, bool, char, uint16_t, void *, const void *)");
    coro::target nameless("", [](float, long double, unsigned long long) -> const char * { return nullptr; });
    CHECK_EQ(nameless.describe(), "const char *(float, long double, unsigned long long)");
    coro::target none("none()", []() noexcept { return colour::red; });
    CHECK_EQ(none.describe(), "uint8_t none(void)");
    coro::target quoted(R"--(quoted(separator = ", \"", borrowed end = ")", c = ','))--",
                        [](const char *, const char *, char) {});
    const std::string spelled =
        R"--(void quoted(const char *separator = ", \"", borrowed const char *end = ")", char c = ','))--";
    CHECK_EQ(quoted.describe(), spelled);
}

TEST(L5_cpp_target_is_spawned_with_checked_arguments) {
    coro::target resize("resize(path, width = 800)", [](const char *path, int width) {
        coro::sleep_for(1ms);
        return std::strlen(path) * static_cast<std::size_t>(width);
    });
    std::string path = "four";
    coro::task<std::size_t> task = resize.spawn(path.c_str(), 2);
    path = "gone and overwritten"; // it has a copy
    CHECK_EQ(task.join(), std::size_t{8});
    CHECK_EQ(resize.spawn("ab").join(), std::size_t{1600});
    CHECK_CODE(-EINVAL, resize.spawn());
    auto named = resize.spawn(coro::options().name("thumbnail").start_now(), "x", 1);
    char name[20];
    coro_get_name(named.id(), name, sizeof name);
    CHECK_EQ(std::string(name), "thumbnail");
    CHECK_EQ(named.join_for(1s), std::size_t{1});
}

TEST(L5_cpp_target_is_started_from_c) {
    coro::target add("cpp_add(a, b = 10)", [](std::int8_t a, std::int8_t b) { return static_cast<std::int8_t>(a + b); });
    const coro_t co = coro_spawn_named("cpp_add", 3, 4);
    std::int8_t sum = 0;
    CHECK_EQ(coro_join_result(co, &sum, sizeof sum, CORO_FOREVER), 0);
    CHECK_EQ(int{sum}, 7);
    CHECK_EQ(int{coro::spawn_named<std::int8_t>("cpp_add", coro::arg("a", -5)).join()}, 5);
}

TEST(L5_cpp_c_targets_are_started_by_name_and_by_id) {
    const coro_target_t id =
        coro_target_register("int c_length(const char *text, int times = 3)", reinterpret_cast<coro_function>(c_length));
    CHECK(id > 0);
    CHECK_EQ(coro::spawn_named<int>("c_length", std::string("ab")).join(), 6);
    CHECK_EQ(coro::spawn_target<int>(id, "ab", 4).join(), 8);
    const auto how = coro::options().name("by name");
    CHECK_EQ(coro::spawn_target<int>(how, id, coro::arg("times", 2), coro::arg("text", "abc")).join(), 6);
    coro::spawn_target(id, "ab").join(); // the result is not wanted
    CHECK_CODE(-EINVAL, coro::spawn_target<int>(id, 7));
    CHECK_CODE(-EINVAL, coro::spawn_target<int>(id, "ab", coro::arg("height", 7)));
    CHECK_CODE(-ERANGE, coro::spawn_target<int>(id, "ab", std::int64_t{1} << 40));
    CHECK_CODE(-ENOENT, coro::spawn_named<int>("no_such_target"));
    auto other = coro::spawn_target<char>(id, "ab");
    CHECK_CODE(-EINVAL, other.join()); // another size
    CHECK(other.joinable());
    CHECK_EQ(coro_target_unregister(id), 0);
    CHECK_CODE(-ESRCH, coro::spawn_target<int>(id, "ab"));
}

TEST(L5_cpp_target_takes_structs_enums_and_pointers) {
    coro::target middle("middle", [](point a, point b) { return point{(a.x + b.x) / 2, (a.y + b.y) / 2}; });
    const point its = middle.spawn(point{1, 2}, point{3, 8}).join();
    CHECK_EQ(its.x, 2.0);
    CHECK_EQ(its.y, 5.0);
    CHECK_EQ(coro::spawn_named<point>("middle", point{0, 0}, point{2, 4}).join().y, 2.0);
    coro::target mixed("mixed", [](colour c, long double wide, int *out, float f, bool b) {
        *out = static_cast<int>(c) + static_cast<int>(wide) + static_cast<int>(f) + b;
        return c;
    });
    int out = 0;
    CHECK(mixed.spawn(colour::green, 10.0L, &out, 100.0f, true).join() == colour::green);
    CHECK_EQ(out, 113);
    CHECK(coro::spawn_named<colour>("mixed", colour::red, 10.0L, &out, 0.5, false).join() == colour::red);
    CHECK_EQ(out, 11);
    coro::target text("text", [](bool null) -> const char * { return null ? nullptr : "text"; });
    CHECK_EQ(std::string(text.spawn(false).join()), "text");
    CHECK(text.spawn(true).join() == nullptr);
}

TEST(L5_cpp_target_refuses_what_it_can_not_be) {
    const auto shared = std::make_shared<counted>();
    auto takes = [shared](int) {};
    const coro::target first("taken", takes);
    CHECK_CODE(-EEXIST, coro::target("taken", takes));
    CHECK_CODE(-EINVAL, coro::target("f(a, b)", takes));
    CHECK_CODE(-EINVAL, coro::target("f(a", takes));
    CHECK_CODE(-EINVAL, coro::target("two words(a)", takes));
    CHECK_CODE(-EINVAL, coro::target("f(a = \"text\")", takes));
    CHECK_CODE(-EINVAL, coro::target("takes_wrong", [](wrong) {}));
    CHECK_EQ(shared.use_count(), 3L); // here, in `takes`, and in the first
}

TEST(L5_cpp_what_a_target_throws_is_its_failure) {
    coro::target fails("fails", [](bool with_code) -> int {
        if (with_code) throw coro::error(-EPIPE, "nobody reads");
        throw std::out_of_range("seven");
    });
    auto task = fails.spawn(false);
    try {
        task.join();
        CHECK(false);
    } catch (const coro::error &error) {
        CHECK_EQ(error.code().value(), CORO_EFAILED);
        CHECK_EQ(error.detail(), "seven");
    }
    CHECK(!task.joinable());
    CHECK_CODE(-EPIPE, fails.spawn(true).join());
}

TEST(L5_cpp_target_is_shut_down_and_cancelled) {
    coro::target waits("waits", [](const char *) {
        struct guard {
            ~guard() { trace("unwound"); }
        } at_end;
        coro::sleep_for(coro::forever);
    });
    auto task = waits.spawn("a");
    coro::yield();
    task.shutdown();
    CHECK_THROWS(coro::cancelled_error, task.join());
    CHECK_EQ(traced, "unwound ");
    CHECK_THROWS(coro::timeout_error, waits.spawn("b").join_for(1ms)); // its destructor ends it
    auto never = waits.spawn("c");
    never.shutdown();
    CHECK_THROWS(coro::cancelled_error, never.join());
}

TEST(L5_cpp_target_lives_as_long_as_what_it_started) {
    coro::task<int> task;
    {
        coro::target short_lived("short_lived", [it = counted(5)] {
            coro::sleep_for(1ms);
            return it.value;
        });
        task = short_lived.spawn();
        coro::yield();
    }
    CHECK_EQ(counted::alive, 1);
    CHECK_CODE(-ENOENT, coro::spawn_named("short_lived"));
    CHECK_EQ(task.join(), 5);
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_any_coroutine_can_be_a_task) {
    int number = 3;
    coro::task<void *> task(coro_spawn([](void *argument) { return argument; }, &number));
    CHECK(task.join() == &number);
    coro::task<> failing(coro_spawn([](void *) { return coro_fail(-EPIPE, "nobody reads"); }, nullptr));
    CHECK_EQ(CHECK_THROWS(coro::error, failing.join()), "nobody reads: Broken pipe");
    coro::task<> none;
    CHECK_CODE(-EINVAL, none.join());
    coro::task<std::string> no_bytes;
    CHECK_CODE(-EINVAL, no_bytes.join());
}
