/*
 * The Supervisor Binary Interface (RISC-V SBI 1.0; DBCN from 2.0). Each extension is one function; unknown ones
 * answer SBI_ERR_NOT_SUPPORTED. Pointers from HS are used only inside RAM that is not the firmware's.
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
  return address >= FIRMWARE_BASE + FIRMWARE_BYTES && address < end && bytes <= end - address;
}

void system_pass(void) {
  for (;;) mmio_write32(BOARD_FINISHER, 0x5555);
}
void system_fail(u64 code) {
  for (;;) mmio_write32(BOARD_FINISHER, (u32)(code << 16) | 0x3333);
}

static struct result base_call(u64 function, u64 extension) {
  switch (function) {
    case 0: return OK(1ul << 24); /* specification 1.0 */
    case 1: return OK(0x444a); /* implementation "DJ": not registered */
    case 2: return OK(1);
    case 3:
      switch (extension) {
        case SBI_LEGACY_PUTCHAR: case SBI_LEGACY_GETCHAR: case SBI_BASE: case SBI_TIME: case SBI_IPI:
        case SBI_RFENCE: case SBI_HSM: case SBI_SRST: case SBI_DBCN: return OK(1);
        case SBI_RECOVERY: return OK(recovery_armed());
        default: return OK(0);
      }
    case 4: case 5: case 6: return OK(0); /* mvendorid, marchid, mimpid */
    default: return ERROR(SBI_ERR_NOT_SUPPORTED);
  }
}

/** Harts named by SBI's (mask, base); base -1 means all. */
static u64 hart_mask(u64 mask, u64 base) {
  u64 all = (1ul << board.hart_count) - 1;
  if (base == ~0ul) return all;
  return base < BOARD_MAX_HARTS ? (mask << base) & all : 0;
}

/** With Sstc the supervisor timer is the hart's own comparator. */
static struct result timer_call(u64 deadline) {
  csr_write(STIMECMP, deadline);
  return OK(0);
}

static struct result ipi_call(u64 mask) {
  for (u64 id = 0; id < board.hart_count; id++)
    if ((mask >> id & 1) != 0) ipi_send(id, IPI_SUPERVISOR);
  return OK(0);
}

static struct result hsm_call(struct hart *hart, u64 function) {
  u64 id = hart->x[10];
  switch (function) {
    case SBI_HSM_START: return ERROR(hsm_start(id, hart->x[11], hart->x[12]));
    case SBI_HSM_STATUS: return id < board.hart_count ? OK(harts[id].state) : ERROR(SBI_ERR_INVALID_PARAM);
    default: return ERROR(SBI_ERR_NOT_SUPPORTED);
  }
}

static struct result reset_call(u64 type, u64 reason) {
  if (type == 0 && reason == 0) system_pass();
  if (type == 0) system_fail(1);
  if (type <= 2) mmio_write32(BOARD_FINISHER, 0x7777);
  return ERROR(SBI_ERR_INVALID_PARAM);
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
  hart->pc += 4;
  switch (extension) {
    case SBI_LEGACY_PUTCHAR: console_byte((char)x[10]), x[10] = 0; return;
    case SBI_LEGACY_GETCHAR: x[10] = (u64)console_read(); return;
    case SBI_BASE: result = base_call(function, x[10]); break;
    case SBI_TIME: if (function == 0) result = timer_call(x[10]); break;
    case SBI_IPI: if (function == 0) result = ipi_call(hart_mask(x[10], x[11])); break;
    case SBI_RFENCE: if (function <= 6) ipi_fence(hart, hart_mask(x[10], x[11])), result = OK(0); break;
    case SBI_HSM: result = hsm_call(hart, function); break;
    case SBI_SRST: if (function == 0) result = reset_call(x[10], x[11]); break;
    case SBI_DBCN: result = console_call(hart, function); break;
    case SBI_RECOVERY: result = recovery_call(hart, function); break;
  }
  x[10] = (u64)result.error;
  x[11] = result.value;
}
