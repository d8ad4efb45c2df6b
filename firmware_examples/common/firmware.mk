# Builds firmware.elf, and firmware.hex and firmware.bin for flashing, of a board that serves its controller over a serial
# line. A board's Makefile sets CROSS, ARCH (flags of its processor), LAYOUT (its linker script) and BOARD_SOURCES before it includes this.
# OPTIMIZE=-Os makes it smaller.
# PROJECT=FOLDER, a project of `ltc-edge deploy --board`, adds its control loop: see project.mk.

.DEFAULT_GOAL := all
include $(dir $(lastword $(MAKEFILE_LIST)))controller.mk

CC := $(CROSS)gcc
OPTIMIZE ?= -O2
BUILD ?= build
ifdef PROJECT
include $(COMMON)/project.mk
endif
# What a board without a library of its own starts with, and what is linked last.
RUNTIME ?= start.c memory.c
LIBRARIES ?= -lgcc
# memory.c gives the functions that compilers call unasked, so it must not be turned into calls of them.
FREE ?= -ffreestanding -fno-tree-loop-distribute-patterns
FLAGS := $(C_FLAGS) $(ARCH) $(OPTIMIZE) $(FREE) -ffunction-sections -fdata-sections -g \
	$(CONTROLLER_FLAGS) $(BOARD_FLAGS) $(PROJECT_FLAGS)
LINK ?= $(ARCH) -nostdlib -static -Wl,--gc-sections -Wl,--fatal-warnings -L$(COMMON) -T $(LAYOUT) \
	-Wl,-Map=$(BUILD)/firmware.map

PROGRAM := ltc_serial.c ltc_cobs.c $(if $(PROJECT),loop_main.c ltc_loop.c ltc_loop_serial.c ltc_supervisor.c,serial_main.c)
SOURCES := $(CONTROLLER_SOURCES) $(addprefix $(COMMON)/,$(PROGRAM) $(RUNTIME)) $(BOARD_SOURCES) $(PROJECT_SOURCES)
OBJECTS := $(patsubst %,$(BUILD)/%.o,$(basename $(notdir $(SOURCES))))
HEADERS := $(wildcard $(COMMON)/*.h $(CONTROLLER_INCLUDE)/*.h) $(PROJECT_HEADERS)
vpath %.c $(sort $(dir $(SOURCES)))
vpath %.S $(sort $(dir $(SOURCES)))

.PHONY: all clean
all: $(BUILD)/firmware.elf $(BUILD)/firmware.hex $(BUILD)/firmware.bin
	$(CROSS)size $<

$(BUILD)/firmware.elf: $(OBJECTS) $(LAYOUT) $(wildcard $(COMMON)/*.ld)
	$(CC) $(LINK) -o $@ $(OBJECTS) $(LIBRARIES)

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
