#include "ltc_serial.h"

#if defined(__BYTE_ORDER__) && (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
#error "numbers go over the line as they lie in little-endian memory"
#endif

/* What was written of an answer's content. */
typedef struct {
    uint8_t *content;
    uint16_t size;
} answer;

static void copy(const void *source, void *target, uint16_t bytes)
{
    const volatile uint8_t *from = (const volatile uint8_t *)source; /* volatile: no call of memcpy */
    uint8_t *to = (uint8_t *)target;
    for (uint16_t i = 0U; i < bytes; ++i) {
        to[i] = from[i];
    }
}

static void put(answer *written, const void *data, uint16_t bytes)
{
    copy(data, &written->content[written->size], bytes);
    written->size = (uint16_t)(written->size + bytes);
}

static void put_u8(answer *written, uint8_t value)
{
    put(written, &value, 1U);
}

static void put_u16(answer *written, uint16_t value)
{
    put(written, &value, 2U);
}

static void put_u32(answer *written, uint32_t value)
{
    put(written, &value, 4U);
}

static uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t value;
    copy(bytes, &value, 4U);
    return value;
}

static void put_version(answer *written)
{
    const char *version = controller_version();
    uint16_t length = 0U;
    while (version[length] != '\0') {
        ++length;
    }
    const uint16_t told = (length < LTC_SERIAL_VERSION_BYTES) ? length : LTC_SERIAL_VERSION_BYTES;
    put(written, &version[length - told], told);
}

static void hello(ltc_serial *serial, answer *written)
{
    put_u32(written, serial->session);
    put_u8(written, LTC_SERIAL_PROTOCOL);
    put_u8(written, (uint8_t)sizeof(serial->context.state[0]));
    put_u16(written, CONTROLLER_OBSERVATIONS);
    put_u16(written, CONTROLLER_ACTIONS);
    put_u16(written, CONTROLLER_STATE);
    put_u32(written, LTC_SERIAL_TICKS_PER_SECOND);
    put_version(written);
}

static void step(ltc_serial *serial, const uint8_t *content, answer *written)
{
    float dt;
    uint32_t ticks = 0U;
    copy(content, &dt, 4U);
    copy(&content[4], serial->observation, 4U * CONTROLLER_OBSERVATIONS);
#if LTC_SERIAL_TICKS_PER_SECOND > 0
    const uint32_t before = ltc_serial_ticks();
#endif
    const uint32_t status = controller_step(&serial->context, serial->observation, dt, serial->action);
#if LTC_SERIAL_TICKS_PER_SECOND > 0
    ticks = ltc_serial_ticks() - before;
#endif
    put_u32(written, status);
    put_u32(written, ticks);
    put(written, serial->action, 4U * CONTROLLER_ACTIONS);
}

static uint32_t restore(ltc_serial *serial, const uint8_t *content)
{
    controller_context given; /* its state is aligned as the items need it, which the request is not */
    copy(content, given.state, (uint16_t)LTC_SERIAL_STATE_BYTES);
    return controller_restore(&serial->context, given.state);
}

/* Bytes of a request's content, or -1 where there is no such request. */
static int32_t expected_size(uint8_t kind)
{
    switch (kind) {
    case LTC_SERIAL_STEP:
        return (int32_t)(4U * (CONTROLLER_OBSERVATIONS + 1U));
    case LTC_SERIAL_WRITE_STATE:
        return (int32_t)LTC_SERIAL_STATE_BYTES;
    case LTC_SERIAL_RESET:
    case LTC_SERIAL_READ_STATE:
    case LTC_SERIAL_SELFTEST:
    case LTC_SERIAL_CHECK:
        return 0;
    default:
        return -1;
    }
}

/* Carry out a request whose size is right; 0, or why it is refused. */
static uint8_t carry_out(ltc_serial *serial, uint8_t kind, const uint8_t *content, answer *written)
{
    switch (kind) {
    case LTC_SERIAL_RESET:
        put_u32(written, controller_reset(&serial->context));
        break;
    case LTC_SERIAL_STEP:
        step(serial, content, written);
        break;
    case LTC_SERIAL_READ_STATE:
        put(written, serial->context.state, (uint16_t)LTC_SERIAL_STATE_BYTES);
        break;
    case LTC_SERIAL_WRITE_STATE:
        put_u32(written, restore(serial, content));
        break;
    case LTC_SERIAL_SELFTEST:
#ifdef LTC_SERIAL_NO_SELFTEST
        return LTC_SERIAL_LEFT_OUT;
#else
        put_u32(written, controller_selftest());
        break;
#endif
    default:
        put_u32(written, controller_check());
        break;
    }
    return 0U;
}

static uint8_t obey(ltc_serial *serial, uint8_t kind, const uint8_t *content, uint16_t size, answer *written)
{
    const int32_t expected = expected_size(kind);
    if (serial->has_session == 0U) {
        return LTC_SERIAL_NO_SESSION;
    }
    if (kind == LTC_SERIAL_HELLO) {
        hello(serial, written);
        return 0U;
    }
#if LTC_SERIAL_LOOP
    if (kind >= LTC_SERIAL_IMAGE) {
        return ltc_serial_loop_request(kind, content, size, written->content, &written->size);
    }
    if (ltc_serial_loop_acts() != 0U) {
        return LTC_SERIAL_ACTS;
    }
#endif
    if (expected < 0) {
        return LTC_SERIAL_UNKNOWN;
    }
    if ((uint32_t)expected != size) {
        return LTC_SERIAL_WRONG_SIZE;
    }
    return carry_out(serial, kind, content, written);
}

/*
 * Whether a request is to be carried out. Within a session they are numbered without gaps: another number
 * is that of a request which was given up or carried out long ago. A HELLO opens a session, once.
 */
static uint32_t is_due(ltc_serial *serial, uint8_t kind, uint8_t sequence, const uint8_t *content, uint16_t size)
{
    if (kind != LTC_SERIAL_HELLO) {
        return (serial->has_session == 0U) || (sequence == (uint8_t)(serial->sequence + 1U));
    }
    if (size < 4U) {
        return 0U;
    }
    const uint32_t session = get_u32(content);
    if ((serial->has_session != 0U) && (session == serial->session)) {
        return 0U;
    }
    serial->session = session;
    serial->has_session = 1U;
    return 1U;
}

/* Carry a request out, or refuse it, and begin to say so. */
static void answer_to(ltc_serial *serial, uint8_t kind, uint8_t sequence, const uint8_t *content, uint16_t size)
{
    answer written = { &serial->answer[LTC_SERIAL_HEAD_BYTES], 0U };
    const uint8_t refused = obey(serial, kind, content, size, &written);
    if (refused != 0U) {
        put_u8(&written, refused);
    }
    serial->answer[0] = (refused != 0U) ? LTC_SERIAL_REFUSAL : (uint8_t)(kind | LTC_SERIAL_ANSWER);
    serial->answer[1] = sequence;
    const uint16_t said = (uint16_t)(LTC_SERIAL_HEAD_BYTES + written.size);
    put_u32(&written, ltc_crc32(serial->answer, said));
    ltc_cobs_start(&serial->sender, (uint16_t)(said + LTC_SERIAL_CRC_BYTES));
}

static uint32_t handle(ltc_serial *serial, uint16_t length)
{
    const uint16_t overhead = LTC_SERIAL_FRAME(0U);
    if (length < overhead) {
        return 0U;
    }
    const uint8_t kind = serial->request[0], sequence = serial->request[1];
    const uint8_t *content = &serial->request[LTC_SERIAL_HEAD_BYTES];
    const uint16_t size = (uint16_t)(length - overhead);
    const uint32_t crc = ltc_crc32(serial->request, LTC_SERIAL_HEAD_BYTES + (uint32_t)size);
    if (crc != get_u32(&content[size])) {
        return 0U;
    }
    if ((serial->has_answer != 0U) && (sequence == serial->sequence) && (crc == serial->last_crc)) {
        /* The answer was lost: say it again, unless it is still being said. Nothing is done twice. */
        if (ltc_cobs_is_idle(&serial->sender)) {
            ltc_cobs_start(&serial->sender, serial->sender.length);
        }
        return 0U;
    }
    if (!is_due(serial, kind, sequence, content, size)) {
        return 0U;
    }
    answer_to(serial, kind, sequence, content, size);
    serial->has_answer = 1U;
    serial->sequence = sequence;
    serial->last_crc = crc;
    return 1U;
}

void ltc_serial_init(ltc_serial *serial)
{
    const ltc_cobs_receiver receiver = { 0U, 0U, 0U, 0U };
    const ltc_cobs_sender sender = { 0U, 0U, 0U, 0U, 0U };
    serial->receiver = receiver;
    serial->sender = sender;
    serial->has_session = 0U;
    serial->has_answer = 0U;
    serial->context.seal = 0U;
}

uint32_t ltc_serial_receive(ltc_serial *serial, uint8_t byte)
{
    const uint16_t length =
        ltc_cobs_take(&serial->receiver, serial->request, (uint16_t)LTC_SERIAL_REQUEST_BYTES, byte);
    return (length != 0U) ? handle(serial, length) : 0U;
}

uint32_t ltc_serial_next(ltc_serial *serial, uint8_t *byte)
{
    return ltc_cobs_give(&serial->sender, serial->answer, byte);
}
