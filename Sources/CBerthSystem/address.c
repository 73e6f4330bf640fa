#define _GNU_SOURCE
#include "internal.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

socklen_t cberth_to_sockaddr(const cberth_endpoint *endpoint, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof *storage);
    const cberth_address *a = &endpoint->address;
    if (a->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)storage;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->bytes, 4);
        return sizeof *in;
    }
    if (a->family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(a->port);
        in6->sin6_scope_id = a->scope;
        memcpy(&in6->sin6_addr, a->bytes, 16);
        return sizeof *in6;
    }
    struct sockaddr_un *un = (struct sockaddr_un *)storage;
    un->sun_family = AF_UNIX;
    size_t length = strnlen(endpoint->path, sizeof un->sun_path);
    memcpy(un->sun_path, endpoint->path, length);
    if (length && un->sun_path[0] == '@') { // abstract names are not terminated
        un->sun_path[0] = 0;
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

void cberth_from_sockaddr(const struct sockaddr_storage *storage, cberth_address *address) {
    memset(address, 0, sizeof *address);
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
        address->family = 4;
        address->port = ntohs(in->sin_port);
        memcpy(address->bytes, &in->sin_addr, 4);
    } else if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        address->port = ntohs(in6->sin6_port);
        // A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d; everybody else wants to see a.b.c.d.
        if (memcmp(&in6->sin6_addr, mapped, sizeof mapped) == 0) {
            address->family = 4;
            memcpy(address->bytes, (const uint8_t *)&in6->sin6_addr + 12, 4);
        } else {
            address->family = 6;
            address->scope = in6->sin6_scope_id;
            memcpy(address->bytes, &in6->sin6_addr, 16);
        }
    } else {
        address->family = 1;
    }
}

int cberth_address_parse(const char *text, cberth_address *address) {
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, address->bytes) == 1) {
        address->family = 4;
        return 1;
    }
    char copy[64];
    size_t length = strnlen(text, sizeof copy);
    if (length == sizeof copy) return 0;
    memcpy(copy, text, length + 1);
    char *zone = strchr(copy, '%');
    if (zone) {
        *zone++ = 0;
        unsigned index = if_nametoindex(zone);
        if (!index) index = (unsigned)strtoul(zone, NULL, 10);
        if (!index) return 0;
        address->scope = index;
    }
    if (inet_pton(AF_INET6, copy, address->bytes) != 1) return 0;
    address->family = 6;
    return 1;
}

int cberth_address_format(const cberth_address *address, char *text, size_t capacity) {
    if (capacity == 0) return 0;
    text[0] = 0;
    if (address->family == 4) {
        if (!inet_ntop(AF_INET, address->bytes, text, (socklen_t)capacity)) return 0;
    } else if (address->family == 6) {
        if (!inet_ntop(AF_INET6, address->bytes, text, (socklen_t)capacity)) return 0;
        size_t length = strlen(text);
        if (address->scope) snprintf(text + length, capacity - length, "%%%u", address->scope);
    } else {
        snprintf(text, capacity, "unix");
    }
    return (int)strlen(text);
}
