/*
 * Lazarus: what its files share. One file per subsystem: main (boot), heap, lock, domain (VMs, G-stage tables),
 * sched, timer, trap (VM exits, interrupts), hypercall, store, console, plant (planted faults), recovery
 * (re-integration), fixups (consistency), layout (published offsets).
 */
#ifndef LAZARUS_H
#define LAZARUS_H

/* Shared with entry.S. */
#define VCPU_X 0
#define VCPU_PC 256
#define VCPU_SSTATUS 264
#define VCPU_HOST_SP 272
#define VCPU_LIVE 280
#define VCPU_LIVE_ALL 1
#define STACK_BYTES 4096
#define STACK_SHIFT 12

#ifndef __ASSEMBLER__
#include "abi.h"
#include "board.h"
#include "csr.h"
#include "fdt.h"
#include "notes.h"
#include "recovery.h"
#include "sbi.h"

/* ---- lock.c ---- */
struct spinlock {
  /** Hart + 1 of the owner; 0 when free. */
  volatile u32 owner;
  u32 pad;
  char name[24];
};
void lock_init(struct spinlock *lock, const char *name);
void lock_acquire(struct spinlock *lock);
void lock_release(struct spinlock *lock);
int lock_held(const struct spinlock *lock);

/* ---- panic (lock.c): hands over to the recovery block; never returns ---- */
#define PANIC_ASSERT 0x100
void panic(u64 cause, const char *message) __attribute__((noreturn));
#define ASSERT(condition)                                                  \
  do {                                                                     \
    if (!(condition)) panic(PANIC_ASSERT, "assertion failed: " #condition); \
  } while (0)

/* ---- heap.c ---- */
enum block_type { BLOCK_FREE, BLOCK_DOMAIN, BLOCK_VCPU, BLOCK_GSTAGE, BLOCK_GUEST_RAM, BLOCK_STORE, BLOCK_ENTRY };
/** In front of every block; walking the headers is all it takes to know the heap. */
struct block {
  u64 magic;
  /** Bytes including this header, and the type in the low 4 bits: one word, so that it changes at once. */
  u64 size_and_type;
  u64 owner_vmid;
  u64 pad;
};
void heap_init(u64 start, u64 end);
/** Takes over the blocks that lie in the heap; panics when a header is damaged. */
void heap_rebuild(u64 start, u64 end);
/** Zeroed memory aligned to `align` (a power of two), or NULL. */
void *heap_alloc(enum block_type type, u64 vmid, u64 bytes, u64 align);
void heap_free(void *memory);
/** The payload of the next block of `type` after `memory` (NULL: from the start), or NULL. */
void *heap_next(enum block_type type, const void *memory);
/** 1 when `memory` is the payload of a block of `type`. */
int heap_is(enum block_type type, const void *memory);
/** 1 when the word lies in some allocated block's payload. */
int heap_has_word(const u64 *word);
u64 heap_used(void);

/* ---- domain.c ---- */
enum vcpu_state { VCPU_RUNNABLE, VCPU_RUNNING, VCPU_BLOCKED, VCPU_DONE };
enum domain_state { DOMAIN_RUNNING, DOMAIN_DONE, DOMAIN_CRASHED };

/** A hypercall in flight. hypercall.c says how the fields make every step repeatable. */
struct inflight {
  /** Number of this hypercall (completed + 1); 0 when none is in flight. */
  u64 id;
  u64 completed;
  u64 exit_pc;
  u64 result;
  /** The id whose output was emitted (written by the firmware). */
  u64 emitted;
  /** Undo log of one record; in force while undo_id == id. */
  u64 undo_id;
  u64 *undo_word;
  u64 undo_value;
};

struct vcpu {
  u64 x[32];
  u64 pc;
  /** SPP: the vCPU's privilege. */
  u64 sstatus;
  u64 host_sp;
  /**
   * Where the registers are: 0 here; VCPU_LIVE_ALL in the hart; otherwise (this vCPU's own address) here, but for x10,
   * pc and sstatus. Kept by entry.S, each time as the last write of a step.
   */
  u64 live;
  struct domain *domain;
  /** Next vCPU of the domain. */
  struct vcpu *next;
  struct vcpu *queue_next;
  u32 state;
  /** The hart it is pinned to. */
  u32 hart;
  /** BLOCKED until then (mtime). */
  u64 wake_at;
  struct vs_csrs vs;
  struct inflight call;
};

#define INPUT_BYTES 64
struct domain {
  struct domain *next;
  u32 vmid;
  u32 state;
  char name[16];
  u64 hgatp;
  struct vcpu *vcpu;
  struct spinlock lock;
  /** Guest RAM: `ram_bytes` at GPA BOARD_RAM_BASE, at `ram` here. */
  u8 *ram;
  u64 ram_bytes;
  u64 progress, status;
  /** Console input: bytes [tail, head) modulo INPUT_BYTES. */
  u64 input_head, input_tail;
  u8 input[INPUT_BYTES];
};

extern struct domain *domain_list;
extern struct spinlock domain_list_lock;
struct domain *domain_create(u32 vmid, u32 hart, const u8 *elf, u64 elf_bytes, const char *arguments);
struct domain *domain_find(u64 vmid);
/** Host address of guest-physical [gpa, gpa+bytes), or NULL: walks the G-stage tables. */
u8 *domain_memory(const struct domain *domain, u64 gpa, u64 bytes);
int domain_all_done(void);
/** 1 when hgatp names the tables in the heap that belong to this domain. */
int domain_tables_sane(const struct domain *domain);

/* ---- sched.c ---- */
struct cpu {
  u64 id;
  /** The vCPU this hart runs. */
  struct vcpu *current;
  /** The vCPU whose VS CSRs are live in this hart. */
  struct vcpu *loaded;
  struct vcpu *queue_head, *queue_tail;
  struct spinlock lock;
  /** Interrupt handlers entered and not left. */
  u64 irq_depth;
  u64 ticks, next_tick;
  u32 resched;
  /** 1: the tick is to be armed when the hart enters the scheduler. */
  u32 arm_timer;
};
extern struct cpu cpus[BOARD_MAX_HARTS];
static inline struct cpu *this_cpu(void) {
  struct cpu *cpu;
  __asm__ volatile("mv %0, tp" : "=r"(cpu));
  return cpu;
}
void sched_enqueue(struct cpu *cpu, struct vcpu *vcpu);
/** Runs VMs for ever. */
void sched_loop(void) __attribute__((noreturn));

/* ---- timer.c ---- */
extern u64 heartbeats[BOARD_MAX_HARTS];
u64 time_now(void);
void timer_arm(struct cpu *cpu);
void timer_tick(struct cpu *cpu);

/* ---- trap.c ---- */
void trap_init(void);
void trap_vm_exit(struct vcpu *vcpu);
/** Handles what is pending in sip; for the idle loop, which runs with interrupts off. */
void trap_poll_interrupts(void);

/* ---- hypercall.c, store.c, console.c ---- */
void hypercall(struct vcpu *vcpu);
/** Critical last write of a hypercall, then its effect on the registers. */
void hypercall_complete(struct vcpu *vcpu, u64 result);
/** Applies a completed hypercall to the registers; may be repeated. */
void hypercall_apply(struct vcpu *vcpu);
/** Notes the old value of a word that this hypercall is about to change in a way that is not repeatable. */
void hypercall_undo_log(struct vcpu *vcpu, u64 *word);

struct store;
extern struct store *store;
void store_init(void);
/** These complete the hypercall themselves, before they release the store's lock. */
void store_put(struct vcpu *vcpu, u64 key, u64 value);
void store_get(struct vcpu *vcpu, u64 key);
void store_add(struct vcpu *vcpu, u64 key, u64 n);
struct spinlock *store_lock(struct store *of);

void console_init(void);
void console_complete_all(void);
/** %s %d %x (u64), as one piece. */
void print(const char *format, ...);
void console_write(struct vcpu *vcpu, u64 gpa, u64 bytes);
void console_read(struct vcpu *vcpu);
void console_interrupt(void);

/* ---- plant.c ---- */
void plant_read(const char *bootargs);
void plant_in_hypercall(void);
void plant_in_timer(void);
void plant_in_irq(void);
void plant_in_sched(void);

/* ---- main.c ---- */
extern struct board_info board;
extern u64 boot_hart;
/** 0 for the first instance, n after the n-th recovery. */
extern u64 instance;
/** 1 once VMs may be entered. */
extern volatile u32 may_run;
void start_other_harts(void);
/** Where the heap lies: a function of the image and the devicetree, so a new instance finds the same. */
void heap_bounds(u64 *start, u64 *end);
void hart_init(u64 id);
void system_shutdown(u64 failed) __attribute__((noreturn));

/* ---- fixups.c ---- */
/** Runs the fix-ups of the mask (bit per FIXUPS), each behind its note. */
void fixups_run(u64 enhance);

/* ---- entry.S ---- */
void vm_run(struct vcpu *vcpu);
void secondary_entry(void);
extern u8 image_start[], image_end[], statics_start[], statics_end[], bss_end[];

/* ---- SBI ---- */
struct sbi_result {
  i64 error;
  u64 value;
};
static inline struct sbi_result sbi(u64 extension, u64 function, u64 p0, u64 p1, u64 p2, u64 p3) {
  register u64 a0 __asm__("a0") = p0;
  register u64 a1 __asm__("a1") = p1;
  register u64 a2 __asm__("a2") = p2;
  register u64 a3 __asm__("a3") = p3;
  register u64 a6 __asm__("a6") = function;
  register u64 a7 __asm__("a7") = extension;
  __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
  return (struct sbi_result){(i64)a0, a1};
}

_Static_assert(offsetof(struct vcpu, x) == VCPU_X && offsetof(struct vcpu, pc) == VCPU_PC, "entry.S");
_Static_assert(offsetof(struct vcpu, sstatus) == VCPU_SSTATUS && offsetof(struct vcpu, host_sp) == VCPU_HOST_SP,
               "entry.S");
_Static_assert(offsetof(struct vcpu, live) == VCPU_LIVE, "entry.S");
#endif

#endif
