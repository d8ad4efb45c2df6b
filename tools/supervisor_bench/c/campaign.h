/*
 * campaign.h: sequences of faults in closed loop, one row a sequence; the plants are stepped by Python.
 */
#ifndef CAMPAIGN_H
#define CAMPAIGN_H

#include "ltc_controller.h"
#include "ltc_supervisor.h"

#define OBSERVATIONS CONTROLLER_OBSERVATIONS
#define ACTIONS CONTROLLER_ACTIONS
#define ROOM LTC_SUPERVISOR_ROOM(ACTIONS)
#define MEMORY_WORDS 9U

/* Faults; their names are in campaign.py, in this order. */
typedef enum {
    SENSOR_NAN,
    SENSOR_INFINITE,
    SENSOR_STALE,
    SENSOR_STUCK,
    SENSOR_SPIKE,
    AGE_NAN,
    AGE_NEGATIVE,
    LINK_LOST,
    LINK_NEVER,
    DT_SHORT,
    DT_LONG,
    DT_GAP,
    DT_NEGATIVE,
    DT_NAN,
    DEADLINES,
    EXTERNAL_NAN,
    CONTROLLER_NAN,
    CONTROLLER_HUGE,
    CONTEXT_FLIP,
    CONTEXT_GARBAGE,
    CONTEXT_RESTORED,
    MEMORY_FLIP,
    ROOM_FLIP,
    MEMORY_GARBAGE,
    MEMORY_PLAUSIBLE, /* garbage with a checksum that fits */
    FAULTS
} fault;

/* What a step is given, and what it gave: all that the supervisor in Python needs to do the same. */
typedef struct {
    float observation[OBSERVATIONS];
    float age_s[OBSERVATIONS];
    float external[ACTIONS];
    float dt_s;
    uint32_t missed;
    uint32_t requests;
    uint32_t memory_before[MEMORY_WORDS];
    uint32_t room_before[ROOM];
    uint32_t resets; /* of the controller, in this step: 0 or 1 */
    uint32_t reset_status;
    uint32_t steps;
    uint32_t own_status;
    float proposal[ACTIONS];
    float action[ACTIONS];
    uint32_t status;
    uint32_t memory_after[MEMORY_WORDS];
    uint32_t room_after[ROOM];
} record;

typedef struct {
    ltc_supervisor_memory memory;
    float room[ROOM];
    controller_context context;
    uint64_t seed;
    uint8_t left[FAULTS]; /* steps that a fault goes on for */
    float stuck[OBSERVATIONS];
    float age_s;        /* of what the link gave last */
    float applied[ACTIONS];
    uint32_t mode;      /* after the step before */
    uint32_t misses;    /* in a row */
    uint32_t last_lost; /* more than one copy of the last action was damaged */
    uint32_t plausible; /* memory is garbage that nothing can tell */
    uint32_t odd_time;  /* since memory was garbage that nothing can tell, no controller was stepped */
    uint32_t context_damaged;
    record now;
} row;

typedef struct {
    uint64_t steps;
    uint64_t non_finite;
    uint64_t unbounded;
    uint64_t slew;
    uint64_t slew_excused; /* the last action's copies were damaged beyond telling */
    uint64_t missing;      /* statuses that ought to be there */
    uint64_t wrong;        /* statuses that ought not */
    uint64_t mode;         /* transitions that are in no table */
    uint64_t injected[FAULTS];
    uint64_t told[FAULTS]; /* of these: with the status that belongs to it */
    uint64_t statuses[32];
    uint64_t modes[5];
    uint64_t changes[5][5];
} totals;

extern const ltc_supervisor_settings supervisor_settings;
extern const uint32_t campaign_row_bytes;
extern const uint32_t campaign_record_bytes;

uint32_t draw(row *at, uint32_t below);
float draw_float(row *at, float low, float high);

/* Begin new faults, and make of what the plant shows what the supervisor is given. */
void spoil(row *at, const float *observation, float dt_s);

/* Damage memory; before the step, and after the inputs were made. */
void damage(row *at);

/* Hold a step against what was injected. */
void judge(row *at, totals *sums);

uint32_t campaign_fitting_checksum(const row *at);

/* rows: room for count of them. Each begins disarmed, with the seed and its own number. */
void campaign_start(row *rows, uint32_t count, uint64_t seed);

/* One period of all: observation [count][OBSERVATIONS], dt_s [count], action [count][ACTIONS]. */
void campaign_step(row *rows, uint32_t count, const float *observation, const float *dt_s, float *action,
                   totals *sums);

/* The last step of a row. */
void campaign_record(const row *rows, uint32_t number, record *into);

#endif
