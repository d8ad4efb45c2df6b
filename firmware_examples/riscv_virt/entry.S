/* RISC-V: where execution begins, and where it ends after a trap. */
    .option arch, +zicsr
    .section .vectors, "ax"
    .globl entry
entry:
    csrw mie, zero
    la sp, layout_stack_top
    la t0, on_trap
    csrw mtvec, t0
#ifdef __riscv_flen
    li t0, 1 << 13 /* mstatus.FS: the floating-point unit is on */
    csrs mstatus, t0
    csrw fcsr, zero
#endif
    call start

    .balign 4
on_trap:
    call stop
