#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t port_of(const char *text, uint16_t *port)
{
    char *end;
    if ((*text < '0') || (*text > '9')) {
        return 0U;
    }
    const long value = strtol(text, &end, 10);
    if ((value > 65535) || ((*end != '\0') && (*end != '?') && (*end != '&'))) {
        return 0U;
    }
    *port = htons((uint16_t)value);
    return 1U;
}

uint32_t address_read(const char *text, address *read)
{
    char host[INET6_ADDRSTRLEN + 1] = "127.0.0.1";
    uint16_t port = 0U;
    const uint32_t six = (*text == '[') ? 1U : 0U;
    const char *const start = text + six;
    const char *end = (six != 0U) ? strchr(text, ']') : (text + strcspn(text, ":?&"));
    memset(read, 0, sizeof(*read));
    if (end == NULL) {
        return 0U;
    }
    const char *after = end + six;
    if ((six != 0U) || (*after == ':')) {
        const size_t length = (size_t)(end - start);
        if ((*after != ':') || (length >= sizeof(host))) {
            return 0U;
        }
        memcpy(host, start, length);
        host[length] = '\0';
        ++after;
    } else {
        after = text;
    }
    if (port_of(after, &port) == 0U) {
        return 0U;
    }
    struct sockaddr_in *const v4 = (struct sockaddr_in *)&read->storage;
    struct sockaddr_in6 *const v6 = (struct sockaddr_in6 *)&read->storage;
    if (six == 0U) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        read->length = sizeof(*v4);
        return (inet_pton(AF_INET, host, &v4->sin_addr) == 1) ? 1U : 0U;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    read->length = sizeof(*v6);
    return (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) ? 1U : 0U;
}

void address_write(const address *from, char text[ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *const v4 = (const struct sockaddr_in *)&from->storage;
    const struct sockaddr_in6 *const v6 = (const struct sockaddr_in6 *)&from->storage;
    if (from->storage.ss_family == AF_INET) {
        (void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        (void)snprintf(text, ADDRESS_TEXT, "%s:%u", host, (unsigned)ntohs(v4->sin_port));
    } else {
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        (void)snprintf(text, ADDRESS_TEXT, "[%s]:%u", host, (unsigned)ntohs(v6->sin6_port));
    }
}

uint32_t address_is_loopback(const address *one)
{
    const struct sockaddr_in *const v4 = (const struct sockaddr_in *)&one->storage;
    const struct sockaddr_in6 *const v6 = (const struct sockaddr_in6 *)&one->storage;
    if (one->storage.ss_family == AF_INET) {
        return ((ntohl(v4->sin_addr.s_addr) >> 24) == 127U) ? 1U : 0U;
    }
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? 1U : 0U;
}

uint32_t address_equal(const address *left, const address *right)
{
    const struct sockaddr_in *const left4 = (const struct sockaddr_in *)&left->storage;
    const struct sockaddr_in *const right4 = (const struct sockaddr_in *)&right->storage;
    const struct sockaddr_in6 *const left6 = (const struct sockaddr_in6 *)&left->storage;
    const struct sockaddr_in6 *const right6 = (const struct sockaddr_in6 *)&right->storage;
    if (left->storage.ss_family != right->storage.ss_family) {
        return 0U;
    }
    if (left->storage.ss_family == AF_INET) {
        const uint32_t same_host = (left4->sin_addr.s_addr == right4->sin_addr.s_addr) ? 1U : 0U;
        return (left4->sin_port == right4->sin_port) ? same_host : 0U;
    }
    return ((left6->sin6_port == right6->sin6_port)
            && (memcmp(&left6->sin6_addr, &right6->sin6_addr, sizeof(left6->sin6_addr)) == 0))
               ? 1U
               : 0U;
}

const char *url_option(const char *url, const char *name)
{
    const size_t length = strlen(name);
    for (const char *next = strpbrk(url, "?&"); next != NULL; next = strpbrk(next, "?&")) {
        ++next;
        if ((strncmp(next, name, length) == 0) && (next[length] == '=')) {
            return &next[length + 1U];
        }
    }
    return NULL;
}

uint32_t url_place(const char *url, char *place, uint32_t room)
{
    const size_t length = strcspn(url, "?");
    if ((length == 0U) || (length >= room)) {
        return 0U;
    }
    memcpy(place, url, length);
    place[length] = '\0';
    return 1U;
}

static uint32_t is_among(const char *option, const char *const *names)
{
    for (; *names != NULL; ++names) {
        const size_t length = strlen(*names);
        if ((strncmp(option, *names, length) == 0) && (option[length] == '=')) {
            return 1U;
        }
    }
    return 0U;
}

uint32_t url_options_are(const char *url, const char *const *names)
{
    for (const char *next = strpbrk(url, "?&"); next != NULL; next = strpbrk(next, "?&")) {
        ++next;
        if (is_among(next, names) == 0U) {
            return 0U;
        }
    }
    return 1U;
}
