/*
 * The parts of the guest `unixbench`. Each works for one round, knows every answer beforehand, and adds to the sum.
 */
#ifndef UNIXBENCH_H
#define UNIXBENCH_H

#include "front.h"

/* ---- unixbench.c ---- */
/** Notes a wrong answer; prints `what` for the first few. */
void expect(int right, const char *what);
/** Adds a word that both the command line and VMID determine to the sum. */
void sum_up(u64 word);
/** The generator of the run. */
u64 bench_next(void);

/* ---- frames.c: own frames: decrease, populate, exchange; grants and copies ---- */
/** Once. */
void frames_init(u64 vmid);
void frames_round(void);

/* ---- loop.c: grants to the PrivVM and back, transfers from it ---- */
void loop_round(void);

/* ---- storm.c: store, multicalls, events, yields ---- */
/** Whether calls are made, too, that must be refused: 0 with the command line's errors=0. */
extern int provokes;
/** Once. */
void storm_init(u64 vmid);
void storm_round(void);

#endif
