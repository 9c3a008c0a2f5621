/*
 * The hypercall ABI between Lazarus and its guests: `ecall` from VS-mode, CALL_* in a7, arguments in a0-a5, result in
 * a0 (negative: CALL_* error). Every other a7 is SBI (extension in a7, function in a6): BASE, TIME, IPI, RFENCE, HSM,
 * SRST, DBCN and the legacy console, as an unmodified guest expects them.
 *
 * A guest starts in VS-mode, paging off, at its entry point with a0 = vCPU number and a1 = gpa of its command line. The
 * PrivVM gets in a2 and a3 gpa and size of the module: the bundle of guest images that it makes other VMs from
 * (bundle.h).
 */
#ifndef ABI_H
#define ABI_H

/** In the space that SBI 4.2 leaves to vendors (0x09000000-0x09FFFFFF). */
#define CALL(n) (0x09000000 + (n))

/* ---- console, store, self ---- */
/** console_write(gpa, bytes): prints whole lines, each behind the VM's name; at most CALL_TEXT_BYTES. */
#define CALL_CONSOLE_WRITE CALL(0)
/** console_read(): a byte typed at the console, or -1. The first VM owns the console's input. */
#define CALL_CONSOLE_READ CALL(1)
#define CALL_YIELD CALL(2)
#define CALL_GET_VMID CALL(3)
/** report_progress(n) */
#define CALL_REPORT_PROGRESS CALL(4)
/** shutdown(status): 0 = success. Ends all vCPUs of the domain; does not return. */
#define CALL_SHUTDOWN CALL(5)
/** store_put(key, value): 0. Keys are the VM's own. */
#define CALL_STORE_PUT CALL(6)
/** store_get(key): the value; CALL_NOT_FOUND when there is none. */
#define CALL_STORE_GET CALL(7)
/** store_add(key, n): adds to the value (0 when there is none) and returns the sum. Not idempotent. */
#define CALL_STORE_ADD CALL(8)
/** store_peek(vmid, key): another VM's value. PrivVM only: how back ends find what front ends offer. */
#define CALL_STORE_PEEK CALL(9)
/** vcpu_start(index, pc, argument): starts another vCPU of this domain, a0 = index and a1 = argument. */
#define CALL_VCPU_START CALL(10)
/** shared_info(gpa): makes the page at gpa (own RAM) the domain's struct shared_info. 0. */
#define CALL_SHARED_INFO CALL(11)

/* ---- event channels: ports 0 ... 63 of a domain ---- */
/** event_alloc(remote_vmid): an unbound port that remote_vmid may bind to. */
#define CALL_EVENT_ALLOC CALL(16)
/** event_bind(remote_vmid, remote_port): a local port connected to a remote unbound one. */
#define CALL_EVENT_BIND CALL(17)
/**
 * event_bind_irq(source): a port that becomes pending with a PLIC source; the source stays silent until event_eoi.
 * PrivVM.
 */
#define CALL_EVENT_BIND_IRQ CALL(18)
/** event_send(port): sets the other end's pending bit. */
#define CALL_EVENT_SEND CALL(19)
/** event_mask(port, masked): masked != 0: no interrupt for it. Unmasking a pending port raises it at once. */
#define CALL_EVENT_MASK CALL(20)
/**
 * event_poll(ports, deadline): blocks until a port of the bit mask is pending (masked ports too) or `time` >= deadline;
 *  returns the pending ones of the mask, 0 at the deadline. Clears nothing. */
#define CALL_EVENT_POLL CALL(21)
/** event_close(port): the other end becomes unbound. */
#define CALL_EVENT_CLOSE CALL(22)
/** event_eoi(port): the interrupt behind an IRQ port was served. */
#define CALL_EVENT_EOI CALL(23)

/* ---- grants: a guest's table is a page of struct grant_entry that it shares ---- */
/** grant_setup(gpa): the grant table page (own RAM). Once. */
#define CALL_GRANT_SETUP CALL(24)
/** grant_map(vmid, ref, gpa, readonly): maps what vmid granted under ref at gpa (unmapped so far). A handle >= 0. */
#define CALL_GRANT_MAP CALL(25)
/** grant_unmap(handle) */
#define CALL_GRANT_UNMAP CALL(26)
/** grant_copy(gpa of struct grant_copy, count): count operations (at most GRANT_COPY_MAX); number done. */
#define CALL_GRANT_COPY CALL(27)
/**
 * grant_transfer(gpa, vmid, ref): gives the frame at gpa away; vmid must have an entry GRANT_ACCEPT under ref, where it
 * appears.
 */
#define CALL_GRANT_TRANSFER CALL(28)

/* ---- memory: own unless said otherwise. gpa page-aligned ---- */
/**
 * memory_populate(gpa, pages, vmid): zeroed frames at gpa ... (unmapped so far); vmid 0 = self, else PrivVM only. At
 * most MEMORY_CHUNK
 *  pages; pages done. */
#define CALL_MEMORY_POPULATE CALL(32)
/** memory_decrease(gpa, pages): gives frames back. Pages done; stops at frames that others still use. */
#define CALL_MEMORY_DECREASE CALL(33)
/** memory_exchange(gpa): another frame, with the same content, takes the place of the one at gpa. 0. */
#define CALL_MEMORY_EXCHANGE CALL(34)
/** memory_map_foreign(vmid, foreign_gpa, gpa): maps a frame of another VM at gpa. PrivVM only. 0. */
#define CALL_MEMORY_MAP_FOREIGN CALL(35)
/** memory_unmap_foreign(gpa) */
#define CALL_MEMORY_UNMAP_FOREIGN CALL(36)
/** memory_machine(gpa): the physical address behind gpa, mapped grants included: for DMA. PrivVM only. */
#define CALL_MEMORY_MACHINE CALL(37)

/* ---- multicall ---- */
/**
 * multicall(gpa of struct multicall_entry, count): at most MULTICALL_MAX, in order, each result stored; number done.
 * Not for
 *  calls that block or end the VM, nor nested: those entries get CALL_UNKNOWN. */
#define CALL_MULTICALL CALL(40)

/* ---- domain control: PrivVM only ---- */
/** domain_create(gpa of struct domain_spec): its VMID. Without memory, and paused. */
#define CALL_DOMAIN_CREATE CALL(48)
/** domain_start(vmid, pc, argument): sets the first vCPU's context (a1 = argument) and lets the domain run. */
#define CALL_DOMAIN_START CALL(49)
/** domain_pause(vmid), domain_unpause(vmid) */
#define CALL_DOMAIN_PAUSE CALL(50)
#define CALL_DOMAIN_UNPAUSE CALL(51)
/** domain_destroy(vmid): frames that others have mapped are freed when they are unmapped. */
#define CALL_DOMAIN_DESTROY CALL(52)
/** domain_list(gpa of struct domain_info, max): number of domains. */
#define CALL_DOMAIN_LIST CALL(53)

#define CALL_NOT_FOUND (-2l)
#define CALL_BAD_ARGUMENT (-3l)
#define CALL_NO_MEMORY (-4l)
#define CALL_DENIED (-5l)
#define CALL_BUSY (-6l)
#define CALL_UNKNOWN (-7l)

#define CALL_TEXT_BYTES 256
#define EVENT_PORTS 64
#define GRANT_COPY_MAX 16
#define MULTICALL_MAX 32
/** Pages of one populate or decrease. */
#define MEMORY_CHUNK 32
#define PRIVVM_VMID 1

/* Where things are in a guest's physical address space. */
#define GPA_RAM 0x80000000ul
#define GPA_MODULE 0xc0000000ul

#ifndef __ASSEMBLER__
#include "types.h"

/**
 * Port p is raised (VS external interrupt, VSEIP) while pending & ~mask has a bit. The guest clears pending bits
 * (amoand).
 */
struct shared_info {
  volatile u64 pending, mask;
};

#define GRANT_PERMIT 1
#define GRANT_READONLY 2
#define GRANT_ACCEPT 4
/** Set by Lazarus. */
#define GRANT_READING 8
#define GRANT_WRITING 16
#define GRANT_TRANSFERRED 32
#define GRANT_ENTRIES 512
struct grant_entry {
  volatile u16 flags;
  u16 vmid;
  /** gpa >> 12 */
  u32 frame;
};

/** One end of a copy: vmid 0 = the caller's own memory at `gpa`; else what vmid granted under `ref`, from `offset`. */
struct grant_end {
  u64 vmid, ref_or_gpa, offset;
};
struct grant_copy {
  struct grant_end from, to;
  /** Within one page at either end. */
  u64 bytes;
  i64 result;
};

struct multicall_entry {
  u64 call;
  u64 arguments[5];
  i64 result;
};

/** vCPUs that a domain may have. */
#define DOMAIN_VCPUS 4

struct domain_spec {
  char name[16];
  /** Hart of vCPU 0; vCPU n is on hart (hart + n) modulo harts. */
  u64 hart;
  u64 vcpus;
  /** Frames it may own at most. */
  u64 max_frames;
  /** DOMAIN_*. */
  u64 flags;
};
/** Its vCPUs may be run by any hart that has nothing else to do; without it, each stays on its own. */
#define DOMAIN_UNPINNED 1
/** state: as layout.domain_state says. */
struct domain_info {
  u64 vmid, state, vcpus, frames, status, progress;
};
#endif

#endif
