/*
 * Fixed-width types and the few builtins that all guest software shares. Freestanding: no libc.
 */
#ifndef TYPES_H
#define TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

#ifndef NULL
#define NULL ((void *)0)
#endif
#define offsetof(type, member) __builtin_offsetof(type, member)
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_BYTES 4096ul
#define ALIGN_UP(value, to) (((value) + (to)-1) & ~((u64)(to)-1))

/* GCC emits calls to these three even in freestanding code. */
void *memcpy(void *to, const void *from, u64 bytes);
void *memset(void *to, int value, u64 bytes);
int memcmp(const void *a, const void *b, u64 bytes);

u64 string_length(const char *text);
/** 1 when both texts are equal. */
int string_equal(const char *a, const char *b);
/** 1 when `text` (of `bytes` bytes) and the NUL-terminated `name` are equal. */
int string_is(const char *text, u64 bytes, const char *name);

/**
 * Finds NAME=VALUE in a space-separated command line. Returns VALUE's first character and its length in `*bytes`,
 * or NULL when NAME is not given. The last one wins, as on a kernel's command line.
 */
const char *option_find(const char *line, const char *name, u64 *bytes);
/** Reads a decimal or 0x-number from a text of `bytes` bytes; 0 when it is none, else 1 and `*value`. */
int number_parse(const char *text, u64 bytes, u64 *value);

#endif
