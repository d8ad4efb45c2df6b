/*
 * explore.h: classes of input, what a step ought to give, and what any content of memory may do.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "ltc_supervisor.h"
#include "scripted.h"

#define ROOMS 4U

typedef ltc_supervisor_memory state;

/* Numbers of classes, and what they stand for. */
typedef struct {
    uint32_t reading, other, dt, missed, controller, requests, external, ended;
} given;

typedef struct {
    uint32_t status;
    float action;
    float last; /* the one before */
    float began;
    uint32_t stepped; /* how often the controller was */
    uint32_t resets;
    float dt_s; /* that it was given */
} result;

extern const ltc_supervisor_settings supervisor_settings;
extern const ltc_supervisor supervisor;
extern ltc_supervisor_memory supervised_memory;
extern float supervised_room[LTC_SUPERVISOR_ROOM(1U)];
extern uint32_t failures;

void fail(const char *why);

/* Walk over the inputs; those that cannot matter in a mode are left out. */
void first(given *input);
void next(given *input, uint32_t mode);
result take(const given *input);

/* What the classes of an input stand for. */
uint32_t is_stale(const given *input);
uint32_t is_bad(const given *input);
float time_of(const given *input);
float reading_of(const given *input); /* the first, which the PD law needs */
uint32_t reading_is_usable(const given *input);
uint32_t missed_of(const given *input);
uint32_t misbehaviour_of(const given *input); /* 1: reset fails, 2: no action, 4: not finite */
uint32_t own_status_of(const given *input);
float action_of(const given *input);
uint32_t external_is_bad(const given *input);
uint32_t external_is_there(const given *input);
float external_of(const given *input);

/* Put this state of control and this room in place, with a checksum that fits. */
void place_in(state control, float last, float began);

/* What a step gave against what the table in docs/supervisor.md and the classes say. */
void check(const state *from, const given *input, const result *got);

/* From here, disarming and then arming, all being well, leads to ACTIVE in time. */
void check_alive(state from);

/* A flipped bit, of every so-manieth, is noticed, and leaves the action within its slew. */
void check_flips(state from, uint32_t first_bit, uint32_t stride);

/* Any content of memory and room, with and without a checksum that fits. */
void check_garbage(uint32_t draws);

void print_totals(void);

#endif
