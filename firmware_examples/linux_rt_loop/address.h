/*
 * address.h: the parts of a URL, and addresses of sockets. Numbers alone: a name would need a resolver, which
 * a static program does not have; `ltc-edge run` looks names up before it starts this.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT 64U

typedef struct {
    struct sockaddr_storage storage;
    socklen_t length; /* 0: none */
} address;

/* 127.0.0.1:9000, [::1]:9000, or a port alone, of 127.0.0.1; up to the end, a ? or a &. 1 where it is one. */
uint32_t address_read(const char *text, address *read);

/* The other way; always ends in a zero. */
void address_write(const address *from, char text[ADDRESS_TEXT]);

uint32_t address_is_loopback(const address *one);
uint32_t address_equal(const address *left, const address *right);

/* The value of name in ?name=value&name=value, which ends at a & or at the end; null where there is none. */
const char *url_option(const char *url, const char *name);

/* The part of a URL before its ?, as far as there is room; 0 where there is not. */
uint32_t url_place(const char *url, char *place, uint32_t room);

/* Whether all names after the ? are among these, of which the last is null. */
uint32_t url_options_are(const char *url, const char *const *names);

#endif
