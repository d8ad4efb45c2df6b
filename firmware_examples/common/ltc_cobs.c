#include "ltc_cobs.h"

#define FULL 0xFFU /* a block of 254 bytes, which no zero follows */

enum { IDLE, OPENING, CODE, CONTENT, CLOSING };

static void append(ltc_cobs_receiver *receiver, uint8_t *frame, uint16_t capacity, uint8_t byte)
{
    if (receiver->length < capacity) {
        frame[receiver->length] = byte;
        ++receiver->length;
    } else {
        receiver->dropping = 1U;
    }
}

uint16_t ltc_cobs_take(ltc_cobs_receiver *receiver, uint8_t *frame, uint16_t capacity, uint8_t byte)
{
    if (byte == 0U) {
        const uint32_t whole = (receiver->dropping == 0U) && (receiver->left == 0U);
        const uint16_t length = whole ? receiver->length : 0U;
        receiver->length = 0U;
        receiver->left = 0U;
        receiver->code = 0U;
        receiver->dropping = 0U;
        return length;
    }
    if (receiver->dropping != 0U) {
        return 0U;
    }
    if (receiver->left != 0U) {
        --receiver->left;
        append(receiver, frame, capacity, byte);
        return 0U;
    }
    /* A block begins: the zero between it and the one before is due now, since it is not the last. */
    if ((receiver->code != 0U) && (receiver->code != FULL)) {
        append(receiver, frame, capacity, 0U);
    }
    receiver->code = byte;
    receiver->left = (uint8_t)(byte - 1U);
    return 0U;
}

void ltc_cobs_start(ltc_cobs_sender *sender, uint16_t length)
{
    sender->length = length;
    sender->at = 0U;
    sender->phase = OPENING;
}

uint32_t ltc_cobs_is_idle(const ltc_cobs_sender *sender)
{
    return (sender->phase == IDLE) ? 1U : 0U;
}

/* Bytes from here to the next zero or the end, at most a full block. */
static uint8_t run(const ltc_cobs_sender *sender, const uint8_t *frame)
{
    uint8_t count = 0U;
    for (uint16_t i = sender->at; (i < sender->length) && (frame[i] != 0U) && (count < (FULL - 1U)); ++i) {
        ++count;
    }
    return count;
}

static void end_block(ltc_cobs_sender *sender)
{
    if (sender->at == sender->length) {
        sender->phase = CLOSING;
        return;
    }
    if (sender->code != FULL) {
        ++sender->at; /* the zero that the end of a block stands for */
    }
    sender->phase = CODE;
}

uint32_t ltc_cobs_give(ltc_cobs_sender *sender, const uint8_t *frame, uint8_t *byte)
{
    switch (sender->phase) {
    case OPENING:
        *byte = 0U;
        sender->phase = CODE;
        return 1U;
    case CODE:
        sender->left = run(sender, frame);
        sender->code = (uint8_t)(sender->left + 1U);
        sender->phase = CONTENT;
        *byte = sender->code;
        break;
    case CONTENT:
        *byte = frame[sender->at];
        ++sender->at;
        --sender->left;
        break;
    case CLOSING:
        *byte = 0U;
        sender->phase = IDLE;
        return 1U;
    default:
        return 0U;
    }
    if (sender->left == 0U) {
        end_block(sender);
    }
    return 1U;
}
