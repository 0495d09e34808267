/* Addresses and settings of sockets. Nothing here blocks. */
#ifndef CORO_CONNECTIONS_H
#define CORO_CONNECTIONS_H

#include "coro_nullability.h"

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

/* TCP_NODELAY: what is written goes out at once. Inherited by what a listener accepts. */
void coro_system_set_no_delay(int fd);
/* Has a socket of IPv6 listen for IPv4 too, whatever the system's default. */
int coro_system_set_dual_stack(int fd);

/* Sets the port of each. */
void coro_system_set_ports(struct addrinfo *_Nullable list, int port);
/* The address that means "any" of AF_INET or AF_INET6; returns its length. */
socklen_t coro_system_any_address(int family, int port, struct sockaddr_storage *_Nonnull address);
/* The port that an Internet socket is bound to, or -errno. */
int coro_system_port(int fd);

/* The address of a Unix socket's path, or of an abstract one, "@name": its length, or -EINVAL (empty), -ENAMETOOLONG. */
int coro_system_unix_address(const char *_Nonnull path, struct sockaddr_storage *_Nonnull address);
/* Until it is unlocked no other caller, of any process, has the directory of that path. -1: it can't be had (within 0.1 s;
   others may lock it too), or the address has none. */
int coro_system_lock_directory(const char *_Nonnull path);
void coro_system_unlock_directory(int lock);
/* Removes the file of a Unix stream socket that nobody listens to any more. Whether that was done. */
bool coro_system_remove_stale_socket(const char *_Nonnull path, const struct sockaddr_storage *_Nonnull address,
                                     socklen_t length);

/* Error numbers, positive: of an address that this machine does not have, or can't reach. */
bool coro_system_is_of_address(int error);
bool coro_system_is_of_route(int error);

#endif
