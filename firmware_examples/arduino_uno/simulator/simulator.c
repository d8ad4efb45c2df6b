/*
 * An Arduino Uno on this machine: its serial line is standard input and output, its processor is simavr's,
 * to the cycle.
 *
 *     simulator uno.elf REPORT STEP_ADDRESS
 *
 * When the input ends it writes to the file REPORT, as JSON, how many cycles each call of the function at
 * STEP_ADDRESS took (avr-nm tells; interrupts in between are counted) and how deep the stack went.
 *
 * Time passes in the board alone: where it sleeps and nothing is on the line, this program waits for input
 * with the board's clock at rest. So a busy host changes nothing of what the board does.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define FREQUENCY 16000000U
#define QUIET (FREQUENCY / 500U) /* cycles without a byte after which a board that sleeps is idle: 2 ms */
#define LOOK 4096U               /* cycles between looks at the input while it is busy */

enum { GOOD = 0, FAILED = 1, WRONG_USAGE = 2 };

/* The serial line. */
static struct {
    avr_t *avr;
    int out;
    int ended;
    int may_send; /* the board's UART has room */
    avr_cycle_count_t last_byte;
    uint8_t bytes[4096];
    size_t at, count;
} line;

/* The function that is watched. */
static struct {
    avr_flashaddr_t address;
    int inside;
    uint16_t stack; /* when it was entered */
    avr_cycle_count_t entered;
    uint64_t calls, total, least, most;
    uint16_t lowest_stack;
} watch;

static void byte_from_board(struct avr_irq_t *irq, uint32_t value, void *param)
{
    const uint8_t byte = (uint8_t)value;
    (void)irq;
    (void)param;
    line.last_byte = line.avr->cycle;
    if (write(line.out, &byte, 1U) != 1) {
        line.ended = 1; /* nobody listens */
    }
}

static void room_in_board(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    line.may_send = (param != NULL);
}

/* Fetch what is on the input; wait for it where there is nothing else to do. */
static void look(int wait)
{
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    if ((line.at < line.count) || line.ended || (poll(&input, 1U, wait ? -1 : 0) <= 0)) {
        return;
    }
    const ssize_t count = read(STDIN_FILENO, line.bytes, sizeof(line.bytes));
    if (count > 0) {
        line.at = 0U;
        line.count = (size_t)count;
    } else if ((count == 0) || (errno != EINTR)) {
        line.ended = 1;
    }
}

static void send_to_board(avr_irq_t *input)
{
    while (line.may_send && (line.at < line.count)) {
        line.last_byte = line.avr->cycle;
        avr_raise_irq(input, line.bytes[line.at++]); /* may say that there is no more room */
    }
}

static uint16_t stack_pointer(const avr_t *avr)
{
    return (uint16_t)(avr->data[R_SPL] | (avr->data[R_SPH] << 8));
}

/* Before each instruction: is the function entered, or left? */
static void observe(const avr_t *avr)
{
    const uint16_t stack = stack_pointer(avr);
    if ((stack >= avr->ramend - 2047U) && (stack < watch.lowest_stack)) {
        watch.lowest_stack = stack; /* before the program sets it, it is 0 */
    }
    if (!watch.inside && (avr->pc == watch.address)) {
        watch.inside = 1;
        watch.stack = stack;
        watch.entered = avr->cycle;
    } else if (watch.inside && (stack > watch.stack)) {
        const uint64_t cycles = avr->cycle - watch.entered;
        watch.inside = 0;
        ++watch.calls;
        watch.total += cycles;
        watch.least = (cycles < watch.least) ? cycles : watch.least;
        watch.most = (cycles > watch.most) ? cycles : watch.most;
    }
}

/* In the place of simavr's, which sleeps in this machine's time too. */
static void sleep_in_board_time(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)cycles;
    look(avr->cycle - line.last_byte > QUIET);
}

static avr_t *make_board(const char *program)
{
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof(firmware));
    if (elf_read_firmware(program, &firmware) != 0) {
        (void)fprintf(stderr, "Error: %s is no program for an AVR\n", program);
        return NULL;
    }
    avr_t *const avr = avr_make_mcu_by_name("atmega328p");
    if (avr == NULL) {
        (void)fprintf(stderr, "Error: this simavr does not know the ATmega328P\n");
        return NULL;
    }
    avr_init(avr);
    avr->log = LOG_ERROR;
    avr_load_firmware(avr, &firmware);
    avr->frequency = FREQUENCY;
    avr->run_cycle_limit = 1U; /* one instruction a call of avr_run */
    avr->sleep = sleep_in_board_time;
    return avr;
}

static avr_irq_t *connect_line(avr_t *avr)
{
    uint32_t flags = 0U;
    static int room;
    line.avr = avr;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_t *const irqs = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(&irqs[UART_IRQ_OUTPUT], byte_from_board, NULL);
    avr_irq_register_notify(&irqs[UART_IRQ_OUT_XON], room_in_board, &room);
    avr_irq_register_notify(&irqs[UART_IRQ_OUT_XOFF], room_in_board, NULL);
    return &irqs[UART_IRQ_INPUT];
}

static int write_report(const char *path, const avr_t *avr)
{
    FILE *const file = fopen(path, "w");
    if (file == NULL) {
        (void)fprintf(stderr, "Error: %s: %s\n", path, strerror(errno));
        return FAILED;
    }
    (void)fprintf(file, "{\"steps\": %llu, ", (unsigned long long)watch.calls);
    if (watch.calls > 0U) {
        (void)fprintf(file, "\"cycles_per_step\": {\"min\": %llu, \"mean\": %.1f, \"max\": %llu}, ",
                      (unsigned long long)watch.least, (double)watch.total / (double)watch.calls,
                      (unsigned long long)watch.most);
    }
    (void)fprintf(file, "\"stack_bytes\": %u, \"cycles\": %llu}\n", (unsigned)(avr->ramend - watch.lowest_stack),
                  (unsigned long long)avr->cycle);
    return (fclose(file) == 0) ? GOOD : FAILED;
}

static int run(avr_t *avr, avr_irq_t *input)
{
    avr_cycle_count_t next_look = 0U;
    while (!line.ended || (line.at < line.count)) {
        observe(avr);
        const int state = avr_run(avr);
        if ((state == cpu_Done) || (state == cpu_Crashed)) {
            (void)fprintf(stderr, "Error: the program on the board %s\n",
                          (state == cpu_Crashed) ? "crashed" : "stopped");
            return FAILED;
        }
        if (avr->cycle >= next_look) {
            next_look = avr->cycle + LOOK;
            look(0);
        }
        send_to_board(input);
    }
    return GOOD;
}

int main(int count, char **arguments)
{
    if (count != 4) {
        (void)fprintf(stderr, "usage: simulator uno.elf REPORT STEP_ADDRESS\n");
        return WRONG_USAGE;
    }
    /* simavr writes messages to standard output. */
    line.out = dup(STDOUT_FILENO);
    if ((line.out < 0) || (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)) {
        return FAILED;
    }
    avr_t *const avr = make_board(arguments[1]);
    if (avr == NULL) {
        return FAILED;
    }
    watch.address = (avr_flashaddr_t)strtoul(arguments[3], NULL, 16);
    watch.least = UINT64_MAX;
    watch.lowest_stack = UINT16_MAX;
    avr_irq_t *const input = connect_line(avr);
    const int result = run(avr, input);
    return (write_report(arguments[2], avr) == GOOD) ? result : FAILED;
}
