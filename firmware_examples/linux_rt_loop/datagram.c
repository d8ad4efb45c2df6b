#include "datagram.h"

#include <string.h>

#if !defined(__BYTE_ORDER__) || (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
#error "numbers are taken from datagrams as they lie there, in little-endian order"
#endif

#define REQUESTS 7U
#define FLAGS (REQUESTS | DATAGRAM_AGES | DATAGRAM_EXTERNAL | DATAGRAM_ENDS)
#define SEQUENCES_HALF 0x80000000U

typedef struct {
    uint32_t magic;
    uint8_t version;
    uint8_t kind;
    uint16_t values;
    uint32_t sequence;
    uint32_t flags;
    uint64_t timestamp;
} header;

static uint32_t size_of(uint32_t flags)
{
    uint32_t floats = CONTROLLER_OBSERVATIONS;
    floats += ((flags & DATAGRAM_AGES) != 0U) ? CONTROLLER_OBSERVATIONS : 0U;
    floats += ((flags & DATAGRAM_EXTERNAL) != 0U) ? CONTROLLER_ACTIONS : 0U;
    return DATAGRAM_HEADER + (4U * floats);
}

uint32_t datagram_is_readings(const uint8_t *bytes, uint32_t size)
{
    header head;
    if (size < DATAGRAM_HEADER) {
        return 0U;
    }
    memcpy(&head, bytes, sizeof(head));
    return ((head.magic == DATAGRAM_MAGIC) && (head.version == DATAGRAM_VERSION)
            && (head.kind == DATAGRAM_READINGS) && (head.values == CONTROLLER_OBSERVATIONS)
            && ((head.flags & ~FLAGS) == 0U) && (size == size_of(head.flags)))
               ? 1U
               : 0U;
}

/* When a signal was measured that is so old now; an age that is no time is of a signal never measured. */
static int64_t measured(float age_s, int64_t now)
{
    return ((age_s >= 0.0F) && (age_s < 1e6F)) ? (now - (int64_t)((double)age_s * 1e9)) : IO_NEVER;
}

uint32_t datagram_take(datagram_link *link, const uint8_t *bytes, uint32_t size, int64_t now, io_inputs *inputs)
{
    header head;
    if (datagram_is_readings(bytes, size) == 0U) {
        ++inputs->counts.malformed;
        return 0U;
    }
    memcpy(&head, bytes, sizeof(head));
    /* Newer is what lies ahead by less than half of all numbers, so that counting may go round. */
    const uint32_t ahead = head.sequence - link->sequence;
    if ((link->started != 0U) && ((ahead == 0U) || (ahead >= SEQUENCES_HALF))) {
        ++inputs->counts.old;
        return 0U;
    }
    const uint8_t *next = &bytes[DATAGRAM_HEADER];
    memcpy(inputs->observation, next, sizeof(inputs->observation));
    next += sizeof(inputs->observation);
    float age_s[CONTROLLER_OBSERVATIONS] = { 0.0F };
    if ((head.flags & DATAGRAM_AGES) != 0U) {
        memcpy(age_s, next, sizeof(age_s));
        next += sizeof(age_s);
    }
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        inputs->measured_at[i] = measured(age_s[i], now);
    }
    inputs->has_external = ((head.flags & DATAGRAM_EXTERNAL) != 0U) ? 1U : 0U;
    if (inputs->has_external != 0U) {
        memcpy(inputs->external, next, sizeof(inputs->external));
    }
    inputs->requests |= head.flags & REQUESTS;
    inputs->ended = ((head.flags & DATAGRAM_ENDS) != 0U) ? 1U : 0U;
    ++inputs->counts.taken;
    link->started = 1U;
    link->sequence = head.sequence;
    link->flags = head.flags;
    link->timestamp = head.timestamp;
    return 1U;
}

void datagram_write(datagram_link *link, const io_outputs *outputs, uint8_t bytes[DATAGRAM_ACTION_BYTES])
{
    const header head = { DATAGRAM_MAGIC,      DATAGRAM_VERSION, DATAGRAM_ACTION, CONTROLLER_ACTIONS,
                          link->answering,     0U,               link->timestamp };
    const uint32_t words[3] = { link->sequence, outputs->status, outputs->mode };
    const size_t floats = 4U * CONTROLLER_ACTIONS;
    ++link->answering;
    memcpy(bytes, &head, sizeof(head));
    memcpy(&bytes[DATAGRAM_HEADER], words, sizeof(words));
    memcpy(&bytes[DATAGRAM_HEADER + sizeof(words)], outputs->action, floats);
    memcpy(&bytes[DATAGRAM_HEADER + sizeof(words) + floats], outputs->proposal, floats);
}
