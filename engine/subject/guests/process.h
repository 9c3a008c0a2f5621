/*
 * A mini process model on the tiny kernel: VU-mode processes, each in an address space (ASID) of its own, with fork
 * (copy on write), wait, pipes, and map, unmap, protect. Also what user.c, which runs in them, is asked and may ask.
 */
#ifndef PROCESS_H
#define PROCESS_H

/* Shared with process_run.S. */
#define PROCESS_PC 0
#define PROCESS_X(n) (8 * (n))
#define PROCESS_KERNEL_SP 256

/* A process's address space: text (user.c, shared), data as it maps it, stack. */
#define USER_TEXT 0x10000
#define USER_DATA 0x100000
#define USER_DATA_PAGES 64
#define USER_STACK 0x1ff000

/* System calls: number in a7, arguments in a0-a2, result in a0. */
/** exit(status) */
#define SYS_EXIT 0
#define SYS_YIELD 1
/** fork(): 1 in the parent, 0 in the child, -1 without memory or a free slot. */
#define SYS_FORK 2
/** wait(): the status of a child that has ended; waits for one. -1 without children. */
#define SYS_WAIT 3
/** pipe(): its number, or -1. Lives until its maker ends. */
#define SYS_PIPE 4
/** write(pipe, address, words), read(...): all of them; both wait. 0. */
#define SYS_WRITE 5
#define SYS_READ 6
/** map(address, pages): zeroed, writable. unmap(address, pages). protect(address, pages, writable). 0, or -1. */
#define SYS_MAP 7
#define SYS_UNMAP 8
#define SYS_PROTECT 9
/**
 * catch_faults(on): the faults skipped so far. While on, an access that faults is skipped; off, it ends the process.
 */
#define SYS_CATCH_FAULTS 10

#define PROGRAM_PIPELINE 0
#define PROGRAM_TREE 1
#define PROGRAM_MEMORY 2
#define PROGRAM_SPIN 3

#ifndef __ASSEMBLER__
#include "types.h"

/* ---- user.c: position-independent, linked apart; calls nothing outside ---- */
__attribute__((noreturn)) void user_main(u64 program, u64 seed, u64 size);
/** What PROGRAM_SPIN and PROGRAM_PIPELINE must end with; may be called anywhere. */
u64 user_spin(u64 seed, u64 rounds);
u64 user_pipeline_sum(u64 seed, u64 words);

/* ---- process.c ---- */
/** Starts a program; its status goes to processes_run's `ended`. 0, or -1 without memory or a free slot. */
int process_start(u64 program, u64 seed, u64 size);
/**
 * Runs all processes, preempted by the tick, until none is left. `ended` is told how each one that process_start made
 * has ended. 0; -1 when all wait for each other.
 */
int processes_run(void (*ended)(u64 program, u64 seed, u64 size, u64 status));
/** Switches between processes so far. */
extern u64 process_switches;

/* ---- space.c: address spaces ---- */
/** A space with the text and nothing else; NULL without memory. */
u64 *space_make(void);
/** A copy that shares all pages; both sides' writable ones become copy-on-write. NULL without memory. */
u64 *space_fork(u64 *root, u64 asid);
void space_free(u64 *root, u64 asid);
int space_map(u64 *root, u64 address, u64 pages);
int space_unmap(u64 *root, u64 asid, u64 address, u64 pages);
int space_protect(u64 *root, u64 asid, u64 address, u64 pages, int writable);
/**
 * Where the kernel finds the word at a user address, for reading or writing (undoes copy on write); NULL: not allowed.
 */
u64 *space_word(u64 *root, u64 asid, u64 address, int write);
/**
 * 1 when a store to `address` faulted only because of copy on write, which is now undone; 0 else; -1 without memory.
 */
int space_store_fault(u64 *root, u64 asid, u64 address);
#endif
#endif
