# A board with a Cortex-M; see firmware.mk. Its Makefile sets CPU and, where it has one, FPU.

CORTEX_M := $(dir $(lastword $(MAKEFILE_LIST)))
CROSS ?= arm-none-eabi-
ARCH := -mthumb -mcpu=$(CPU) $(if $(FPU),-mfloat-abi=hard -mfpu=$(FPU),-mfloat-abi=soft)
BOARD_SOURCES += $(CORTEX_M)cortex_m.c

include $(CORTEX_M)firmware.mk
