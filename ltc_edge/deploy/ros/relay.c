#include "relay.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SECOND_NS 1000000000

/* The bits of a number of any byte order. */
static uint64_t bits_of(const uint8_t *at, uint32_t size, uint32_t is_big)
{
    uint64_t bits = 0U;
    for (uint32_t i = 0U; i < size; i++) {
        const uint32_t from = (is_big != 0U) ? i : (size - 1U - i);
        bits = (bits << 8U) | at[from];
    }
    return bits;
}

static void put_bits(uint8_t *at, uint32_t size, uint64_t bits)
{
    for (uint32_t i = 0U; i < size; i++) {
        at[i] = (uint8_t)(bits >> (8U * i));
    }
}

/* The nearest float; beyond its range an infinity, where a cast would be undefined. */
static float narrowed(double value)
{
    const float infinite = INFINITY;
    float found = 0.0F;
    if (value > (double)FLT_MAX) {
        found = infinite;
    } else if (value < -(double)FLT_MAX) {
        found = -infinite;
    } else {
        found = (float)value;
    }
    return found;
}

static float read_double(const uint8_t *at, uint32_t is_big)
{
    const uint64_t bits = bits_of(at, 8U, is_big);
    double value = 0.0;
    (void)memcpy(&value, &bits, sizeof value);
    return narrowed(value);
}

static float read_float(const uint8_t *at, uint32_t is_big)
{
    const uint32_t bits = (uint32_t)bits_of(at, 4U, is_big);
    float value = 0.0F;
    (void)memcpy(&value, &bits, sizeof value);
    return value;
}

/* A whole number of two's complement, sign included. */
static int64_t read_signed(const uint8_t *at, uint32_t size, uint32_t is_big)
{
    const uint32_t unused = 64U - (8U * size);
    const uint64_t high = bits_of(at, size, is_big) << unused;
    int64_t value = 0;
    (void)memcpy(&value, &high, sizeof value);
    return value / ((int64_t)1 << unused);
}

static float read_number(const uint8_t *at, uint32_t code, uint32_t is_big)
{
    float found = 0.0F;
    switch (code) {
    case 'd': found = read_double(at, is_big); break;
    case 'f': found = read_float(at, is_big); break;
    case 'b': found = (float)read_signed(at, 1U, is_big); break;
    case 'h': found = (float)read_signed(at, 2U, is_big); break;
    case 'i': found = (float)read_signed(at, 4U, is_big); break;
    case 'q': found = (float)read_signed(at, 8U, is_big); break;
    case 'H': found = (float)bits_of(at, 2U, is_big); break;
    case 'I': found = (float)bits_of(at, 4U, is_big); break;
    case 'Q': found = (float)bits_of(at, 8U, is_big); break;
    default: found = (float)*at; break; /* ? and B */
    }
    return found;
}

static uint32_t fits(const relay_layout *layout, const uint8_t *payload, uint32_t size)
{
    uint32_t same = ((layout->example != 0) && (layout->size == size)) ? 1U : 0U;
    for (uint32_t i = 0U; (i < layout->segment_count) && (same != 0U); i++) {
        const uint32_t begin = layout->segments[2U * i];
        const uint32_t length = layout->segments[(2U * i) + 1U] - begin;
        same = (memcmp(&payload[begin], &layout->example[begin], length) == 0) ? 1U : 0U;
    }
    return same;
}

/* Of messages that come too often, a step is made with those that lie nearest to the controller's period. */
static uint32_t is_due(relay *engine, int64_t came_ns)
{
    const int64_t before_ns = engine->came_ns;
    engine->came_ns = came_ns;
    uint32_t due = 1U;
    if ((before_ns != RELAY_NEVER) && (engine->last_ns != RELAY_NEVER)) {
        const int64_t interval_ns = came_ns - before_ns;
        const int64_t passed_ns = came_ns - engine->last_ns;
        due = ((interval_ns >= engine->frequent_ns)
               || (((2 * passed_ns) + interval_ns) >= (2 * engine->period_ns)))
                  ? 1U
                  : 0U;
    }
    return due;
}

static int64_t stamp_of(const relay_layout *layout, const uint8_t *payload, uint32_t is_big)
{
    const int64_t seconds = read_signed(&payload[layout->stamp], 4U, is_big);
    return (seconds * SECOND_NS) + (int64_t)bits_of(&payload[layout->stamp + 4U], 4U, is_big);
}

uint32_t relay_hear(relay *engine, uint32_t source, const uint8_t *payload, uint32_t size, int64_t now_ns)
{
    const relay_layout *const layout = &engine->layouts[source];
    uint32_t heard = RELAY_UNKNOWN;
    if (fits(layout, payload, size) != 0U) {
        const uint32_t is_big = (payload[1] == 0U) ? 1U : 0U;
        for (uint32_t i = 0U; i < layout->place_count; i++) {
            const relay_place *const place = &layout->places[i];
            engine->given[1U + place->signal] = read_number(&payload[place->offset], place->code, is_big);
        }
        const uint32_t stamped = ((engine->by_stamp != 0U) && (layout->stamp != 0U)) ? 1U : 0U;
        const int64_t measured_ns = (stamped != 0U) ? stamp_of(layout, payload, is_big) : now_ns;
        engine->measured_ns[source] = measured_ns;
        heard = RELAY_TAKEN;
        if ((source == 0U) && (is_due(engine, measured_ns) != 0U)) {
            heard = RELAY_DUE;
        }
    }
    return heard;
}

/* Seconds since the last step. */
static float passed_s(const relay *engine, int64_t at_ns)
{
    float dt_s = engine->period_s;
    if (engine->last_ns != RELAY_NEVER) {
        dt_s = (float)(1e-9 * (double)(at_ns - engine->last_ns));
        /* By stamps, a timer's step may lie after a message that was on its way. */
        if ((engine->by_stamp != 0U) && (dt_s < 0.0F)) {
            dt_s = 0.0F;
        }
    }
    return dt_s;
}

static void fill_ages(const relay *engine, int64_t now_ns)
{
    float *const age_s = &engine->given[1U + engine->observations];
    for (uint32_t i = 0U; i < engine->observations; i++) {
        const int64_t measured_ns = engine->measured_ns[engine->source_of[i]];
        if (measured_ns != RELAY_NEVER) {
            const int64_t age_ns = now_ns - measured_ns;
            const uint32_t is_new = ((age_ns <= 0) && (age_ns >= -engine->skew_ns)) ? 1U : 0U;
            age_s[i] = (is_new != 0U) ? 0.0F : (float)(1e-9 * (double)age_ns);
        }
    }
}

static void write_message(const relay_message *message, const float *values, int64_t wall_ns)
{
    if (message->stamp != 0U) {
        put_bits(&message->content[message->stamp], 4U, (uint64_t)(wall_ns / SECOND_NS));
        put_bits(&message->content[message->stamp + 4U], 4U, (uint64_t)(wall_ns % SECOND_NS));
    }
    for (uint32_t i = 0U; i < message->place_count; i++) {
        const relay_place *const place = &message->places[i];
        const float value = values[place->signal];
        if (place->code == (uint32_t)'d') {
            const double wide = (double)value;
            uint64_t bits = 0U;
            (void)memcpy(&bits, &wide, sizeof bits);
            put_bits(&message->content[place->offset], 8U, bits);
        } else {
            uint32_t bits = 0U;
            (void)memcpy(&bits, &value, sizeof bits);
            put_bits(&message->content[place->offset], 4U, bits);
        }
    }
}

uint32_t relay_step(relay *engine, int64_t now_ns, int64_t wall_ns, uint32_t heard, uint32_t requests)
{
    const int64_t measured_ns = engine->measured_ns[0];
    int64_t at_ns = now_ns;
    if ((engine->by_stamp != 0U) && (heard != 0U) && (measured_ns != RELAY_NEVER)) {
        at_ns = measured_ns;
    }
    engine->given[0] = passed_s(engine, at_ns);
    engine->last_ns = at_ns;
    fill_ages(engine, now_ns);
    const uint32_t status = engine->supervised(engine->given, 1U, 0U, requests, engine->action);
    write_message(&engine->act, engine->action, wall_ns);
    write_message(&engine->propose, engine->proposal, wall_ns);
    return status;
}
