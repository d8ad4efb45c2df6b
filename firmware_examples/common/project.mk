# The control loop of a project of `ltc-edge deploy --board`, in the folder PROJECT: app/ is the user's, settings/
# has the loop's period and the supervisor's limits.

PROJECT_SOURCES := $(sort $(wildcard $(PROJECT)/app/*.c)) $(sort $(wildcard $(PROJECT)/settings/*.c))
PROJECT_HEADERS := $(wildcard $(PROJECT)/app/*.h $(PROJECT)/settings/*.h)

# What the board says that it runs: the first 8 bytes of the SHA-256 of all that it is built from, file after file
# in the order of their names.
HASHED := $(shell cd $(PROJECT) && find . -name build -prune -o -type f \
	\( -name '*.[chS]' -o -name '*.ld' -o -name '*.mk' -o -name '*.awk' -o -name Makefile \) -print | LC_ALL=C sort)
IMAGE := $(shell cd $(PROJECT) && cat $(HASHED) | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)
ifneq ($(words $(IMAGE)),1)
$(error sha256sum or shasum is needed)
endif
PROJECT_FLAGS := -DLTC_SERIAL_LOOP=1 -I$(PROJECT)/app -I$(PROJECT)/settings \
	-DLOOP_IMAGE='{$(shell echo $(IMAGE) | sed 's/../0x&U,/g')}'

.PHONY: always
$(BUILD)/image.txt: always | $(BUILD)
	@echo $(IMAGE) | cmp -s - $@ || echo $(IMAGE) > $@
$(BUILD)/ltc_loop_serial.o: $(BUILD)/image.txt
