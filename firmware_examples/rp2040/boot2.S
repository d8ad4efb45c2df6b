/*
 * RP2040: what its ROM copies into RAM and runs after a reset. It lets the flash chip appear at 0x10000000, by
 * the command for a plain read (03h), which every chip knows, then starts the program behind it.
 *
 * It is 256 bytes with a CRC at their end, without which the ROM takes the flash for empty. uf2.c checks the
 * CRC, so whoever changes an instruction is told the new one. Registers: RP2040 datasheet, 4.10.13.
 */
    .syntax unified
    .thumb
    .section .boot2, "ax"

    .equ ssi, 0x18000000
    .equ vectors, 0x10000100
    .equ vtor, 0xE000ED08

boot2:
    adr r0, writes
next:
    ldmia r0!, {r1, r2}
    cmp r1, #0
    beq run
    str r2, [r1]
    b next
run:
    ldr r0, =vtor
    str r2, [r0]
    ldmia r2!, {r0, r1} /* the end of the stack, and where a program begins */
    msr msp, r0
    bx r1

    .balign 4
writes: /* address and value; after them what follows from address 0 on */
    .word ssi + 0x08, 0                              /* SSIENR: off, for what follows */
    .word ssi + 0x14, 2                              /* BAUDR: half of the processor's clock, 6 MHz */
    .word ssi + 0x00, (31 << 16) | (3 << 8)          /* CTRLR0: 32 bits of data after command and address */
    .word ssi + 0xF4, (3 << 24) | (2 << 8) | (6 << 2) /* SPI_CTRLR0: command 03h, 8 bits; 24 bits of address */
    .word ssi + 0x04, 0                              /* CTRLR1: one word a read */
    .word ssi + 0x08, 1                              /* SSIENR: on */
    .word 0, vectors
    .ltorg

    .org 252
    .word 0x3FCE8A28 /* the CRC */
