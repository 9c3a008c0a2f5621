/*
 * The legacy extensions (SBI 2.0, ch. 5), for kernels from before SBI 0.2. They have one result, in a0, and leave a1
 * alone. Masks of harts lie in the caller's memory, by virtual address; NULL means all harts, and bits of harts that do
 * not exist mean nothing, as in OpenSBI.
 */
#include "firmware.h"

/**
 * Loads a word as the caller itself would: through its translation and with its rights. 0, or the cause of the
 * exception that it would have taken.
 */
static u64 load_as_caller(const struct hart *hart, u64 address, u64 *value) {
  u64 cause = 0, loaded = 0, vector, status = csr_read(MSTATUS);
  csr_write(MSTATUS, hart->mstatus);
  __asm__ volatile(
      "la %[vector], 1f\n"
      "csrrw %[vector], " CSR_TEXT(MTVEC) ", %[vector]\n"
      "csrs " CSR_TEXT(MSTATUS) ", %[mprv]\n"
      "ld %[loaded], 0(%[address])\n"
      "csrw " CSR_TEXT(MSTATUS) ", %[status]\n"
      "j 2f\n"
      ".balign 4\n"
      "1: csrw " CSR_TEXT(MSTATUS) ", %[status]\n"
      "csrr %[cause], " CSR_TEXT(MCAUSE) "\n"
      "2: csrw " CSR_TEXT(MTVEC) ", %[vector]\n"
      : [vector] "=&r"(vector), [loaded] "+&r"(loaded), [cause] "+&r"(cause)
      : [address] "r"(address), [status] "r"(status), [mprv] "r"(STATUS_MPRV)
      : "memory");
  *value = loaded;
  return cause;
}

void legacy_call(struct hart *hart) {
  u64 extension = hart->x[17], argument = hart->x[10], mask = harts_mask();
  int takes_mask = extension >= SBI_LEGACY_SEND_IPI && extension <= SBI_LEGACY_SFENCE_VMA_ASID;
  if (takes_mask && argument != 0) {
    u64 cause = load_as_caller(hart, argument, &mask);
    if (cause != 0) {
      trap_pass_on(hart, cause); /* at the call, as if that had loaded */
      return;
    }
    mask &= harts_mask();
  }
  u64 result = 0;
  switch (extension) {
    case SBI_LEGACY_SET_TIMER: timer_set(argument); break;
    case SBI_LEGACY_PUTCHAR: console_byte((char)argument); break;
    case SBI_LEGACY_GETCHAR: result = (u64)console_read(); break;
    case SBI_LEGACY_CLEAR_IPI:
      result = (csr_read(MIP) & 1ul << IRQ_SSI) != 0;
      csr_clear(MIP, 1ul << IRQ_SSI);
      break;
    case SBI_LEGACY_SEND_IPI: ipi_send_all(mask); break;
    case SBI_LEGACY_FENCE_I: case SBI_LEGACY_SFENCE_VMA: case SBI_LEGACY_SFENCE_VMA_ASID: ipi_fence(hart, mask); break;
    case SBI_LEGACY_SHUTDOWN: system_pass();
  }
  hart->pc += 4;
  hart->x[10] = result;
}
