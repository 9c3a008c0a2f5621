/*
 * The tiny kernel under a bare-metal guest, file by file: kernel (start, traps, hypercalls, failures), print, pages
 * (free pages of guest RAM), paging (Sv39), timer, events (event channels). One vCPU, one stack; interrupts run on that
 * stack.
 */
#ifndef GUEST_H
#define GUEST_H

#include "abi.h"
#include "csr.h"
#include "types.h"

/* ---- kernel.c ---- */
/** The guest's own program. Returns its exit status, 0 = success; a failure noted by `checked` makes a success a 1. */
u64 guest_main(const char *arguments);
/** Bytes of guest RAM from GPA_RAM. 1 MiB; the PrivVM, which has more, defines it anew. At most 2 MiB. */
extern const u64 guest_ram_bytes;
/** The module (PrivVM): gpa and bytes, as Lazarus passes them in a2 and a3. Not mapped: map_range does. */
extern u64 guest_module, guest_module_bytes;

i64 hypercall_raw(u64 function, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
#define HYPERCALL_(f, a, b, c, d, e, g, ...) \
  hypercall_raw((f), (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(g))
/**
 * hypercall(CALL_..., up to six arguments): the result; negative: an error of abi.h (store values may be negative too).
 */
#define hypercall(...) HYPERCALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
/** Passes `result` on; when it is negative, prints what failed and makes the guest's exit status non-zero. */
i64 checked(const char *what, i64 result);
/** Notes a failure that is not a hypercall's: prints `what`. */
void failed(const char *what);
extern u64 guest_failures;
/** Ends the VM. */
__attribute__((noreturn)) void guest_shutdown(u64 status);
/** The number of option `name`, or `otherwise` when it is not given; notes a failure when it is no number. */
u64 option_number(const char *arguments, const char *name, u64 otherwise);

/** Sets sstatus.SIE to 0 and returns what it was, for interrupts_restore. */
static inline u64 interrupts_off(void) {
  u64 before;
  __asm__ volatile("csrrci %0, sstatus, 2" : "=r"(before) : : "memory");
  return before & STATUS_SIE;
}
static inline void interrupts_on(void) { csr_set(SSTATUS, STATUS_SIE); }
static inline void interrupts_restore(u64 before) {
  if (before != 0) interrupts_on();
}

/* ---- print.c ---- */
/** Prints one line: %s, %d, %x (u64). */
void print_line(const char *format, ...);

/* ---- pages.c ---- */
void pages_init(const char *arguments);
/** A zeroed page of guest RAM, or NULL. Its address is its gpa. The lowest free one: no history but the guest's own. */
void *page_alloc(void);
/** `count` adjacent ones, or NULL. */
void *pages_alloc(u64 count);
void page_free(void *page);
u64 pages_free_count(void);

/* ---- paging.c ---- */
/** Where paging shows guest RAM a second time (so that VS-stage translation is no identity). */
#define GUEST_ALIAS 0x1080000000ul
#define ALIAS(pointer) ((__typeof__(&*(pointer)))((u64)(pointer)-GPA_RAM + GUEST_ALIAS))
#define PTE_VALID 0x01ul
#define PTE_READ 0x02ul
#define PTE_WRITE 0x04ul
#define PTE_EXECUTE 0x08ul
#define PTE_USER 0x10ul
/** Accessed and dirty: nobody sets them for us (Svade). */
#define PTE_AD 0xc0ul
#define SATP_SV39 (8ul << 60)
#define PTE_TO_GPA(pte) ((pte) >> 10 << 12)
#define GPA_TO_PTE(gpa, flags) ((u64)(gpa) >> 12 << 10 | (flags))
/** The kernel's own address space: guest RAM at its gpa and at GUEST_ALIAS. */
void paging_on(void);
/** The root table that is in force. */
u64 *paging_root(void);
/** The leaf entry of `address` under `root`; makes tables when `make`; NULL without (or without memory for) them. */
u64 *pte_find(u64 *root, u64 address, int make);
/**
 * Maps `bytes` from `gpa` at `address` (all page-aligned up) in the kernel's space: PTE_READ | PTE_WRITE ... 0, or -1.
 */
int map_range(u64 address, u64 gpa, u64 bytes, u64 flags);
void unmap_range(u64 address, u64 bytes);
/** The gpa behind a kernel pointer into guest RAM, GUEST_ALIAS included. */
static inline u64 gpa_of(const volatile void *pointer) {
  u64 address = (u64)pointer;
  return address >= GUEST_ALIAS ? address - GUEST_ALIAS + GPA_RAM : address;
}

/* ---- timer.c ---- */
/** `time` counts at 10 MHz. */
#define TIME_PER_US 10ul
#define TIME_PER_MS 10000ul
#define NEVER (~0ul)
static inline u64 time_now(void) { return csr_read(TIME); }
/** Ticks taken so far; see timer_tick. */
extern volatile u64 guest_ticks;
/** A tick every `period` of `time` from now on; 0: none (as at the start). */
void timer_tick(u64 period);
/** Sleeps until the next tick. */
void guest_wait_tick(void);
/** Sleeps until `time` >= deadline; interrupts (on before) are served meanwhile. */
void sleep_until(u64 deadline);
void sleep_us(u64 us);
/** Called by the trap handler. */
void timer_interrupt(void);
/** When the next tick is due; NEVER without. */
u64 timer_next_tick(void);

/* ---- events.c ---- */
/**
 * Shares struct shared_info with the hypervisor and enables its interrupt. Again: does nothing. 0, or an error of
 * abi.h.
 */
i64 events_on(void);
/** From now on `port` belongs to us: its interrupt clears its pending bit, and then calls `handler` (may be NULL). */
void event_handle(u64 port, void (*handler)(u64 port));
/** No longer ours: its interrupts are cleared and forgotten. */
void event_forget(u64 port);
/** event_alloc for `remote_vmid` / event_bind, with `handler` installed. The port, or a negative error. */
i64 event_listen(u64 remote_vmid, void (*handler)(u64 port));
i64 event_connect(u64 remote_vmid, u64 remote_port, void (*handler)(u64 port));
/** Interrupts taken by `port` so far. Events may be coalesced or spurious: a hint that something changed, no more. */
u64 event_count(u64 port);
/**
 * To be called with interrupts off, after finding nothing to do: blocks until one of our ports is pending, or `time` >=
 * deadline, then serves the interrupts, and comes back with interrupts off. No event is lost between the test and this.
 */
void event_wait(u64 deadline);
/** Called by the trap handler. */
void events_interrupt(void);

#endif
