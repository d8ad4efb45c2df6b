# Builds firmware.elf, and firmware.hex and firmware.bin for flashing, of a board that serves its controller over a serial line. A board's Makefile
# sets CROSS, ARCH (flags of its processor), LAYOUT (its linker script) and BOARD_SOURCES before it includes this.
# OPTIMIZE=-Os makes it smaller.

include $(dir $(lastword $(MAKEFILE_LIST)))controller.mk

CC := $(CROSS)gcc
OPTIMIZE ?= -O2
BUILD ?= build
# memory.c gives the functions that compilers call unasked, so it must not be turned into calls of them.
FLAGS := $(C_FLAGS) $(ARCH) $(OPTIMIZE) -ffreestanding -fno-tree-loop-distribute-patterns -ffunction-sections \
	-fdata-sections -g $(CONTROLLER_FLAGS) $(BOARD_FLAGS)
LINK := $(ARCH) -nostdlib -static -Wl,--gc-sections -Wl,--fatal-warnings -L$(COMMON) -T $(LAYOUT) \
	-Wl,-Map=$(BUILD)/firmware.map

SOURCES := $(CONTROLLER_SOURCES) $(addprefix $(COMMON)/,ltc_serial.c ltc_cobs.c serial_main.c start.c memory.c) $(BOARD_SOURCES)
OBJECTS := $(patsubst %,$(BUILD)/%.o,$(basename $(notdir $(SOURCES))))
HEADERS := $(wildcard $(COMMON)/*.h $(CONTROLLER_INCLUDE)/*.h)
vpath %.c $(sort $(dir $(SOURCES)))
vpath %.S $(sort $(dir $(SOURCES)))

.PHONY: all clean
all: $(BUILD)/firmware.elf $(BUILD)/firmware.hex $(BUILD)/firmware.bin
	$(CROSS)size $<

$(BUILD)/firmware.elf: $(OBJECTS) $(LAYOUT) $(wildcard $(COMMON)/*.ld)
	$(CC) $(LINK) -o $@ $(OBJECTS) -lgcc

$(BUILD)/firmware.hex: $(BUILD)/firmware.elf
	$(CROSS)objcopy -O ihex $< $@

$(BUILD)/firmware.bin: $(BUILD)/firmware.elf
	$(CROSS)objcopy -O binary $< $@

$(BUILD)/%.o: %.c $(HEADERS) | $(BUILD)
	$(CC) $(FLAGS) -c -o $@ $<

$(BUILD)/%.o: %.S | $(BUILD)
	$(CC) $(ARCH) -g -c -o $@ $<

$(BUILD):
	mkdir -p $@

clean:
	rm -rf $(BUILD)
