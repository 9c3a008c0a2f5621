/*
 * What the recovery block in the firmware and Lazarus agree on: the header at the start of Lazarus's image, and the
 * descriptor that a new instance is started with.
 */
#ifndef RECOVERY_H
#define RECOVERY_H

#define IMAGE_MAGIC 0x315552415a414c2e /* ".LAZARU1", little-endian */
#define IMAGE_VERSION 1

#ifndef __ASSEMBLER__
#include "board.h"
#include "notes.h"
#include "types.h"

#define DESCRIPTOR_MAGIC 0x52504c455a414c31ul

/** Largest image, and largest static data, that the recovery block keeps a copy of. */
#define PRISTINE_BYTES 0x40000ul
#define STATICS_BYTES 0x40000ul
#define FDT_COPY_BYTES 0x10000ul

/** At the image's first byte; read once, at boot, before the image first runs. Addresses are physical. */
struct image_header {
  u64 jump; /* the entry point: a jump over this header */
  u64 magic, version;
  /** Loaded bytes: text, constants, data. */
  u64 image_start, image_end;
  /** Zeroed at a reboot: from image_end to here, stacks included. */
  u64 bss_end;
  /** Static data saved for the new instance: data and bss without stacks. */
  u64 statics_start, statics_end;
  /** The new instance starts here with a0 = hart, a1 = FDT, a2 = struct recovery_descriptor *. */
  u64 recovery_entry;
  /** u64[BOARD_MAX_HARTS], each advanced by its hart's timer tick. */
  u64 heartbeats;
};

/** VS-mode CSRs: part of a vCPU's state, live in the hart while the vCPU is loaded there. */
struct vs_csrs {
  u64 vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp, vstimecmp, hvip;
};

/** What a failed hypervisor is brought back with (`recovery=`). */
enum mechanism { RECOVERY_NONE, RECOVERY_REHYPE, RECOVERY_NILIHYPE };

/** A hart as recovery found it. */
struct frozen_hart {
  /** 0 when the hart was not running. */
  u64 valid;
  u64 x[32];
  u64 pc;
  /** 0 U, 1 S; and 1 when V = 1: the hart was inside a VM. */
  u64 privilege, virtual;
  u64 sstatus, sepc, scause, sscratch, hstatus, hgatp;
  struct vs_csrs vs;
};

struct recovery_descriptor {
  u64 magic;
  /** enum mechanism: rebooted with fresh static data, or reset with all of it in place. */
  u64 mechanism;
  /** Recoveries so far, this one included. */
  u64 instance;
  u64 detecting_hart;
  /** mtime at detection. */
  u64 detected_at;
  /** Bit per fix-up (FIXUPS of notes.h) that may run. */
  u64 enhance;
  /** Where the static data of the failed instance lie, byte for byte from statics_start: a copy, or in place. */
  u64 statics;
  struct frozen_hart harts[BOARD_MAX_HARTS];
};

/**
 * Where the recovery block keeps which self-checks are on (`checks=`): a bit per CHECKS of notes.h. At the start of the
 * handover area, which the hypervisor can read and not write, so that none of its failures takes a check away.
 */
#define CHECKS_WORD HANDOVER_BASE
#define CHECKED(name) ((*(const volatile u64 *)CHECKS_WORD >> CHECK_##name & 1) != 0)

/** Argument of the note RECOVERY_FAILED. */
#define FAILED_NO_MECHANISM 1
#define FAILED_IN_RECOVERY 2
#define FAILED_TOO_OFTEN 3
#define FAILED_NOT_STOPPED 4
#endif

#endif
