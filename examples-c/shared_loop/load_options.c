/* The load client's command line. */
#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: shared_loop_load_client --echo-port N --line-port N [option]...\n"
    "  --clients N         how many, all connected at the same time; default: 1000\n"
    "  --requests N        how many each of them makes; default: 100\n"
    "  --idle N            how many of them go idle, until the server ends them; default: 8\n"
    "  --timeout SECONDS   who is not done by then has failed; default: 60\n";

static bool parse(const char *text, long least, long most, long *value) {
    char *end;
    *value = strtol(text, &end, 10);
    return end != text && *end == 0 && *value >= least && *value <= most;
}

int load_options_parse(load_options *options, int count, char **arguments) {
    static const struct option known[] = {
        {"echo-port", required_argument, NULL, 'e'}, {"line-port", required_argument, NULL, 'l'},
        {"clients", required_argument, NULL, 'c'},   {"requests", required_argument, NULL, 'r'},
        {"idle", required_argument, NULL, 'i'},      {"timeout", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int option;
    long value;
    bool right = true;
    *options = (load_options){.clients = 1000, .requests = 100, .idle = 8, .timeout = CORO_SECONDS(60)};
    while ((option = getopt_long(count, arguments, "", known, NULL)) >= 0) {
        switch (option) {
        case 'e': right &= parse(optarg, 1, 65535, &value), options->echo_port = (uint16_t)value; break;
        case 'l': right &= parse(optarg, 1, 65535, &value), options->line_port = (uint16_t)value; break;
        case 'c': right &= parse(optarg, 1, 100000, &value), options->clients = (int)value; break;
        case 'r': right &= parse(optarg, 1, 100000, &value), options->requests = (int)value; break;
        case 'i': right &= parse(optarg, 0, 100000, &value), options->idle = (int)value; break;
        case 't': right &= parse(optarg, 1, 100000, &value), options->timeout = CORO_SECONDS(value); break;
        default: right = false;
        }
    }
    if (right && optind == count && options->echo_port > 0 && options->line_port > 0) return 0;
    fputs(usage, stderr);
    return 2;
}
