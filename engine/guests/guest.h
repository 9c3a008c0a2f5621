/*
 * The tiny kernel under a bare-metal guest: paging, timer interrupts, hypercalls, line output.
 */
#ifndef GUEST_H
#define GUEST_H

#include "abi.h"
#include "csr.h"
#include "types.h"

/** Guest RAM, and the second address at which paging shows it (so that VS-stage translation is no identity). */
#define GUEST_RAM 0x80000000ul
#define GUEST_RAM_BYTES 0x100000ul
#define GUEST_ALIAS 0x1080000000ul
#define ALIAS(pointer) ((__typeof__(&*(pointer)))((u64)(pointer)-GUEST_RAM + GUEST_ALIAS))

/** The guest's own program. Returns its exit status, 0 = success. */
u64 guest_main(const char *arguments);

/** Timer interrupts taken so far. */
extern volatile u64 guest_ticks;
/** Sleeps until the next timer interrupt. */
void guest_wait_tick(void);

u64 hypercall(u64 function, u64 a0, u64 a1);
/** Prints one line: %s, %d, %x (u64). */
void print_line(const char *format, ...);

#endif
