/*
 * The Supervisor Binary Interface (RISC-V SBI 2.0). Each extension is one function, the legacy ones are in legacy.c;
 * unknown ones answer SBI_ERR_NOT_SUPPORTED. Pointers from HS are used only inside RAM that is not the firmware's.
 */
#include "firmware.h"

struct result {
  i64 error;
  u64 value;
};
#define OK(v) ((struct result){SBI_OK, (u64)(v)})
#define ERROR(e) ((struct result){(e), 0})

int range_is_lent(u64 address, u64 bytes) {
  u64 end = board.memory_base + board.memory_bytes;
  return address >= FIRMWARE_BASE + firmware_bytes() && address < end && bytes <= end - address;
}

void system_pass(void) {
  for (;;) mmio_write32(BOARD_FINISHER, 0x5555);
}
void system_fail(u64 code) {
  for (;;) mmio_write32(BOARD_FINISHER, (u32)(code << 16) | 0x3333);
}

void system_reboot(void) {
  for (;;) mmio_write32(BOARD_FINISHER, 0x7777);
}

static struct result base_call(u64 function, u64 extension) {
  switch (function) {
    case 0: return OK(2ul << 24); /* specification 2.0 */
    case 1: return OK(0x444a); /* implementation "DJ": not registered */
    case 2: return OK(1);
    case 3:
      switch (extension) {
        case SBI_BASE: case SBI_TIME: case SBI_IPI: case SBI_RFENCE: case SBI_HSM: case SBI_SRST: case SBI_DBCN:
          return OK(1);
        case SBI_RECOVERY: return OK(recovery_armed());
        default: return OK(extension <= SBI_LEGACY_SHUTDOWN);
      }
    case 4: return OK(csr_read(MVENDORID));
    case 5: return OK(csr_read(MARCHID));
    case 6: return OK(csr_read(MIMPID));
    default: return ERROR(SBI_ERR_NOT_SUPPORTED);
  }
}

/** The harts that SBI's (mask, base) names, base -1 meaning all. 0 when it names one that does not exist. */
static int harts_named(u64 mask, u64 base, u64 *named) {
  u64 all = harts_mask();
  *named = base == ~0ul ? all : mask << base;
  return base == ~0ul || (base < board.hart_count && (mask & ~(all >> base)) == 0);
}

static struct result ipi_call(u64 mask, u64 base) {
  u64 named;
  if (!harts_named(mask, base, &named)) return ERROR(SBI_ERR_INVALID_PARAM);
  ipi_send_all(named);
  return OK(0);
}

/** All fences flush everything, whatever range, ASID or VMID they name. */
static struct result fence_call(struct hart *hart, u64 function) {
  u64 named;
  int nested = function > SBI_RFENCE_SFENCE_VMA_ASID;
  if (function > SBI_RFENCE_HFENCE_VVMA || (nested && (csr_read(MISA) & MISA_H) == 0))
    return ERROR(SBI_ERR_NOT_SUPPORTED);
  if (!harts_named(hart->x[10], hart->x[11], &named)) return ERROR(SBI_ERR_INVALID_PARAM);
  ipi_fence(hart, named);
  return OK(0);
}

static struct result hsm_call(struct hart *hart, u64 function) {
  u64 id = hart->x[10];
  switch (function) {
    case SBI_HSM_START: return ERROR(hsm_start(id, hart->x[11], hart->x[12]));
    case SBI_HSM_STATUS: return id < board.hart_count ? OK(harts[id].state) : ERROR(SBI_ERR_INVALID_PARAM);
    case SBI_HSM_SUSPEND: return ERROR(hsm_suspend(hart));
    default: return ERROR(SBI_ERR_NOT_SUPPORTED);
  }
}

/** Type 0 shuts down, 1 and 2 reboot; reason 0 is none, 1 a failure. */
static struct result reset_call(u32 type, u32 reason) {
  if (type > 2 || reason > 1) return ERROR(SBI_ERR_INVALID_PARAM);
  if (type != 0) system_reboot();
  if (reason == 0) system_pass();
  system_fail(1);
}

static struct result console_call(struct hart *hart, u64 function) {
  u64 bytes = hart->x[10], address = hart->x[11];
  if (function == 2) {
    console_byte((char)bytes);
    return OK(0);
  }
  if (function > 2) return ERROR(SBI_ERR_NOT_SUPPORTED);
  if (hart->x[12] != 0 || !range_is_lent(address, bytes)) return ERROR(SBI_ERR_INVALID_PARAM);
  if (function == 0) {
    console_write((const char *)address, bytes);
    return OK(bytes);
  }
  u64 count = 0;
  for (i64 byte; count < bytes && (byte = console_read()) >= 0; count++) ((char *)address)[count] = (char)byte;
  return OK(count);
}

static struct result recovery_call(struct hart *hart, u64 function) {
  u64 *x = hart->x;
  if (!recovery_armed()) return ERROR(SBI_ERR_NOT_SUPPORTED);
  switch (function) {
    case SBI_RECOVERY_FAIL:
      recovery_run(hart, DETECTED_BY_TRAP, x[10], (const char *)x[11], x[12]);
      return OK(0); /* not seen by anyone: `hart` enters the new instance */
    case SBI_RECOVERY_EMIT:
      if (!range_is_lent(x[10], x[11]) || !range_is_lent(x[12], 8) || (x[12] & 7) != 0)
        return ERROR(SBI_ERR_INVALID_PARAM);
      console_write((const char *)x[10], x[11]);
      mmio_write64(x[12], x[13]);
      return OK(x[11]);
    case SBI_RECOVERY_RECEIVE: {
      if (!range_is_lent(x[10], 1) || !range_is_lent(x[11], 8) || (x[11] & 7) != 0) return ERROR(SBI_ERR_INVALID_PARAM);
      i64 byte = console_read();
      if (byte < 0) return OK(0);
      mmio_write8(x[10], (u8)byte);
      mmio_write64(x[11], x[12]);
      return OK(1);
    }
    case SBI_RECOVERY_DONE:
      recovery_done();
      return OK(0);
    case SBI_RECOVERY_CHECK: return OK(0); /* it was intact */
    default: return ERROR(SBI_ERR_NOT_SUPPORTED);
  }
}

void sbi_call(struct hart *hart) {
  u64 *x = hart->x, extension = x[17], function = x[16];
  struct result result = ERROR(SBI_ERR_NOT_SUPPORTED);
  /* After these the context is the new instance's: leave it alone. */
  if (extension == SBI_RECOVERY && recovery_armed() && function == SBI_RECOVERY_FAIL) {
    recovery_call(hart, function);
    return;
  }
  if (extension == SBI_RECOVERY && recovery_armed() && function == SBI_RECOVERY_CHECK && !recovery_text_intact()) {
    recovery_run(hart, DETECTED_BY_TRAP, CAUSE_CODE_DAMAGED, NULL, hart->pc);
    return;
  }
  if (extension == SBI_HSM && function == SBI_HSM_STOP) {
    hsm_stop(hart);
    return;
  }
  if (extension <= SBI_LEGACY_SHUTDOWN) {
    legacy_call(hart);
    return;
  }
  hart->pc += 4;
  switch (extension) {
    case SBI_BASE: result = base_call(function, x[10]); break;
    case SBI_TIME: if (function == 0) timer_set(x[10]), result = OK(0); break;
    case SBI_IPI: if (function == 0) result = ipi_call(x[10], x[11]); break;
    case SBI_RFENCE: result = fence_call(hart, function); break;
    case SBI_HSM: result = hsm_call(hart, function); break;
    case SBI_SRST: if (function == 0) result = reset_call(x[10], x[11]); break;
    case SBI_DBCN: result = console_call(hart, function); break;
    case SBI_RECOVERY: result = recovery_call(hart, function); break;
  }
  if (result.error == HSM_RESUMED_ELSEWHERE) return;
  x[10] = (u64)result.error;
  x[11] = result.value;
}
