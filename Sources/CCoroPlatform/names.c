/* Names of hosts and services, by the C library. */
#define _GNU_SOURCE
#include "coro_names.h"
#include "coro_memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static coro_resolver resolver;

void coro_system_set_resolver(coro_resolver other) {
    __atomic_store_n(&resolver, other, __ATOMIC_SEQ_CST);
}

static int code_of(int result) {
    if (result == 0) return 0;
    if (result == EAI_SYSTEM) return errno == 0 ? -EIO : -errno;
    return result == EAI_MEMORY ? -ENOMEM : CORO_EAI_BASE + result;
}

struct addrinfo *coro_system_copy_addresses(const struct addrinfo *list) {
    struct addrinfo *first = NULL, **link = &first;
    for (; list != NULL; list = list->ai_next) {
        size_t name_size = list->ai_canonname == NULL ? 0 : strlen(list->ai_canonname) + 1;
        struct addrinfo *copy = coro_memory_allocate(sizeof *copy + list->ai_addrlen + name_size, 16);
        if (copy == NULL) {
            coro_system_free_addresses(first);
            return NULL;
        }
        char *rest = (char *)(copy + 1);
        *copy = *list;
        copy->ai_next = NULL;
        if (list->ai_addr != NULL) copy->ai_addr = memcpy(rest, list->ai_addr, list->ai_addrlen);
        if (name_size > 0) copy->ai_canonname = memcpy(rest + list->ai_addrlen, list->ai_canonname, name_size);
        *link = copy;
        link = &copy->ai_next;
    }
    return first;
}

void coro_system_free_addresses(struct addrinfo *list) {
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        coro_memory_free(list);
        list = next;
    }
}

static int look_up(coro_resolver look, const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **result) {
    struct addrinfo *found = NULL;
    *result = NULL;
    errno = 0;
    int code = code_of(look(node, service, hints, &found));
    if (code != 0) return code;
    *result = coro_system_copy_addresses(found);
    freeaddrinfo(found);
    return *result == NULL ? -ENOMEM : 0;
}

int coro_system_look_up(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    coro_resolver other = __atomic_load_n(&resolver, __ATOMIC_SEQ_CST);
    return look_up(other != NULL ? other : getaddrinfo, node, service, hints, result);
}

static bool is_number(const char *text) {
    return text[0] != 0 && text[strspn(text, "0123456789")] == 0;
}

bool coro_system_look_up_numeric(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result,
                                 int *code) {
    /* What no hints mean, by getaddrinfo(3). */
    struct addrinfo numeric = {.ai_family = AF_UNSPEC, .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
    int saved = errno;
    if (service != NULL && !is_number(service) && !(hints != NULL && hints->ai_flags & AI_NUMERICSERV)) return false;
    if (hints != NULL) numeric = *hints;
    bool only_numeric = node == NULL || numeric.ai_flags & AI_NUMERICHOST;
    if (node != NULL) numeric.ai_flags |= AI_NUMERICHOST;
    *code = look_up(getaddrinfo, node, service, &numeric, result);
    errno = saved;
    return *code != CORO_EAI_BASE + EAI_NONAME || only_numeric;
}

int coro_system_name(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,
                     socklen_t service_size, int flags) {
    errno = 0;
    return code_of(getnameinfo(address, length, host, host_size, service, service_size, flags));
}

void coro_system_address_text(const struct sockaddr *address, socklen_t length, char *text, size_t size) {
    char host[64], port[8];
    int code = getnameinfo(address, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    if (code != 0) snprintf(text, size, "?");
    else snprintf(text, size, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
