// Runs all tests, or those named. --list lists them.
#include "harness.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

std::string notified;

namespace {

struct entry {
    const char *name;
    void (*body)();
    bool virtual_time;
};

std::vector<entry> &tests() {
    static std::vector<entry> all;
    return all;
}

int open_descriptors() {
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(folder) != nullptr) n++;
    closedir(folder);
    return n;
}

int note(coro_t, int code, const char *message) {
    notified += std::string(coro_error_name(code)) + ": " + message + "; ";
    return 0;
}

void run(const entry &it) {
    std::printf("%s\n", it.name);
    std::fflush(stdout);
    if (it.virtual_time) coro_test_set_virtual_time(true);
    coro_set_exception_notifier(note);
    (void)coro_backend_name(); // opens the loop's own descriptors
    traced.clear();
    notified.clear();
    const int descriptors = open_descriptors();
    it.body();
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(counted::alive, 0);
    CHECK_EQ(open_descriptors(), descriptors);
}

// In a process of its own, which has 60 seconds.
bool passes(const entry &it) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        try {
            run(it);
        } catch (const std::exception &exception) {
            fail_test(it.name, 0, exception.what());
        }
        std::exit(0);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child && status == 0;
}

} // namespace

test::test(const char *name, void (*body)(), bool virtual_time) { tests().push_back({name, body, virtual_time}); }

void fail_test(const char *file, int line, const std::string &what) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
    std::_Exit(1);
}

int main(int argc, char **argv) {
    if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
        for (const entry &it : tests()) std::puts(it.name);
        return 0;
    }
    int passed = 0;
    for (const entry &it : tests()) {
        bool wanted = argc == 1;
        for (int i = 1; i < argc; i++) wanted |= std::strcmp(argv[i], it.name) == 0;
        if (!wanted) continue;
        if (!passes(it)) return 1;
        passed++;
    }
    std::printf("%d passed\n", passed);
    return passed > 0 ? 0 : 1;
}
