/*
 * Traps to M-mode: timer (watchdog), software interrupts (requests of other harts), SBI calls, and the exceptions
 * that were not delegated. Exceptions of the hypervisor itself start recovery; those of its VMs are passed on.
 */
#include "firmware.h"

static void exception(struct hart *hart, u64 cause);

void trap_init(void) { csr_write(MIE, 1ul << IRQ_MSI | 1ul << IRQ_MTI); }

void trap(struct hart *hart) {
  u64 cause = csr_read(MCAUSE);
  if (cause == (CAUSE_INTERRUPT | IRQ_MTI)) {
    watchdog_tick(hart);
  } else if (cause == (CAUSE_INTERRUPT | IRQ_MSI)) {
    if ((ipi_take(hart) & IPI_FREEZE) != 0 && recovery_may_freeze(hart)) recovery_freeze(hart);
  } else if (cause == EXC_ECALL_HS) {
    sbi_call(hart);
  } else {
    exception(hart, cause);
  }
}

static void exception(struct hart *hart, u64 cause) {
  if ((hart->mstatus & STATUS_MPP) == STATUS_MPP) {
    console_print("firmware: hart %d: own trap: cause %d at %x, value %x\n", hart->id, cause, hart->pc,
                  csr_read(MTVAL));
    system_fail(0xfe);
  }
  if (recovery_armed() && (hart->mstatus & STATUS_MPV) == 0)
    recovery_run(hart, DETECTED_BY_TRAP, cause, NULL, hart->pc);
  else
    trap_pass_on(hart, cause);
}

/*
 * Does what the hart would have done had the exception been delegated (manual II, 3.3.1; hypervisor, 8.6): to VS-mode
 * if it came from a VM and hedeleg says so, else to HS-mode.
 */
void trap_pass_on(struct hart *hart, u64 cause) {
  u64 previous = hart->mstatus;
  u64 from_supervisor = (previous & STATUS_MPP) != 0;
  if ((previous & STATUS_MPV) != 0 && (csr_read(HEDELEG) >> cause & 1) != 0) {
    u64 status = csr_read(VSSTATUS);
    csr_write(VSSTATUS, (status & ~(STATUS_SPP | STATUS_SPIE | STATUS_SIE)) | (from_supervisor ? STATUS_SPP : 0) |
                            ((status & STATUS_SIE) != 0 ? STATUS_SPIE : 0));
    csr_write(VSEPC, hart->pc);
    csr_write(VSCAUSE, cause);
    csr_write(VSTVAL, csr_read(MTVAL));
    hart->pc = csr_read(VSTVEC) & ~3ul;
    hart->mstatus = (previous & ~STATUS_MPP) | STATUS_MPP_S; /* MPV stays: return to VS-mode */
    return;
  }
  u64 hstatus = csr_read(HSTATUS) & ~(HSTATUS_SPV | HSTATUS_GVA);
  if ((previous & STATUS_MPV) != 0) {
    hstatus = (hstatus & ~HSTATUS_SPVP) | HSTATUS_SPV | (from_supervisor ? HSTATUS_SPVP : 0);
    if ((previous & STATUS_GVA) != 0) hstatus |= HSTATUS_GVA;
  }
  csr_write(HSTATUS, hstatus);
  csr_write(SEPC, hart->pc);
  csr_write(SCAUSE, cause);
  csr_write(STVAL, csr_read(MTVAL));
  csr_write(HTVAL, csr_read(MTVAL2));
  csr_write(HTINST, csr_read(MTINST));
  hart->pc = csr_read(STVEC) & ~3ul;
  hart->mstatus = (previous & ~(STATUS_MPP | STATUS_MPV | STATUS_SPP | STATUS_SPIE | STATUS_SIE)) | STATUS_MPP_S |
                  (from_supervisor ? STATUS_SPP : 0) | ((previous & STATUS_SIE) != 0 ? STATUS_SPIE : 0);
}
