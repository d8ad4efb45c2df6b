/*
 * mailbox://FILE,EVENT: two slots in memory that another process, which started this one, shares: the newest
 * readings in one, the action in the other. FILE and EVENT are numbers of open files: the memory, and an
 * eventfd that says that an action is there. ltc_edge/deploy/run/mailbox.py is the other end.
 *
 * A slot's sequence is odd while its bytes change; the CRC tells what was copied meanwhile all the same, since
 * the other end is in Python and has no memory barriers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datagram.h"
#include "io.h"

#define ROUNDED(bytes) ((((bytes) + 63U) / 64U) * 64U)
#define TRIES 4U

/* Of the controller's runtime, in c-float32 and in c-int16. */
uint32_t ltc_crc32(const void *data, uint32_t bytes);

typedef struct {
    uint32_t sequence;
    uint32_t length;
    uint32_t crc;
    uint32_t unused;
} slot_head;

typedef struct {
    slot_head readings;
    uint8_t readings_bytes[ROUNDED(DATAGRAM_READINGS_MOST)];
    slot_head action;
    uint8_t action_bytes[ROUNDED(DATAGRAM_ACTION_BYTES)];
} mailbox;

static mailbox *box;
static int event = -1;
static uint32_t seen;
static datagram_link line;

static const char *mailbox_open(const io_request *request, char where[IO_WHERE_BYTES])
{
    int file = -1;
    char rest;
    struct stat found;
    if (sscanf(request->address, "%d,%d%c", &file, &event, &rest) != 2) {
        return "expected mailbox://FILE,EVENT, numbers of open files";
    }
    if ((fstat(file, &found) != 0) || (found.st_size != (off_t)sizeof(mailbox))) {
        return "the file is not a mailbox for this controller";
    }
    void *const memory = mmap(NULL, sizeof(mailbox), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        return strerror(errno);
    }
    box = (mailbox *)memory;
    (void)snprintf(where, IO_WHERE_BYTES, "mailbox");
    return NULL;
}

/* Copy the readings; 1 where they are whole. */
static uint32_t copy(uint8_t bytes[DATAGRAM_READINGS_MOST], uint32_t *length, uint32_t *sequence)
{
    *sequence = __atomic_load_n(&box->readings.sequence, __ATOMIC_ACQUIRE);
    *length = box->readings.length;
    const uint32_t crc = box->readings.crc;
    if (((*sequence & 1U) != 0U) || (*length > DATAGRAM_READINGS_MOST)) {
        return 0U;
    }
    memcpy(bytes, box->readings_bytes, *length);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return ((__atomic_load_n(&box->readings.sequence, __ATOMIC_RELAXED) == *sequence)
            && (ltc_crc32(bytes, *length) == crc))
               ? 1U
               : 0U;
}

static void mailbox_read(io_inputs *inputs, int64_t now)
{
    static uint8_t bytes[DATAGRAM_READINGS_MOST];
    uint32_t length = 0U;
    uint32_t sequence = seen;
    if (__atomic_load_n(&box->readings.sequence, __ATOMIC_RELAXED) == seen) {
        return;
    }
    for (uint32_t i = 0U; i < TRIES; ++i) {
        if (copy(bytes, &length, &sequence) != 0U) {
            (void)datagram_take(&line, bytes, length, now, inputs);
            seen = sequence;
            return;
        }
    }
    /* The other end is still at it: the next period gets them. */
}

static io_result mailbox_write(const io_outputs *outputs)
{
    static const uint64_t one = 1U;
    static uint8_t bytes[DATAGRAM_ACTION_BYTES];
    slot_head *const head = &box->action;
    datagram_write(&line, outputs, bytes);
    __atomic_store_n(&head->sequence, head->sequence + 1U, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    head->length = DATAGRAM_ACTION_BYTES;
    head->crc = ltc_crc32(bytes, DATAGRAM_ACTION_BYTES);
    memcpy(box->action_bytes, bytes, sizeof(bytes));
    __atomic_store_n(&head->sequence, head->sequence + 1U, __ATOMIC_RELEASE);
    return (write(event, &one, sizeof(one)) == (ssize_t)sizeof(one)) ? IO_GIVEN : IO_BUSY;
}

const io_kind io_mailbox = { "mailbox", mailbox_open, mailbox_read, mailbox_write, mailbox_write };
