# What every C part of the project is compiled with. Include it from a folder's Makefile after setting ROOT.
BUILD := $(ROOT)/build
OUT := $(BUILD)/native
OBJ := $(BUILD)/obj

MACHINE := $(shell uname -m)
CC := gcc
MUSL_CC := musl-gcc

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
CFLAGS := -std=gnu17 -Os -g -fvisibility=hidden -ffunction-sections -fdata-sections -fstack-protector-strong -D_GNU_SOURCE $(WARNINGS)
LDFLAGS := -Wl,--gc-sections -Wl,-z,relro,-z,now

# glibc, for the library that Node loads.
SHARED_CFLAGS := $(CFLAGS) -fPIC
# musl, for everything that runs on its own; kernel headers and Debian's static libraries come after musl's own.
STATIC_CFLAGS := $(CFLAGS) -idirafter /usr/include -idirafter /usr/include/$(MACHINE)-linux-gnu
STATIC_LDFLAGS := -static -s $(LDFLAGS)
STATIC_LIBDIR := /usr/lib/$(MACHINE)-linux-gnu

.DELETE_ON_ERROR:
