/* Names and addresses. These calls may block for long: they are for the threads of the pool, unless it is said. */
#ifndef CORO_NAMES_H
#define CORO_NAMES_H

#include "coro_nullability.h"

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef int (*coro_resolver)(const char *_Nullable node, const char *_Nullable service, const struct addrinfo *_Nullable hints,
                             struct addrinfo *_Nullable *_Nonnull result);

/* Errors are -errno, or the EAI_... of netdb.h below this. */
enum { CORO_EAI_BASE = -5100 };

/* getaddrinfo(3); the result is to be given back by coro_system_free_addresses. */
int coro_system_look_up(const char *_Nullable node, const char *_Nullable service, const struct addrinfo *_Nullable hints,
                        struct addrinfo *_Nullable *_Nonnull result);
/* Whether that needs no asking: node and service are numeric or NULL, or *code is the error. Does not block. */
bool coro_system_look_up_numeric(const char *_Nullable node, const char *_Nullable service,
                                 const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result,
                                 int *_Nonnull code);
/* A copy of its own, or NULL without memory. */
struct addrinfo *_Nullable coro_system_copy_addresses(const struct addrinfo *_Nonnull list);
void coro_system_free_addresses(struct addrinfo *_Nullable list);

/* getnameinfo(3). */
int coro_system_name(const struct sockaddr *_Nullable address, socklen_t length, char *_Nullable host, socklen_t host_size,
                     char *_Nullable service, socklen_t service_size, int flags);
/* "127.0.0.1:80", "[::1]:80"; "?" for what has no such form. Does not block. */
void coro_system_address_text(const struct sockaddr *_Nonnull address, socklen_t length, char *_Nonnull text, size_t size);

/* What to call instead of getaddrinfo(3) where that would ask somebody; NULL: back to that. */
void coro_system_set_resolver(coro_resolver _Nullable resolver);

/* SOCK_STREAM, which Swift may not see: which module has it depends on what else is included. */
enum { CORO_SOCKET_STREAM = SOCK_STREAM };

enum { CORO_ADDRESS_TEXT_SIZE = 80, CORO_NAME_SIZE = 1025, CORO_SERVICE_SIZE = 32 };

#endif
