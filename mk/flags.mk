# Compiler flags.  SAN=1 builds with ASan and UBSan into build/asan;
# KILL_POINTS=1 with the points at which tests kill the relay, into build/kill;
# WERROR=1 (CI) turns warnings into errors.

VERSION := $(shell cat VERSION)
CC      := gcc
AR      := ar

ifdef SAN
VARIANT := asan
OPT     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK_OPT := -fsanitize=address,undefined
else
VARIANT := release
OPT     := -O2 -g -fno-omit-frame-pointer -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LINK_OPT := -Wl,-z,relro,-z,now -pie
endif
ifdef KILL_POINTS
VARIANT := kill
OPT     += -DCHEMCHAT_KILL_POINTS
endif
B := build/$(VARIANT)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wvla -Wformat=2 -Wcast-qual -Wswitch-enum -Wno-unused-parameter
ifdef WERROR
WARN += -Werror
endif

CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -DCHEMCHAT_VERSION='"$(VERSION)"' \
              -fPIE -fvisibility=hidden -pthread $(OPT) $(WARN) $(CFLAGS)
LDFLAGS_ALL := -pthread $(LINK_OPT) $(LDFLAGS)
