/*
 * ltc_supervisor.h: what stands between a controller and hardware.
 *
 * One call a period: readings and their ages, the time that passed and what the operator asks for go in; an
 * action that is finite, within its limits and within its slew comes out, whatever went in. docs/supervisor.md
 * has the table of modes and faults; ltc_edge/supervision has the same state machine in Python, to the bit.
 *
 * No library, no allocation, no recursion. What is constant, the addresses included, stands apart from what
 * changes, so that whatever becomes of the memory that changes, the limits of the actions still hold.
 */
#ifndef LTC_SUPERVISOR_H
#define LTC_SUPERVISOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    LTC_DISARMED = 0, /* the resting action; the controller does not run */
    LTC_SHADOW = 1,   /* the controller runs and is logged, and somebody else's action goes through */
    LTC_ACTIVE = 2,   /* the controller acts */
    LTC_FALLBACK = 3, /* armed, with a fault: the fallback law acts until it has been gone for recover_steps */
    LTC_LATCHED = 4   /* a fault that does not heal by itself: the fallback law acts until it is disarmed */
} ltc_mode;

typedef enum {
    LTC_FALL_BACK_TO_REST = 0, /* the resting action, as fast as the slew allows */
    LTC_FALL_BACK_TO_HOLD = 1, /* the last action for hold_s, then the resting action */
    LTC_FALL_BACK_TO_PD = 2    /* resting + gain (target - observation); at rest where a reading it needs is bad */
} ltc_fallback_law;

/* Requests: disarming comes before the others, and the shadow before arming. Latched, it only disarms. */
#define LTC_ARM 1U
#define LTC_DISARM 2U
#define LTC_TO_SHADOW 4U

/* Status bits; those below 256 are the controller's own. */
#define LTC_STALE_INPUT 0x100U       /* a reading is older than its limit, or its age is NaN or negative */
#define LTC_BAD_INPUT 0x200U         /* a reading or dt is not finite, or dt is negative */
#define LTC_TIME_CLAMPED 0x400U      /* dt was outside the declared range */
#define LTC_GAP 0x800U               /* not stepped for longer than gap_s: the controller is reset */
#define LTC_DEADLINES_MISSED 0x1000U /* more in a row than are allowed */
#define LTC_CONTROLLER_FAULT 0x2000U /* the controller gave no action: see its bits */
#define LTC_BAD_ACTION 0x4000U       /* what it gave is not finite */
#define LTC_LIMITED 0x8000U          /* an action met its limit here */
#define LTC_SLEWED 0x10000U          /* an action was held back by its slew here */
#define LTC_HANDING_OVER 0x20000U    /* between two laws */
#define LTC_HOLD_EXPIRED 0x40000U    /* held for hold_s: now to rest */
#define LTC_PD_WITHOUT_INPUT 0x80000U /* the PD law lacks a usable reading: to rest */
#define LTC_MEMORY_FAULT 0x100000U   /* the supervisor's own memory was changed: it started anew, latched */
#define LTC_BAD_EXTERNAL 0x200000U    /* in shadow mode: somebody else's action is not finite: to rest */

/* Any of these sends an armed loop to its fallback. */
#define LTC_FAULTS                                                                                      \
    (LTC_STALE_INPUT | LTC_BAD_INPUT | LTC_DEADLINES_MISSED | LTC_CONTROLLER_FAULT | LTC_BAD_ACTION     \
     | LTC_MEMORY_FAULT)

typedef struct {
    uint32_t observations;
    uint32_t actions;
    const float *oldest_s;       /* [observations]: a reading older than this is stale */
    float dt_min_s;              /* above 0: the range of dt that the controller was made for */
    float dt_max_s;
    float gap_s;                 /* at least dt_max_s; a longer dt resets the controller */
    const float *low;            /* [actions] */
    const float *high;           /* [actions] */
    const float *slew;           /* [actions]: largest change a second; FLT_MAX for none */
    const float *resting;        /* [actions], within low and high */
    ltc_fallback_law fallback;
    float hold_s;
    const float *pd_gain;        /* [actions][observations]; null unless the law is PD. 0: reading not needed */
    const float *pd_target;      /* [observations] */
    float handover_s;            /* to another law, in equal shares of this time; to rest: at once */
    uint32_t misses_allowed;     /* deadlines in a row */
    uint32_t recover_steps;      /* steps without a fault before the controller acts again */
    uint32_t latching;           /* status bits after which it never acts again before it was disarmed */
} ltc_supervisor_settings;

/* The controller that is looked after. Both return the controller's status bits. */
typedef struct {
    void *context;
    uint32_t no_action; /* its mask of bits that mean that it gave its fallback */
    uint32_t (*reset)(void *context);
    uint32_t (*step)(void *context, const float *observation, float dt_s, float *action);
} ltc_supervised;

typedef struct {
    const float *observation; /* [observations], raw */
    const float *age_s;       /* [observations]; null: all were measured now */
    const float *external;    /* [actions]: what acts in shadow mode; null: the resting action */
    float dt_s;               /* since the last step */
    uint32_t missed;          /* deadlines missed since the last step */
    uint32_t requests;        /* LTC_ARM, LTC_DISARM, LTC_TO_SHADOW */
} ltc_supervisor_input;

/* All that changes, but for the room. Whatever it holds, a step's action is finite and within its limits. */
typedef struct {
    uint32_t mode;         /* an ltc_mode */
    uint32_t law;          /* what acted last; private */
    uint32_t running;      /* 0: the controller is to be reset before its next step */
    uint32_t healthy;      /* steps without a fault in a row, up to recover_steps */
    uint32_t misses;       /* deadlines missed in a row */
    float elapsed_s;       /* since the controller was last stepped */
    float held_s;          /* how long the last action has been held */
    float handover_left_s;
    uint32_t checksum;     /* of all above and of the room but its last part */
} ltc_supervisor_memory;

/* Constant: addresses alone. Make it static const, such that no stray write can reach it. */
typedef struct {
    const ltc_supervisor_settings *settings;
    const ltc_supervised *controller;
    ltc_supervisor_memory *memory;
    float *room; /* [LTC_SUPERVISOR_ROOM(actions)] */
} ltc_supervisor;

/* Floats of room: the last action three times, where a hand-over began, and what the controller proposed. */
#define LTC_SUPERVISOR_ROOM(actions) (5U * (actions))

/* Disarmed, at rest. Returns the status of the controller's reset. */
uint32_t ltc_supervisor_start(const ltc_supervisor *supervisor);

/* One period. The action is finite, within its limits, and within its slew of the one before. Status bits. */
uint32_t ltc_supervisor_step(const ltc_supervisor *supervisor, const ltc_supervisor_input *input,
                             float *action);

/* Its mode after the last step. */
ltc_mode ltc_supervisor_mode(const ltc_supervisor *supervisor);

/* What the controller proposed in the last step, [actions], finite; the resting action where it did not. */
const float *ltc_supervisor_proposal(const ltc_supervisor *supervisor);

#ifdef __cplusplus
}
#endif

#endif
