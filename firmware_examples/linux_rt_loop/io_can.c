/*
 * can://can0?readings=MAP&actions=MAP: signals in frames of a CAN bus, by SocketCAN; can_map.h says what a
 * MAP is. Each signal is as old as the frame that brought it. There are no sequence numbers on a bus: what
 * comes is new.
 */
#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "can_map.h"
#include "io.h"

#define MOST_FRAMES 64U /* in one period, so that a busy bus cannot hold up the loop */

static int handle = -1;
static can_map readings;
static can_map actions;

static canid_t bus_id(uint32_t id)
{
    return (id > CAN_SFF_MASK) ? (id | CAN_EFF_FLAG) : id;
}

/* Only the frames of the map wake anybody up. */
static int filter(void)
{
    static struct can_filter filters[CAN_MAP_SIGNALS];
    for (uint32_t i = 0U; i < readings.count; ++i) {
        filters[i].can_id = bus_id(readings.signal[i].id);
        filters[i].can_mask = CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_EFF_MASK;
    }
    const socklen_t bytes = (socklen_t)(readings.count * sizeof(filters[0]));
    return setsockopt(handle, SOL_CAN_RAW, CAN_RAW_FILTER, filters, bytes);
}

static const char *can_open(const io_request *request, char where[IO_WHERE_BYTES])
{
    static const char *const options[] = { "readings", "actions", NULL };
    char name[IFNAMSIZ];
    struct sockaddr_can here;
    if ((url_place(request->address, name, sizeof(name)) == 0U)
        || (url_options_are(request->address, options) == 0U)
        || (can_map_read(url_option(request->address, "readings"), CONTROLLER_OBSERVATIONS, &readings) == 0U)
        || (can_map_read(url_option(request->address, "actions"), CONTROLLER_ACTIONS, &actions) == 0U)) {
        return "expected can://INTERFACE?readings=MAP&actions=MAP, a signal for each of the controller's";
    }
    memset(&here, 0, sizeof(here));
    here.can_family = AF_CAN;
    here.can_ifindex = (int)if_nametoindex(name);
    if (here.can_ifindex == 0) {
        return "there is no such interface; `ip link` lists them";
    }
    handle = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);
    if (handle < 0) {
        return (errno == EAFNOSUPPORT) ? "this kernel has no CAN; load its modules can and can_raw"
                                       : strerror(errno);
    }
    (void)snprintf(where, IO_WHERE_BYTES, "can://%s", name);
    if ((filter() != 0) || (bind(handle, (const struct sockaddr *)&here, sizeof(here)) != 0)) {
        return strerror(errno);
    }
    return NULL;
}

static void take(const struct can_frame *frame, io_inputs *inputs, int64_t now)
{
    uint32_t found = 0U;
    for (uint32_t i = 0U; i < readings.count; ++i) {
        const can_signal *const signal = &readings.signal[i];
        float *const value = &inputs->observation[i];
        if ((bus_id(signal->id) == frame->can_id)
            && (can_signal_take(signal, frame->data, frame->can_dlc, value) != 0U)) {
            inputs->measured_at[i] = now;
            found = 1U;
        }
    }
    inputs->counts.taken += found;
    inputs->counts.malformed += (found == 0U) ? 1U : 0U;
}

static void can_read(io_inputs *inputs, int64_t now)
{
    struct can_frame frame;
    for (uint32_t i = 0U; i < MOST_FRAMES; ++i) {
        const ssize_t size = read(handle, &frame, sizeof(frame));
        if (size == (ssize_t)sizeof(frame)) {
            take(&frame, inputs, now);
        } else if ((size >= 0) || (errno != EINTR)) {
            break;
        } else {
            /* once more */
        }
    }
}

/* Whether a signal is the first of its frame, which then goes out with all of them. */
static uint32_t begins_frame(uint32_t which)
{
    for (uint32_t i = 0U; i < which; ++i) {
        if (actions.signal[i].id == actions.signal[which].id) {
            return 0U;
        }
    }
    return 1U;
}

static io_result send_frame(uint32_t id, const float *action)
{
    struct can_frame frame;
    memset(&frame, 0, sizeof(frame));
    frame.can_id = bus_id(id);
    frame.can_dlc = (uint8_t)can_map_length(&actions, id);
    for (uint32_t i = 0U; i < actions.count; ++i) {
        if (actions.signal[i].id == id) {
            can_signal_give(&actions.signal[i], action[i], frame.data);
        }
    }
    if (write(handle, &frame, sizeof(frame)) == (ssize_t)sizeof(frame)) {
        return IO_GIVEN;
    }
    return (errno == ENODEV) ? IO_LOST : IO_BUSY;
}

static io_result can_write(const io_outputs *outputs)
{
    io_result worst = IO_GIVEN;
    for (uint32_t i = 0U; i < actions.count; ++i) {
        if (begins_frame(i) != 0U) {
            const io_result given = send_frame(actions.signal[i].id, outputs->action);
            worst = (given > worst) ? given : worst;
        }
    }
    return worst;
}

const io_kind io_can = { "can", can_open, can_read, can_write, can_write };
