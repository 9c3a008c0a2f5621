/*
 * What AppVMs add to the tiny kernel: grants, and the front ends of the split devices (../lazarus/pv.h).
 */
#ifndef FRONT_H
#define FRONT_H

#include "guest.h"
#include "pv.h"

/* ---- grants.c ---- */
/** Shares the grant table with the hypervisor. Again: does nothing. 0, or an error of abi.h. */
i64 grants_on(void);
/**
 * Lets `vmid` use the page at `gpa`: flags GRANT_PERMIT, with GRANT_READONLY; or GRANT_ACCEPT. A reference, or
 * CALL_NO_MEMORY.
 */
i64 grant_allow(u64 vmid, u64 gpa, u64 flags);
/** Withdraws it. 0; CALL_BUSY while it is in use: then it stays. */
i64 grant_end(u64 ref);
/** The entry's flags now: Lazarus's bits among them. */
u64 grant_flags(u64 ref);
/** The entry's gpa now. */
u64 grant_gpa(u64 ref);

/* ---- front.c ---- */
/** A device's side of the meeting: ring page, its grant, event port. */
struct front {
  u64 device;
  u64 port;
  u64 ref;
};
/** How long a front end waits for the back end before it counts as dead. */
#define FRONT_PATIENCE (1000 * TIME_PER_MS)
/** Offers `ring` (a page whose first word is `connected`) to the back end and waits until it is connected. 0, or -1. */
int front_meet(struct front *front, u64 device, volatile void *ring);
/** Tells the back end that the ring has news. */
void front_notify(const struct front *front);

/* ---- front_block.c: the VM's disk, in pages of 8 sectors; up to PV_SLOTS requests in flight ---- */
#define BLOCK_SECTORS (PAGE_BYTES / PV_SECTOR_BYTES)
/** Meets the back end. 0, or -1 after printing why. */
int block_connect(void);
u64 block_disk_sectors(void);
/**
 * Starts an operation on `sectors` sectors of the page at `page` (guest RAM; the caller's until block_finish). Waits
 * for the oldest ones while all slots are taken. 0, or -1.
 */
int block_start(u64 operation, u64 sector, u64 sectors, void *page);
/** Waits for all that was started. 0 when all that finished since the last call went well, else -1. */
int block_finish(void);
/** Requests served so far. */
u64 block_served(void);

/* ---- front_net.c: frames ---- */
#define NET_FRAME_BYTES 1514ul
/** Meets the back end under the address `mac`. 0, or -1 after printing why. */
int net_connect(const u8 *mac);
/** Copies a frame out. 0; -1 when all slots are taken. */
int net_send(const void *frame, u64 bytes);
/**
 * Copies the next frame in: its bytes; 0 when there is none. `frame` has room for NET_FRAME_BYTES; longer ones are
 * dropped.
 */
u64 net_receive(void *frame);
/** Blocks until something may have come, or `time` >= deadline. */
void net_wait(u64 deadline);

/* ---- front_loop.c: work on pages, done by the PrivVM; at most PV_SLOTS at a time ---- */
/** Meets the back end. 0, or -1 after printing why. */
int loop_connect(void);
/** Asks for PV_LOOP_... on what `ref` grants or accepts. 0; -1 when all slots are taken. */
int loop_start(u64 operation, u64 ref, u64 key);
/** Waits for all that was started. 0 when all went well, else -1. */
int loop_finish(void);

#endif
