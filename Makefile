# Builds, tests and installs sipxray.
#
#? make             build/sipxray
#? make demo        install what is missing, build, and run the main job on a recording
#? make test        build with sanitizers and pass every test
#? make test-unit   the unit tests only; T=NAME: tests/unit/test_NAME.c, also with *
#? make lint        both compilers with -Werror, clang-tidy, cppcheck, shellcheck, clang-format
#? make bench       time and memory, compared with other tools
#? make instructions  instructions a packet, against the figures kept
#? make fuzz        libFuzzer on each fuzz target for SECONDS=60
#? make pictures    man/pictures/ anew, from the screens that tests compare
#? make captures    record captures/ anew, as root
#? make install     PREFIX=/usr/local DESTDIR=
#? make deps        install every package that any of these needs
#? make format      clang-format on all of it
#? make clean       remove build/
#?
#? CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS add to what is used; V=1 shows the commands.

# Debian packages, by what they are for.
BUILD_PACKAGES = gcc make pkg-config libpcap-dev libosip2-dev libcjson-dev zlib1g-dev \
	libssl-dev libyaml-dev libpcre2-dev libncurses-dev libseccomp-dev
TEST_PACKAGES  = tmux screen libcmocka-dev iproute2 mandoc python3 \
	chromium cmark-gfm libxml2-utils perl python3-yaml \
	kamailio kamailio-tls-modules openssl sip-tester tcpdump tshark
LINT_PACKAGES  = cppcheck clang clang-tidy clang-format libclang-rt-dev libcmocka-dev shellcheck
BENCH_PACKAGES = sngrep tshark
LAB_PACKAGES   = iproute2 gcc kamailio kamailio-extra-modules kamailio-tls-modules \
	kamailio-websocket-modules libssl-dev openssl python3 sip-tester tcpdump tshark \
	wireshark-common
DEV_PACKAGES   = valgrind $(LINT_PACKAGES) $(BENCH_PACKAGES) $(LAB_PACKAGES)

MODULES = libpcap libosip2 libcjson zlib libcrypto libssl yaml-0.1 libpcre2-8 ncursesw libseccomp
FOLDERS = base source packet sip call hop expect check trace view report tui probe cmd

BUILD  ?= build
PREFIX ?= /usr/local
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
WERROR  =
OPT     = -O3 -g $(LTO)
LTO     = $(if $(findstring clang,$(CC)),,-flto=auto)
SAN     =
FLAGS   = -std=gnu11 $(OPT) $(WARN) $(WERROR) $(SAN) -Isrc -D_GNU_SOURCE $(CPPFLAGS) $(CFLAGS)
PCFLAGS = $(shell pkg-config --cflags $(MODULES))
LIBS    = $(shell pkg-config --libs $(MODULES)) $(LDLIBS)

SRC  := $(wildcard $(FOLDERS:%=src/%/*.c))
OBJ  := $(SRC:src/%.c=$(BUILD)/obj/%.o)
T    ?= *
MAIN := $(BUILD)/obj/cmd/main.o
LIB  := $(BUILD)/libsipxray.a
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_$(T).c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANBUILD = BUILD=$(BUILD)/san OPT='-O1 -g' SAN='$(SANITIZE)'

# On all cores, unless a make above this one says how many.
MAKEFLAGS += --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
V ?=
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) '$(2)')

all: $(BUILD)/sipxray

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
	@pkg-config --exists $(MODULES) || { echo 'Something is missing: try make deps'; exit 1; }
	@mkdir -p $(@D) && echo '$(NOW)' | cmp -s - $@ || echo '$(NOW)' > $@

# Tests, built with the sanitizers under $(BUILD)/san.

test: deps-test
	@$(MAKE) test-build && tests/run $(BUILD)/san

test-build:
	@$(MAKE) $(SANBUILD) test-programs

test-unit:
	@$(MAKE) $(SANBUILD) unit-programs && tests/run $(BUILD)/san '$(T)' unit

test-programs: unit-programs $(FUZZ:%=$(BUILD)/fuzz/%) $(BUILD)/sipxray $(BUILD)/screen
unit-programs: $(UNIT)

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(PCFLAGS) -Itests -MMD -MP $(LDFLAGS) \
		-o $@ $< $(LIB) $(LIBS) $(shell pkg-config --libs cmocka openssl)

$(BUILD)/screen: tests/screen/screen.c $(LIB)
	$(call say,CC,$<)
	$(Q)$(CC) $(FLAGS) $(PCFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(LIB)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(PCFLAGS) -Itests -MMD -MP $(LDFLAGS) \
		-o $@ $< tests/fuzz/replay.c $(LIB) $(LIBS)

# The pictures of README.md: each is the screen of the test case of its name.
pictures: $(BUILD)/screen
	@for p in man/pictures/*.svg; do \
		$(BUILD)/screen "tests/screen/$$(basename "$$p" .svg)/keys" svg >"$$p.new" && mv "$$p.new" "$$p" || exit 1; \
	done

# Long runs of the fuzz targets by libFuzzer; what they find is kept in build/libfuzzer/found.
# An empty slice may be NULL, and 0 is added to it: C2y allows that, and clang's pointer-overflow minds it.
SECONDS ?= 60
fuzz: deps-lint
	@$(MAKE) BUILD=$(BUILD)/libfuzzer CC=clang OPT='-O1 -g' \
		SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
		-fno-sanitize=pointer-overflow' fuzz-run

fuzz-run: $(FUZZ:%=fuzz-run-%)
fuzz-run-%: tests/fuzz/%.c $(LIB)
	$(Q)mkdir -p $(BUILD)/fuzz $(BUILD)/found/$*
	$(Q)$(CC) $(FLAGS) $(PCFLAGS) -fsanitize=fuzzer -o $(BUILD)/fuzz/$* $< $(LIB) $(LIBS)
	$(BUILD)/fuzz/$* -max_total_time=$(SECONDS) -artifact_prefix=$(BUILD)/found/$*- \
		$(BUILD)/found/$* $(wildcard tests/fuzz/corpus/$(*:fuzz_%=%)) 2>$(BUILD)/fuzz/$*.log || \
		{ tail -n 40 $(BUILD)/fuzz/$*.log; exit 1; }
	@tail -n 1 $(BUILD)/fuzz/$*.log

# Both compilers without a warning, and two analysers without a remark.

TIDY = $(SRC:src/%.c=$(BUILD)/lint/%.tidy)
lint: deps-lint
	@$(MAKE) lint-gcc lint-clang lint-cppcheck lint-shell format-check $(TIDY)

lint-gcc lint-clang: lint-%:
	@$(MAKE) CC=$* WERROR=-Werror LTO= BUILD=$(BUILD)/lint/$* test-programs

lint-cppcheck:
	$(call say,CHECK,src)
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 -j $(shell nproc) -Isrc src

lint-shell:
	$(call say,CHECK,tests .ci)
	$(Q)shellcheck -x -e SC2016,SC1091 .ci/* tests/run tests/*/run

$(BUILD)/lint/%.tidy: src/%.c .clang-tidy $(wildcard src/*/*.h src/*/*.def)
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D) && clang-tidy --quiet $< -- $(FLAGS) $(PCFLAGS) 2>$@.log >$@.out || \
		{ cat $@.out $@.log; exit 1; }
	$(Q)touch $@

FORMATTED = $(wildcard src/*/*.[ch] tests/*/*.[ch])
format:       ; clang-format -i $(FORMATTED)
format-check: ; clang-format --dry-run -Werror $(FORMATTED)

# Times and memory, compared with other tools; BENCH_FULL=1 gives those the long capture as well.

BENCH = pcaploop measure generate hostile burst
bench: deps-bench
	@$(MAKE) all $(BENCH:%=$(BUILD)/bench/%)
	@tests/bench/run $(BUILD)

# Instructions a packet, which other load on the machine does not move.
instructions: deps-instructions
	@$(MAKE) all $(BUILD)/bench/generate
	@tests/instructions/run $(BUILD)

$(BUILD)/bench/%: tests/bench/%.c tests/bench/frames.h $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(PCFLAGS) -o $@ $< $(LIBS)

# Records captures/ anew, from real proxies in network namespaces; as root.
captures: deps-lab
	tests/lab/record

# The main job, on a recording in which the first proxy strips headers from BYE.
DEMO = captures/kam1-strips-bye
demo: deps-build
	@$(MAKE) all
	@echo "$$ cd $(DEMO) && sipxray check $$(cat $(DEMO)/command)" && cd $(DEMO) && \
		{ $(abspath $(BUILD))/sipxray check $$(cat command); status=$$?; } && \
		echo "exit status $$status" && test $$status = 1

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(BUILD)/sipxray $(DESTDIR)$(PREFIX)/bin
	for page in $(wildcard man/*.[1-9]); do \
		install -Dm644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done

clean:
	rm -rf $(BUILD)

# What is missing of the packages is installed, or the command for it printed.

deps:       ; @.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES) $(DEV_PACKAGES)
deps-build: ; @.ci/deps $(BUILD_PACKAGES)
deps-test:  ; @.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES)
deps-lint:  ; @.ci/deps $(BUILD_PACKAGES) $(LINT_PACKAGES)
deps-instructions: ; @.ci/deps $(BUILD_PACKAGES) valgrind
deps-bench: ; @.ci/deps $(BUILD_PACKAGES) $(BENCH_PACKAGES)
deps-lab:   ; @.ci/deps $(BUILD_PACKAGES) $(LAB_PACKAGES)

help:
	@sed -n 's/^#? \{0,1\}//p' Makefile

FORCE:
.PHONY: all help test test-build test-unit test-programs unit-programs fuzz fuzz-run lint lint-gcc \
	lint-clang lint-cppcheck lint-shell format format-check bench instructions captures pictures demo install clean FORCE \
	deps deps-build deps-test deps-lint deps-bench deps-lab \
	deps-instructions
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJ:.o=.d) $(wildcard $(BUILD)/unit/*.d $(BUILD)/fuzz/*.d)
