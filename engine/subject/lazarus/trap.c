/*
 * VM exits and interrupts. Lazarus runs with interrupts off: they are taken from VMs, or polled when idle. Its own
 * exceptions never come here: the firmware keeps them, or entry.S hands them on.
 */
#include "unmodified.h"

/** More between two ticks than can be served would mean that one is not being cleared. */
#define STORM 600

static void interrupt(struct cpu *cpu, u64 number) {
  CHECK(rates, cpu->interrupts++ < STORM);
  switch (number) {
    case IRQ_STI: timer_interrupt(cpu); break;
    case IRQ_SEI:
      cpu->irq_depth++;
      irq_interrupt();
      cpu->resched = 1;
      cpu->irq_depth--;
      break;
    case IRQ_SSI: /* another hart wants us to look at the state of the world: scheduling does */
      csr_clear(SIP, 1ul << IRQ_SSI);
      cpu->resched = 1;
      break;
    default: panic(number, "unexpected interrupt");
  }
}

void trap_init(void) {
  csr_write(HGATP, 0);
  hfence_gvma();
  csr_write(HSTATUS, HSTATUS_VSXL_64 | HSTATUS_VTW);
  csr_write(HIDELEG, 1ul << IRQ_VSSI | 1ul << IRQ_VSTI | 1ul << IRQ_VSEI);
  csr_write(HEDELEG, 1ul << EXC_FETCH_MISALIGNED | 1ul << EXC_FETCH_ACCESS | 1ul << EXC_ILLEGAL |
                         1ul << EXC_BREAKPOINT | 1ul << EXC_LOAD_MISALIGNED | 1ul << EXC_LOAD_ACCESS |
                         1ul << EXC_STORE_MISALIGNED | 1ul << EXC_STORE_ACCESS | 1ul << EXC_ECALL_U |
                         1ul << EXC_FETCH_PAGE | 1ul << EXC_LOAD_PAGE | 1ul << EXC_STORE_PAGE);
  csr_write(HCOUNTEREN, COUNTEREN_CY_TM_IR);
  csr_write(HENVCFG, ENVCFG_STCE);
  csr_write(HTIMEDELTA, 0);
  csr_write(HVIP, 0);
  csr_write(VSIE, 0);
  csr_write(SIE, 1ul << IRQ_SSI | 1ul << IRQ_STI | 1ul << IRQ_SEI);
}

static void crash(struct vcpu *vcpu, u64 cause) {
  struct domain *domain = vcpu->domain;
  suspect();
  print("lazarus: %s crashed: cause %d at %x, value %x\n", domain->name, cause, vcpu->pc, csr_read(STVAL));
  domain_end(domain, 1, DOMAIN_CRASHED);
}

/** wfi in a VM (hstatus.VTW): the vCPU waits for its timer or an event. */
static void wait_in_vm(struct vcpu *vcpu) {
  vcpu->pc += 4;
  vcpu->wake_at = csr_read(VSTIMECMP);
  vcpu->wake_ports = 0;
  vcpu->state = VCPU_BLOCKED;
}

void trap_vm_exit(struct vcpu *vcpu) {
  u64 cause = csr_read(SCAUSE);
  CHECK(exits, (csr_read(HSTATUS) & HSTATUS_SPV) != 0 && this_cpu()->current == vcpu && this_cpu()->loaded == vcpu);
  if ((cause & CAUSE_INTERRUPT) != 0) {
    interrupt(this_cpu(), cause & ~CAUSE_INTERRUPT);
  } else if (cause == EXC_ECALL_VS) {
    hypercall(vcpu);
  } else if (cause == EXC_VIRTUAL && csr_read(STVAL) == 0x10500073) {
    wait_in_vm(vcpu);
  } else if (!unmodified_exit(vcpu, cause)) {
    crash(vcpu, cause);
  }
}

void trap_poll_interrupts(void) {
  static const u64 numbers[] = {IRQ_SEI, IRQ_SSI, IRQ_STI}; /* in the order of their priorities */
  for (u64 n = 0; n < ARRAY_LENGTH(numbers); n++)
    if ((csr_read(SIP) & csr_read(SIE)) >> numbers[n] & 1) interrupt(this_cpu(), numbers[n]);
}
