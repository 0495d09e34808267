/* The server's command line. */
#include "server.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: shared_loop_server [option]...\n"
    "  --echo-port N           where to echo bytes; default: any free port\n"
    "  --line-port N           where to take lines: echo, sleep, sum, who, help, bye, quit; default: any free port\n"
    "  --idle SECONDS          how long a client may be idle; default: 60\n"
    "  --until-clients-leave   end when the last client has left\n"
    "  --quiet                 no live line\n";

/* A number within limits. */
static bool parse(const char *text, double least, double most, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == 0 && *value >= least && *value <= most;
}

int server_options_parse(server_options *options, int count, char **arguments) {
    static const struct option known[] = {
        {"echo-port", required_argument, NULL, 'e'},
        {"line-port", required_argument, NULL, 'l'},
        {"idle", required_argument, NULL, 'i'},
        {"until-clients-leave", no_argument, NULL, 'u'},
        {"quiet", no_argument, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    int option;
    double value;
    bool right = true;
    *options = (server_options){.idle_limit = CORO_SECONDS(60)};
    while ((option = getopt_long(count, arguments, "", known, NULL)) >= 0) {
        switch (option) {
        case 'e': right &= parse(optarg, 0, 65535, &value), options->echo_port = (uint16_t)value; break;
        case 'l': right &= parse(optarg, 0, 65535, &value), options->line_port = (uint16_t)value; break;
        case 'i': right &= parse(optarg, 0.01, 1e6, &value), options->idle_limit = (int64_t)(value * 1e9); break;
        case 'u': options->until_clients_leave = true; break;
        case 'q': options->quiet = true; break;
        default: right = false;
        }
    }
    if (right && optind == count) return 0;
    fputs(usage, stderr);
    return 2;
}
