/*
 * What the firmware's files share. One file per job: main (boot), reserve (the devicetree), trap, sbi, legacy, ipi
 * (mailboxes, fences), hsm (hart states), watchdog, recovery, options, console.
 */
#ifndef FIRMWARE_H
#define FIRMWARE_H

/* Shared with entry.S. */
#define HART_BYTES 8192
#define HART_SHIFT 13
#define HART_PC 256
#define HART_MSTATUS 264

#ifndef __ASSEMBLER__
#include "board.h"
#include "csr.h"
#include "fdt.h"
#include "notes.h"
#include "recovery.h"
#include "sbi.h"

/** A hart's own memory: interrupted context first (entry.S relies on it), M-mode stack at the end. */
struct hart {
  u64 x[32];
  u64 pc, mstatus;
  u64 id;
  /** SBI_HSM_*: written under no lock; transitions belong to one hart at a time (see hsm.c). */
  volatile u64 state;
  /** IPI_* bits sent by other harts. */
  volatile u64 mailbox;
  u64 start_address, start_argument;
  /** 1 when recovery has saved the context above. */
  volatile u64 frozen;
  struct {
    u64 last_beat, unmoved;
    /** 0 until the heartbeat has moved for the first time since the hart started. */
    u64 seen;
  } watch;
} __attribute__((aligned(HART_BYTES)));
_Static_assert(offsetof(struct hart, pc) == HART_PC && offsetof(struct hart, mstatus) == HART_MSTATUS, "entry.S");
_Static_assert(sizeof(struct hart) == HART_BYTES, "entry.S");

extern struct hart harts[BOARD_MAX_HARTS];
extern struct board_info board;
/** Tree given to the next stage; our own copy when the recovery block is armed. */
extern const void *next_fdt;

/* options.c */
struct options {
  /** enum mechanism. */
  u64 recovery;
  /** Bit per FIXUPS (notes.h) that is on. */
  u64 enhance;
  /** Bit per CHECKS (notes.h) that is on; Lazarus reads it at CHECKS_WORD. */
  u64 checks;
  /** Watchdog period in mtime units; 0 off. */
  u64 watchdog_period;
  u64 max_recoveries;
};
extern struct options options;
/** Reads recovery=, enhance=, checks=, watchdog=, recoveries= of the command line; 0, and says so, if one is wrong. */
int options_read(const char *line);

/* console.c */
void console_byte(char byte);
/** Prints a text as one piece: no other hart's output comes in between. %s text, %d decimal, %x hexadecimal (u64). */
void console_print(const char *format, ...);
void console_write(const char *text, u64 bytes);
/** A received byte, or -1. */
i64 console_read(void);

/* ipi.c */
#define IPI_SUPERVISOR 1
#define IPI_FENCE 2
#define IPI_FREEZE 4
#define IPI_START 8
void ipi_send(u64 hart, u64 bits);
/** A bit for each hart of the board. */
u64 harts_mask(void);
/** Makes the supervisor software interrupt pending on the harts of `mask`. */
void ipi_send_all(u64 mask);
/** Takes the bits sent to `hart` and acts on all but FREEZE and START, which are returned. */
u64 ipi_take(struct hart *hart);
/** Answers fences only: for loops that wait while other harts may wait for us. */
void ipi_poll(struct hart *hart);
/** Has the harts of `mask` flush all translations and their instruction fetch; returns when they have. */
void ipi_fence(struct hart *self, u64 mask);

/* hsm.c */
/** Waits until another hart starts this one; then the saved context is the start context. */
void hsm_wait(struct hart *hart);
/** Stops this hart, and waits as above. */
void hsm_stop(struct hart *hart);
i64 hsm_start(u64 id, u64 address, u64 argument);
/**
 * hart_suspend, with its arguments in the saved context. An SBI error; or the saved context is the one to resume with.
 */
i64 hsm_suspend(struct hart *hart);
#define HSM_RESUMED_ELSEWHERE 1l
/** Prepares the saved context to enter HS-mode at `address`. */
void hsm_enter(struct hart *hart, u64 address, u64 argument);

/* watchdog.c */
u64 time_now(void);
/** Sets the supervisor's timer: with Sstc, the hart's own comparator. */
void timer_set(u64 deadline);
void watchdog_start(struct hart *hart);
void watchdog_stop(struct hart *hart);
void watchdog_tick(struct hart *hart);

/* recovery.c */
/** Looks for a Lazarus header at `image` and, if there is one, keeps the pristine image. Before it first runs. */
void recovery_arm(u64 image);
int recovery_armed(void);
/** Recoveries started since power-on. */
u64 recovery_count(void);
/** Address of a hart's heartbeat word, from the pristine header. */
u64 recovery_heartbeat(u64 hart);
enum detection { DETECTED_BY_TRAP, DETECTED_BY_WATCHDOG };
/** An error was detected on `self`: recovers, and leaves `self` about to enter the new instance. May not return. */
void recovery_run(struct hart *self, enum detection how, u64 cause, const char *message, u64 pc);
/** Saves this hart's context, reports it frozen, and waits until it is started again. */
void recovery_freeze(struct hart *self);
/** 1 when a hart that was interrupted like this may be frozen. */
int recovery_may_freeze(const struct hart *self);
void recovery_done(void);
/** 1 while the hypervisor's code and constants are those of the pristine image. */
int recovery_text_intact(void);
/** Cause of a detection by comparison, beside those of traps and PANIC_ASSERT. */
#define CAUSE_CODE_DAMAGED 0x101

/* sbi.c */
void sbi_call(struct hart *hart);
/** 1 when HS may pass this range to the firmware: RAM outside the firmware's own. */
int range_is_lent(u64 address, u64 bytes);
/** Ends the run, or has the board start over. */
void system_pass(void) __attribute__((noreturn));
void system_fail(u64 code) __attribute__((noreturn));
void system_reboot(void) __attribute__((noreturn));

/* legacy.c */
void legacy_call(struct hart *hart);

/* main.c */
/** Bytes from FIRMWARE_BASE on that HS may not write: all of the firmware's memory, or just its core. */
u64 firmware_bytes(void);

/* reserve.c */
/** Adds the firmware's memory to the reserved memory of the tree, in place, if there is room. */
void reserve_firmware(void *fdt);

/* trap.c */
void trap(struct hart *hart);
void trap_init(void);
/** Hands an exception to the mode that would have had it, had it been delegated; mtval and the like tell of it. */
void trap_pass_on(struct hart *hart, u64 cause);
#endif

#endif
