# Finds the controller that a program is built with:  make CONTROLLER_DIR=BUNDLE/c-float32
#
# Sets CONTROLLER (its name), CONTROLLER_SOURCES, CONTROLLER_INCLUDE and CONTROLLER_FLAGS, which every C file
# of a program is compiled with. CONTROLLER=name chooses where a folder holds several.
# SELFTEST=0 leaves the selftest and its golden vectors out.

COMMON := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

ifndef CONTROLLER_DIR
$(error say which controller: make CONTROLLER_DIR=BUNDLE/c-float32)
endif
# A bundle keeps the sources in src; a folder of files as they were generated is taken as it is.
CONTROLLER_INCLUDE := $(firstword $(wildcard $(CONTROLLER_DIR)/src) $(CONTROLLER_DIR))
CONTROLLER ?= $(basename $(filter-out ltc_%,$(notdir $(wildcard $(CONTROLLER_INCLUDE)/*.h))))
ifneq ($(words $(CONTROLLER)),1)
$(error $(CONTROLLER_INCLUDE) holds $(if $(CONTROLLER),several controllers ($(CONTROLLER)): say CONTROLLER=name,no controller))
endif
CONTROLLER_SOURCES := $(sort $(wildcard $(CONTROLLER_INCLUDE)/*.c))
CONTROLLER_UPPER := $(shell echo $(CONTROLLER) | tr '[:lower:]' '[:upper:]')
CONTROLLER_FLAGS := -I$(CONTROLLER_INCLUDE) -I$(COMMON) -DCONTROLLER=$(CONTROLLER) \
	-DCONTROLLER_UPPER=$(CONTROLLER_UPPER) -DCONTROLLER_HEADER='"$(CONTROLLER).h"'
ifeq ($(SELFTEST),0)
CONTROLLER_FLAGS += -DLTC_SERIAL_NO_SELFTEST -D$(CONTROLLER_UPPER)_NO_SELFTEST
endif

# What a generated controller is free of warnings with, and what keeps its bits.
C_FLAGS := -std=c99 -Wall -Wextra -Wconversion -Wdouble-promotion -pedantic -Werror -ffp-contract=off
