/*
 * relay.h: readings out of messages of ROS 2, a step of the supervised controller, its actions into a message.
 *
 * What a message is like was found out in Python, once: a layout says where its numbers stand, and which
 * bytes must be the same for it to hold. A message of another layout is not read. No allocation.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdint.h>

#define RELAY_NEVER INT64_MIN

/* A number of a message: its first byte, its kind as Python's struct writes it, and its reading or action. */
typedef struct {
    uint32_t offset;
    uint32_t code;
    uint32_t signal;
} relay_place;

typedef struct {
    const uint8_t *example;   /* a message of this layout; null: none is known */
    uint32_t size;
    const uint32_t *segments; /* [2 * segment_count]: begin and end of what is the same in all */
    uint32_t segment_count;
    const relay_place *places;
    uint32_t place_count;
    uint32_t stamp;           /* first byte of its header's stamp; 0: it has none */
} relay_layout;

/* A message that is sent, in little-endian CDR; its numbers are float or double. */
typedef struct {
    uint8_t *content;
    const relay_place *places;
    uint32_t place_count;
    uint32_t stamp;
} relay_message;

/* given: dt, readings, ages; see supervised.c. */
typedef uint32_t (*relay_supervised)(const float *given, uint32_t present, uint32_t missed, uint32_t requests,
                                     float *action);

typedef struct {
    relay_supervised supervised;
    uint32_t observations;
    uint32_t sources;
    const relay_layout *layouts; /* [sources] */
    const uint32_t *source_of;   /* [observations] */
    int64_t *measured_ns;        /* [sources]; RELAY_NEVER: nothing came yet */
    float *given;                /* [1 + 2 * observations + actions] */
    float *action;               /* [actions] */
    const float *proposal;       /* [actions] */
    relay_message act;
    relay_message propose;
    int64_t last_ns;             /* of the last step; RELAY_NEVER before the first */
    int64_t came_ns;             /* of the last message of the first source; RELAY_NEVER: none came yet */
    int64_t period_ns;           /* the controller's */
    int64_t frequent_ns;         /* messages that come sooner than this after each other are not all stepped with */
    int64_t skew_ns;             /* a reading may lie so far ahead, and is new then */
    float period_s;              /* dt of the first step */
    uint32_t by_stamp;           /* readings are as old as their headers say */
} relay;

#define RELAY_UNKNOWN 0U /* the message's layout is another: nothing was taken */
#define RELAY_TAKEN 1U
#define RELAY_DUE 2U     /* taken, and the occasion of a step */

/* Take the readings of a message. */
uint32_t relay_hear(relay *engine, uint32_t source, const uint8_t *payload, uint32_t size, int64_t now_ns);

/*
 * One step, and both messages. heard: a message of the first source is the occasion, not a timer; wall_ns is
 * for the header's stamps. Status bits of the supervisor.
 */
uint32_t relay_step(relay *engine, int64_t now_ns, int64_t wall_ns, uint32_t heard, uint32_t requests);

#endif
