# Builds, tests and installs sipxray: `make help` lists what there is to make.

# Debian packages, by what they are for.
BUILD_PACKAGES = gcc make pkg-config libpcap-dev libosip2-dev libcjson-dev zlib1g-dev
TEST_PACKAGES  = libcmocka-dev mandoc
LINT_PACKAGES  = cppcheck clang clang-tidy clang-format libclang-rt-dev
BENCH_PACKAGES = sngrep tshark
LAB_PACKAGES   = iproute2 kamailio sip-tester tcpdump tshark
DEV_PACKAGES   = $(LINT_PACKAGES) $(BENCH_PACKAGES) $(LAB_PACKAGES)

MODULES = libpcap libosip2 libcjson zlib
FOLDERS = base source packet sip call hop expect check trace view report tui probe cmd

BUILD  ?= build
PREFIX ?= /usr/local
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
WERROR  =
OPT     = -O2 -g
SAN     =
FLAGS   = -std=gnu11 $(OPT) $(WARN) $(WERROR) $(SAN) -Isrc -D_GNU_SOURCE $(CPPFLAGS) $(CFLAGS)
PCFLAGS = $(shell pkg-config --cflags $(MODULES))
LIBS    = $(shell pkg-config --libs $(MODULES)) $(LDLIBS)

SRC  := $(wildcard $(FOLDERS:%=src/%/*.c))
OBJ  := $(SRC:src/%.c=$(BUILD)/obj/%.o)
MAIN := $(BUILD)/obj/cmd/main.o
LIB  := $(BUILD)/libsipxray.a
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
PROGRAM := $(if $(wildcard src/cmd/main.c),$(BUILD)/sipxray)

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANBUILD = BUILD=$(BUILD)/san OPT='-O1 -g' SAN='$(SANITIZE)'

# On all cores, unless a make above this one says how many.
MAKEFLAGS += --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
V ?=
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

all: $(PROGRAM)

# The program, and the library that its tests link with.

$(BUILD)/sipxray: $(MAIN) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(filter-out $(MAIN),$(OBJ)) $(BUILD)/objects
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(PCFLAGS) -MMD -MP -c -o $@ $<

# Files that change only when what they hold changes: whatever depends on them is then made anew.
$(BUILD)/flags: NOW = $(CC) $(FLAGS)
$(BUILD)/objects: NOW = $(OBJ)
$(BUILD)/flags $(BUILD)/objects: FORCE
	@mkdir -p $(@D) && echo '$(NOW)' | cmp -s - $@ || echo '$(NOW)' > $@

# Tests, built with the sanitizers under $(BUILD)/san. T=name runs the unit tests of that name only.

T ?= *
test: deps-test
	@$(MAKE) test-build && tests/run $(BUILD)/san '$(T)'

test-build:
	@$(MAKE) $(SANBUILD) test-programs

test-unit:
	@$(MAKE) $(SANBUILD) unit-programs && tests/run $(BUILD)/san '$(T)' unit

test-programs: unit-programs $(FUZZ:%=$(BUILD)/fuzz/%) $(PROGRAM)
unit-programs: $(if $(filter-out *,$(T)),$(BUILD)/unit/test_$(T),$(UNIT))

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(PCFLAGS) -Itests -MMD -MP $(LDFLAGS) \
		-o $@ $< $(LIB) $(LIBS) $(shell pkg-config --libs cmocka)

$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(LIB)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(PCFLAGS) -MMD -MP $(LDFLAGS) \
		-o $@ $< tests/fuzz/replay.c $(LIB) $(LIBS)

clean:
	rm -rf $(BUILD)

# What is missing of the packages is installed, or the command for it printed.

deps:       ; @.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES) $(DEV_PACKAGES)
deps-build: ; @.ci/deps $(BUILD_PACKAGES)
deps-test:  ; @.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES)
deps-lint:  ; @.ci/deps $(BUILD_PACKAGES) $(LINT_PACKAGES)
deps-bench: ; @.ci/deps $(BUILD_PACKAGES) $(BENCH_PACKAGES)
deps-lab:   ; @.ci/deps $(BUILD_PACKAGES) $(LAB_PACKAGES)

FORCE:
.PHONY: all test test-build test-unit test-programs unit-programs clean FORCE \
	deps deps-build deps-test deps-lint deps-bench deps-lab
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJ:.o=.d) $(wildcard $(BUILD)/unit/*.d $(BUILD)/fuzz/*.d)
