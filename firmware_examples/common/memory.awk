# Reads avr-size -A; says what is used, and refuses with the numbers what the board cannot hold.
$1 == ".text" { text = $2 }
$1 == ".data" { data = $2 }
$1 == ".bss" || $1 == ".noinit" { zeroed += $2 }
END {
    static_ram = data + zeroed
    printf "%s: flash %d of %d bytes, static RAM %d of %d bytes, %d left for the stack\n",
        name, text + data, flash, static_ram, ram, ram - static_ram
    if (text + data > flash) {
        printf "Error: %s does not fit on an Uno: it needs %d bytes of flash, there are %d\n",
            name, text + data, flash > "/dev/stderr"
        exit 1
    }
    if (static_ram + stack > ram) {
        printf "Error: %s does not fit on an Uno: %d bytes of static RAM and %d of stack are more than %d; " \
            "%stake fewer neurons\n", name, static_ram, stack, ram, \
            (selftest == "0") ? "" : "make SELFTEST=0, or " > "/dev/stderr"
        exit 1
    }
}
