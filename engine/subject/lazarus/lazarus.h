/*
 * Lazarus: what its files share. One file per subsystem: main (boot), build (first domains), heap, frame (frame table),
 * gstage (tables), lock, domain, sched, timer, trap (VM exits), irq (PLIC), hypercall (dispatch, undo log), the calls
 * (event, grant, memory, multicall, control, store, console), vsbi (SBI for guests), plant (planted faults), recovery
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
#include "memory.h"
#include "notes.h"
#include "recovery.h"
#include "sbi.h"

/* ---- lock.c ---- */
struct domain;
struct vcpu;
struct spinlock {
  /** Hart + 1 of the owner; 0 when free. */
  volatile u32 owner;
  u32 pad;
  char name[24];
};
void lock_init(struct spinlock *lock, const char *name);
/** A static lock, listed so that recovery can find all of them. */
#define STATIC_LOCK(variable, text)             \
  struct spinlock variable = {.name = text};    \
  __attribute__((section(".static_locks"), used)) static struct spinlock *const listed_##variable = &variable
extern struct spinlock *const static_locks[], *const static_locks_end[];
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

/** An assertion that can be left out (`checks=`). The condition is looked at only when the check is on. */
#define CHECK(name, condition)                                                                \
  do {                                                                                        \
    if (CHECKED(name) && !(condition)) panic(PANIC_ASSERT, "check " #name " failed: " #condition); \
  } while (0)

/* ---- domain.c ---- */
enum vcpu_state { VCPU_RUNNABLE, VCPU_RUNNING, VCPU_BLOCKED, VCPU_DONE };
enum domain_state { DOMAIN_RUNNING, DOMAIN_DONE, DOMAIN_CRASHED, DOMAIN_PAUSED, DOMAIN_DYING, DOMAIN_DEAD };

#define UNDO_RECORDS 48
/** A hypercall in flight. hypercall.c says how the fields make every step repeatable. */
struct inflight {
  /** Number of this hypercall (completed + 1); 0 when none is in flight. */
  u64 id;
  u64 completed;
  u64 exit_pc;
  /** Goes to register `target` (and value to a1, for SBI calls); pc moves on by `length`. */
  u64 result, value, target, length;
  u64 writes_value;
  /** The guest gets an exception instead (unmodified.h): result = vsstatus, value = cause. */
  u64 injects, trap_value;
  /**
   * A retry is not a new step, or its ledger would say nothing: step + 1 of what the fix-up lets be made again, else 0.
   */
  u64 again;
  /** Counts committed steps over all hypercalls of this vCPU; a hypercall begins with one. */
  u64 step, first_step;
  /** Which part of which hypercall emitted output last (console.c; written by the firmware). */
  u64 emitted;
  /** Undo log; in force while undo_step == step. */
  u64 undo_step, undo_count;
  struct {
    u64 *word;
    u64 value;
  } undo[UNDO_RECORDS];
  /** Steps that a cut-off multicall had committed, for the same multicall made again. */
  struct {
    u64 pc, gpa, steps;
  } resume;
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
  /** The hart whose queue it belongs to, and whether it must stay there. */
  u32 hart;
  u32 index, pinned;
  /** Hart + 1 while it is some hart's current; the copy in struct cpu is the one to trust. */
  u64 on_hart;
  /** BLOCKED until then (mtime), or until one of these event ports is pending. */
  u64 wake_at;
  u64 wake_ports;
  /** Another vCPU sent it an IPI that is not yet in its hvip. */
  u64 ipi;
  /** The call that started it: id << 8 | the starter's index. */
  u64 started_by;
  /** Accounting: ms ticks that found it running. */
  u64 charged;
  /** Hart + 1 where it was loaded last: elsewhere its translations may be old. */
  u64 last_hart;
  struct vs_csrs vs;
  struct inflight call;
};

/** One end of an event channel, in one word so that it changes at once. */
union event_port {
  struct {
    u16 state;
    /** Also the PLIC source of an IRQ port. */
    u16 remote_port;
    u32 remote_vmid;
  };
  u64 word;
};
enum event_state { EVENT_CLOSED, EVENT_UNBOUND, EVENT_CONNECTED, EVENT_IRQ };

/** A grant that this domain has mapped; free while `spa` is 0. The handle is its index. */
struct grant_mapping {
  u64 gpa, spa;
  u64 from_vmid_and_ref;
  u64 readonly;
};
#define GRANT_MAPPINGS 64
#define INPUT_BYTES 1024
#define DOMAIN_MAGIC 0x4e49414d4f44ul /* "DOMAIN" */
struct domain {
  /** DOMAIN_MAGIC from when it is whole until it is gone. */
  u64 magic;
  struct domain *next;
  u32 vmid;
  u32 state;
  char name[16];
  u64 hgatp;
  struct vcpu *vcpu;
  struct spinlock lock;
  u64 privileged;
  /** UNMODIFIED*: it knows nothing of us (unmodified.h). And the registers of its UART. */
  u64 unmodified, uart;
  /** The PrivVM's: the VMID that was given away last. None is used twice. */
  u64 last_vmid;
  u64 max_frames, frames;
  /**
   * How often entries of its tables were taken away; what each hart has seen of that; the vCPU that each loaded last.
   */
  u64 fences, fences_seen[BOARD_MAX_HARTS];
  u64 last_vcpu[BOARD_MAX_HARTS];
  u64 progress, status;
  /** Pages it shares with us, as we see them; NULL before it says so. */
  struct shared_info *shared;
  struct grant_entry *grants;
  union event_port ports[EVENT_PORTS];
  struct grant_mapping mappings[GRANT_MAPPINGS];
  /** Console input: bytes [tail, head) modulo INPUT_BYTES. */
  u64 input_head, input_tail;
  u8 input[INPUT_BYTES];
};

extern struct domain *domain_list;
extern struct spinlock domain_list_lock;
/** A paused domain without memory, not yet in the list; NULL without memory for it. What is not in its spec is 0. */
struct domain *domain_new(u32 vmid, const struct domain_spec *spec);
/** Puts it at the list's end. */
void domain_link(struct domain *domain);
/** Frees the blocks of domains that are DEAD. */
void domain_reap(void);
struct domain *domain_find(u64 vmid);
struct vcpu *domain_vcpu(const struct domain *domain, u64 index);
/** Maps fresh RAM at gpa ...; frames mapped. */
u64 domain_populate(struct domain *domain, u64 gpa, u64 frames);
/** 1 when no domain runs or will run. */
int domain_all_done(void);
/** 1 when hgatp names the tables in the heap that belong to this domain. */
int domain_tables_sane(const struct domain *domain);
/** Ends it with a status. */
void domain_end(struct domain *domain, u64 status, enum domain_state state);

/* ---- build.c: the first domains, from the initrd ---- */
void build_domains(void);

/* ---- sched.c ---- */
enum timer_name { TIMER_TICK, TIMER_ACCOUNT, TIMER_WAKE, TIMERS };
struct timer {
  u64 deadline;
  /** 0: one shot. */
  u64 period;
  u32 queued;
  /** Set while its handler runs: a recurring timer is off the queue then. */
  u32 running;
};
struct cpu {
  u64 id;
  /** The vCPU this hart runs. */
  struct vcpu *current;
  /** The vCPU whose VS CSRs are live in this hart, while hgatp is not 0. */
  struct vcpu *loaded;
  struct vcpu *queue_head, *queue_tail;
  struct spinlock lock;
  /** Interrupt handlers entered and not left. */
  u64 irq_depth;
  u64 ticks;
  /** When the present window of ticks began. */
  u64 window_start;
  /** Since the last tick: interrupts, and errors of guests that were looked into. */
  u64 interrupts, suspected;
  /** Ticks in a row that found it idle although its queue has work. */
  u64 starved;
  u32 resched;
  /** 1: the hardware timer is to be programmed when the hart enters the scheduler. */
  u32 arm_timer;
  struct timer timers[TIMERS];
  /** Locks of the hypercall that this hart makes, in order; released when it is complete. */
  struct spinlock *held[4];
  u64 held_count;
  /** Frames that the hypercall gave back: they lose a use when it can no longer be undone. */
  u64 given[MEMORY_CHUNK];
  u64 given_count;
};
extern struct cpu cpus[BOARD_MAX_HARTS];
static inline struct cpu *this_cpu(void) {
  struct cpu *cpu;
  __asm__ volatile("mv %0, tp" : "=r"(cpu));
  return cpu;
}
void sched_enqueue(struct cpu *cpu, struct vcpu *vcpu);
/** Takes it out of its queue if it is there. */
void sched_remove(struct vcpu *vcpu);
/** 1 when no hart runs it, and none has just chosen it. Stays so for a vCPU that may not run. */
int sched_is_off(const struct vcpu *vcpu);
/** Has the vCPU's hart look at what it could do: something that it waits for may have happened. */
void sched_kick(const struct vcpu *vcpu);
/** 1 when a vCPU in the hart's queue could run, or could have for a millisecond. */
int sched_work_waits(struct cpu *cpu);
/** Runs VMs for ever. */
void sched_loop(void) __attribute__((noreturn));

/* ---- timer.c ---- */
extern u64 heartbeats[BOARD_MAX_HARTS];
/** Tells the watchdog, which expects ticks, that work whose length grows with a VM's memory goes on. */
void timer_beat(void);
u64 time_now(void);
/** Recurring timers on the queue, from now on. */
void timer_start(struct cpu *cpu);
void timer_set(struct cpu *cpu, enum timer_name name, u64 deadline);
/** Programs the hart's comparator for the earliest deadline. On its own hart. */
void timer_program(const struct cpu *cpu);
void timer_interrupt(struct cpu *cpu);

/* ---- trap.c ---- */
void trap_init(void);
void trap_vm_exit(struct vcpu *vcpu);
/** Handles what is pending in sip; for the idle loop, which runs with interrupts off. */
void trap_poll_interrupts(void);

/* ---- hypercall.c ---- */
/** Answers in a0; CALL_* of abi.h when negative. BLOCKS: no answer yet, the vCPU will ask again. */
typedef i64 call_handler(struct vcpu *vcpu, const u64 *arguments);
#define CALL_BLOCKS ((i64)0x8000000000000000ul)
void hypercall(struct vcpu *vcpu);
/** Around a call, or another VM exit that is to be made again when it is cut off. */
void hypercall_begin(struct vcpu *vcpu);
void hypercall_end(void);
/** Makes a call that may be part of a multicall; others answer CALL_UNKNOWN. */
i64 hypercall_part(struct vcpu *vcpu, u64 call, const u64 *arguments);
/** Critical last write of a hypercall, then its effect on the registers. */
void hypercall_complete(struct vcpu *vcpu, u64 result);
/** Applies a completed hypercall to the registers; may be repeated. */
void hypercall_apply(struct vcpu *vcpu);
/** Takes a lock until this hypercall is complete. Rank: domain lock (lower VMID first), then all others. */
void call_lock(struct spinlock *lock);
void call_lock_domains(struct domain *a, struct domain *b);
/** Notes the old value of a word that this hypercall is about to change in a way that is not repeatable. */
void undo_log(struct vcpu *vcpu, u64 *word);
/** Logs, then writes. */
void undo_write(struct vcpu *vcpu, u64 *word, u64 value);
/** Everything up to here is done for good: the log is void. */
void call_commit_step(struct vcpu *vcpu);
/** Takes a use from a frame when the step is committed. */
void call_unuse_later(u64 spa);
/** The step was committed: does what was put off. */
void call_step_done(void);
/** 0: nothing is logged (`undo=off`), to see what logging costs. */
extern u32 undo_enabled;

/**
 * Something happened that well-behaved guests do not cause: before one of them is told that it was wrong, the recovery
 * block looks whether our own code is damaged. Does not return if so.
 */
void suspect(void);
/** The same, but not so often that it could be the guest's means to keep us busy: for what guests can cause at will. */
void suspect_sometimes(void);

/* ---- copy.c ---- */
/**
 * memcpy to or from memory that a guest sees, compared with its source; copied again, and suspected, when they differ.
 */
void copy_compared(void *to, const void *from, u64 bytes);

/* ---- the calls ---- */
call_handler vcpu_start, console_write, console_read, store_put, store_get, store_add, store_peek;
call_handler event_alloc, event_bind, event_bind_irq, event_send, event_mask, event_poll, event_close, event_eoi;
call_handler grant_setup, grant_map, grant_unmap, grant_copy, grant_transfer;
call_handler memory_populate, memory_decrease, memory_exchange, memory_map_foreign, memory_unmap_foreign, memory_machine;
call_handler multicall;
call_handler control_create, control_start, control_pause, control_unpause, control_destroy, control_list;

/* ---- event.c ---- */
/** Pending, unmasked events. */
u64 event_raised(const struct domain *domain);
/** Sets hvip by what is pending, before a VM entry. */
void event_update(struct vcpu *vcpu);
/** A PLIC source fired: 1 when some domain's port took it (and its source is to stay silent until event_eoi). */
int event_from_irq(u32 source);
/** Closes every port of a domain that dies. */
void event_close_all(struct domain *domain);
/** Sources that ports are bound to. */
u64 event_irq_sources(void);
void grant_unmap_all(struct domain *domain);

/* ---- store.c ---- */
struct store;
extern struct store *store;
void store_init(void);
struct spinlock *store_lock(struct store *of);

/* ---- console.c, irq.c ---- */
void console_init(void);
/** %s %d %x (u64), as one piece. */
void print(const char *format, ...);
/** Takes received bytes from the UART into the first domain's input. */
void console_receive(void);
/** Output of an SBI console, as it is: a byte, or bytes of guest memory (0 when they are not there). */
void console_put(struct vcpu *vcpu, char byte);
int console_put_all(struct vcpu *vcpu, u64 gpa, u64 bytes);
void irq_init(void);
void irq_enable(u32 source);
void irq_complete(u32 source);
/** Claims and hands on all pending sources. */
void irq_interrupt(void);
/** Completes whatever is claimed and not in some domain's hands. */
void irq_complete_lost(void);

/* ---- vsbi.c ---- */
void vsbi_call(struct vcpu *vcpu);

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
/** Where heap and frames lie: functions of the image and the devicetree, so a new instance finds the same. */
void heap_bounds(u64 *start, u64 *end);
void frame_bounds(u64 *start, u64 *end);
/** tp, and with `csrs` the hart's own CSRs. */
void hart_init(u64 id, int csrs);
void system_shutdown(u64 failed) __attribute__((noreturn));
void give_up(const char *why) __attribute__((noreturn));

/* ---- recovery.c ---- */
/** 1: other harts set up their own CSRs when they start. */
extern u32 secondary_csrs;

/* ---- fixups.c ---- */
#define ENHANCED(enhance, name) (((enhance) >> FIXUP_##name & 1) != 0)
/** Before all others: nothing can be found without lists. */
void fixup_lists(void);
/** Runs the fix-ups of the mask (bit per FIXUPS); a note follows each. */
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
