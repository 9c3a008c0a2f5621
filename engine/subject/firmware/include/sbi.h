/*
 * SBI numbers (RISC-V SBI 2.0), and the recovery block's own extension.
 */
#ifndef SBI_H
#define SBI_H

#define SBI_LEGACY_SET_TIMER 0
#define SBI_LEGACY_PUTCHAR 1
#define SBI_LEGACY_GETCHAR 2
#define SBI_LEGACY_CLEAR_IPI 3
#define SBI_LEGACY_SEND_IPI 4
#define SBI_LEGACY_FENCE_I 5
#define SBI_LEGACY_SFENCE_VMA 6
#define SBI_LEGACY_SFENCE_VMA_ASID 7
#define SBI_LEGACY_SHUTDOWN 8
#define SBI_BASE 0x10
#define SBI_TIME 0x54494d45
#define SBI_IPI 0x735049
#define SBI_RFENCE 0x52464e43
#define SBI_HSM 0x48534d
#define SBI_SRST 0x53525354
#define SBI_DBCN 0x4442434e

#define SBI_RFENCE_FENCE_I 0
#define SBI_RFENCE_SFENCE_VMA_ASID 2
#define SBI_RFENCE_HFENCE_GVMA 4
#define SBI_RFENCE_HFENCE_VVMA 6

#define SBI_HSM_START 0
#define SBI_HSM_STOP 1
#define SBI_HSM_STATUS 2
#define SBI_HSM_SUSPEND 3
#define SBI_HSM_STARTED 0
#define SBI_HSM_STOPPED 1
#define SBI_HSM_START_PENDING 2
#define SBI_HSM_STOP_PENDING 3
#define SBI_HSM_SUSPENDED 4

/** Suspend types that are no platform's own: go on behind the call, or at an address as after a start. */
#define SBI_HSM_RETENTIVE 0
#define SBI_HSM_NON_RETENTIVE 0x80000000

#define SBI_OK 0l
#define SBI_ERR_FAILED (-1l)
#define SBI_ERR_NOT_SUPPORTED (-2l)
#define SBI_ERR_INVALID_PARAM (-3l)
#define SBI_ERR_INVALID_ADDRESS (-5l)
#define SBI_ERR_ALREADY_AVAILABLE (-6l)

/** The recovery block, in the space that SBI 4.2 leaves to firmware (0x0A000000-0x0AFFFFFF). */
#define SBI_RECOVERY 0x0a4c5a52
/** fail(cause, message, pc): the hypervisor gives itself up; does not return. */
#define SBI_RECOVERY_FAIL 0
/** emit(text, bytes, ledger, value): prints, then stores `value` to `*ledger`; no failure comes in between. */
#define SBI_RECOVERY_EMIT 1
/** done(): the new instance is about to resume its VMs. */
#define SBI_RECOVERY_DONE 2
/** check(): compares the hypervisor's code and constants with the pristine image; a difference is a detected error. */
#define SBI_RECOVERY_CHECK 3
/**
 * receive(place, ledger, value): stores a received byte to `*place`, then `value` to `*ledger`; no failure comes in
 * between. 1, or 0.
 */
#define SBI_RECOVERY_RECEIVE 4

#endif
