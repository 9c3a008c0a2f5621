/*
 * The PrivVM: what its files share. main (event loop, ports), image (bundle, ELF), toolstack (AppVMs), virtio
 * (transport), virtio_block and virtio_net (drivers), backend_block, backend_net and backend_loop (the back ends of the
 * split devices), backend (what they share).
 *
 * Single-threaded: everything happens in the event loop, interrupts come as events. Nothing here trusts what an AppVM
 * wrote: a request is copied, then checked, then served.
 */
#ifndef PRIVVM_H
#define PRIVVM_H

#include "bundle.h"
#include "guest.h"
#include "pv.h"

/** AppVMs at most, over the whole run: each has its VMID, MAC address and slice of the disk for good. */
#define VMS_MAX 8
/** VMID of the AppVM with index 0. */
#define FIRST_VMID (PRIVVM_VMID + 1)

/* ---- main.c ---- */
/** Calls serve(argument) whenever the port is pending. */
void port_serve(u64 port, void (*serve)(u64 argument), u64 argument);
/** Closes it. */
void port_close(u64 port);

/* Guest-physical pages that are free for mapping other VMs' frames. */
#define WINDOW_GPA 0xd0000000ul
enum window { WINDOW_RINGS = 0, WINDOW_DMA = 64, WINDOW_LOOP = 96, WINDOW_FOREIGN = 128, WINDOW_PAGES = 192 };
static inline u64 window_gpa(u64 page) { return WINDOW_GPA + page * PAGE_BYTES; }

/* ---- image.c ---- */
/** Checks the bundle at `gpa`; 1 when it is one. */
int bundle_open(u64 gpa, u64 bytes);
/** The image of that name, or NULL. */
const u8 *bundle_find(const char *name, u64 *bytes);
struct segment {
  const u8 *data;
  u64 gpa, bytes;
};
#define SEGMENTS_MAX 4
struct program {
  u64 entry, count;
  struct segment segments[SEGMENTS_MAX];
};
/** Reads an ELF executable whose segments must fit into `ram_bytes` at GPA_RAM; 1 when it is one. */
int program_read(const u8 *elf, u64 bytes, u64 ram_bytes, struct program *program);

/* ---- toolstack.c ---- */
/** Reads vms= and later=; 0 when they make no sense. */
int toolstack_read(const char *arguments);
/** Creates what is due, sees who has finished, and lets the back ends look for front ends. 1 when all is over. */
int toolstack_step(void);
/** Prints the result of each VM; 0 when all had success. */
u64 toolstack_result(void);
/** 1 while the hypervisor lists the AppVM and it has not ended. */
int vm_runs(u64 index);

/* ---- virtio.c ---- */
#define VIRTIO_SLOTS 8
#define VIRTIO_NET 1
#define VIRTIO_BLOCK 2
#define QUEUE_ENTRIES 64
struct virtio_descriptor {
  u64 machine;
  u32 bytes;
  u16 flags, next;
};
struct virtqueue {
  u64 base;
  u32 index;
  volatile struct virtio_descriptor *descriptors;
  volatile u16 *available;
  volatile u16 *used;
  u16 used_seen, available_made;
  u16 free_head, free_count;
};
/** A piece of memory that the device reads, or writes when `in`. */
struct span {
  u64 machine, bytes;
  int in;
};
/** Base of the first device of the kind and its PLIC source; 0 when there is none. */
u64 virtio_find(u32 device, u64 *source);
/** Reset, and features as far as VERSION_1. 1 when the device took them. */
int virtio_begin(u64 base);
/** `page`: a page of own memory for the rings. 1 when the device has such a queue. */
int virtqueue_init(struct virtqueue *queue, u64 base, u32 index, u8 *page);
void virtio_ready(u64 base);
/** Offers a chain; returns its head, or -1 when there is no room. */
int virtqueue_add(struct virtqueue *queue, const struct span *spans, u64 count);
void virtqueue_notify(struct virtqueue *queue);
/** Head of the next returned chain, which is free again, and the bytes written to it; -1 when there is none. */
int virtqueue_take(struct virtqueue *queue, u32 *written);
/** Acknowledges the device's interrupt. */
void virtio_acknowledge(u64 base);
/** Physical address of own memory. */
u64 machine_of(const void *own);

/* ---- virtio_block.c ---- */
#define DISK_REQUESTS 16
/** Probes; tells backend_block_done(tag, ok) about each request. */
void disk_init(void);
/** 0 without a disk. */
u64 disk_sectors(void);
/** Operation PV_READ, PV_WRITE or PV_FLUSH; tag below DISK_REQUESTS and not in flight. */
void disk_submit(u64 tag, u64 operation, u64 sector, u64 machine, u64 bytes);

/* ---- virtio_net.c ---- */
#define FRAME_MIN 14ul
#define FRAME_MAX 1514ul
/** Probes; hands frames from outside to backend_net_from_nic, then calls backend_net_flush. */
void nic_init(void);
/** Sends a frame; it is lost when the device is busy with as many as it can take, or there is none. */
void nic_send(const u8 *frame, u64 bytes);

/* ---- backend.c ---- */
/** A back end's side of one AppVM's device. */
struct front {
  enum { FRONT_ABSENT, FRONT_SEARCHED, FRONT_CONNECTED } state;
  u64 index, vmid;
  /** Where the ring page is mapped, by which grant. */
  void *ring;
  u64 handle, port;
};
/** Looks for what the front end offers; 1 when its ring has just been mapped and its port bound. */
int front_search(struct front *front, u64 device, void (*serve)(u64 argument));
/** Unmaps and unbinds what is left. */
void front_close(struct front *front);
/**
 * 1 for what the hypervisor says when a front end offers what is not there or not allowed: that is no failure of ours.
 */
static inline int is_refusal(i64 result) { return result == CALL_DENIED || result == CALL_BAD_ARGUMENT; }
/** Nothing more can be done for the front end: disconnects it, and says so, unless its VM has just ended. */
void front_failed(struct front *front, const char *what, i64 result);
void front_notify(struct front *front);

/* ---- backend_block.c, backend_net.c, backend_loop.c: the same shape ---- */
void backend_block_attach(u64 index);
void backend_block_search(u64 index);
void backend_block_detach(u64 index);
/** Takes requests of all front ends, as far as the disk has room. */
void backend_block_serve(u64 unused);
void backend_block_done(u64 tag, int ok);
/** 1 when no request is in flight. */
int backend_block_idle(void);

void backend_net_attach(u64 index);
void backend_net_search(u64 index);
void backend_net_detach(u64 index);
void backend_net_from_nic(const u8 *frame, u64 bytes);
/** Delivers what was switched since. */
void backend_net_flush(void);

void backend_loop_attach(u64 index);
void backend_loop_search(u64 index);
void backend_loop_detach(u64 index);

#endif
