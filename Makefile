# sipxray: see README.md.  `make deps` installs what is needed, `make` builds build/sipxray.
PKGS    = libpcap libosip2 libcjson zlib
CC     ?= gcc
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
OPT     = -O2 -g
CFLAGS  = -std=gnu11 $(OPT) $(WARN) $(WERROR) $(SAN)
CPPFLAGS = -Isrc -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS))
LDLIBS  = $(shell pkg-config --libs $(PKGS))
BUILD  ?= build

SRC  := $(wildcard src/*/*.c)
OBJ  := $(SRC:src/%.c=$(BUILD)/obj/%.o)

all: $(BUILD)/sipxray

$(BUILD)/sipxray: $(OBJ)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJ:.o=.d)
.PHONY: all
