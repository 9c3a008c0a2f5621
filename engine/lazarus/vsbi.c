/*
 * The SBI that guests see (RISC-V SBI 1.0; DBCN of 2.0): enough for software that knows nothing of Lazarus. Harts are the
 * domain's vCPUs.
 */
#include "lazarus.h"

static void answer(struct vcpu *vcpu, i64 error, u64 value) {
  vcpu->call.value = value;
  vcpu->call.writes_value = 1;
  hypercall_complete(vcpu, (u64)error);
}

static i64 base(u64 function, u64 extension, u64 *value) {
  static const u32 known[] = {SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST, SBI_DBCN};
  *value = 0;
  switch (function) {
    case 0: *value = 1ul << 24; break; /* specification 1.0 */
    case 1: *value = 0x4c5a; break; /* implementation "LZ": not registered */
    case 3:
      *value = extension <= SBI_LEGACY_GETCHAR && extension >= SBI_LEGACY_PUTCHAR;
      for (u64 n = 0; n < ARRAY_LENGTH(known); n++) *value |= known[n] == extension;
      break;
    case 2: case 4: case 5: case 6: break;
    default: return SBI_ERR_NOT_SUPPORTED;
  }
  return SBI_OK;
}

/** Harts named by SBI's (mask, base); base -1 means all. */
static int names(u64 mask, u64 first, u64 index) {
  return first == ~0ul || (index >= first && index - first < 64 && (mask >> (index - first) & 1) != 0);
}

static i64 send_ipi(struct vcpu *vcpu, u64 mask, u64 first) {
  for (struct vcpu *each = vcpu->domain->vcpu; each != NULL; each = each->next) {
    if (!names(mask, first, each->index)) continue;
    if (each == vcpu)
      csr_set(HVIP, 1ul << IRQ_VSSI);
    else
      __atomic_store_n(&each->ipi, 1, __ATOMIC_RELEASE), sched_kick(each);
  }
  return SBI_OK;
}

static i64 hsm(struct vcpu *vcpu, u64 function, const u64 *arguments, u64 *value) {
  struct vcpu *target = domain_vcpu(vcpu->domain, arguments[0]);
  if (target == NULL) return SBI_ERR_INVALID_PARAM;
  if (function == SBI_HSM_STATUS) {
    *value = target->state == VCPU_DONE ? SBI_HSM_STOPPED : SBI_HSM_STARTED;
    return SBI_OK;
  }
  if (function != SBI_HSM_START) return SBI_ERR_NOT_SUPPORTED;
  i64 result = vcpu_start(vcpu, arguments);
  return result == 0 ? SBI_OK : result == CALL_BUSY ? SBI_ERR_ALREADY_AVAILABLE : SBI_ERR_INVALID_ADDRESS;
}

static i64 debug_console(struct vcpu *vcpu, u64 function, const u64 *arguments, u64 *value) {
  if (function == 2) {
    console_put(vcpu, (char)arguments[0]);
    return SBI_OK;
  }
  if (function != 0 || arguments[2] != 0) return SBI_ERR_NOT_SUPPORTED;
  u64 bytes = arguments[0] < CALL_TEXT_BYTES ? arguments[0] : CALL_TEXT_BYTES;
  if (!console_put_all(vcpu, arguments[1], bytes)) return SBI_ERR_INVALID_PARAM;
  *value = bytes;
  return SBI_OK;
}

void vsbi_call(struct vcpu *vcpu) {
  const u64 *arguments = &vcpu->x[10];
  u64 function = vcpu->x[16], value = 0;
  i64 error = SBI_ERR_NOT_SUPPORTED;
  switch (vcpu->x[17]) {
    case SBI_LEGACY_PUTCHAR:
      console_put(vcpu, (char)arguments[0]);
      hypercall_complete(vcpu, 0);
      return;
    case SBI_LEGACY_GETCHAR:
      hypercall_complete(vcpu, (u64)console_read(vcpu, arguments));
      return;
    case SBI_BASE: error = base(function, arguments[0], &value); break;
    case SBI_TIME:
      if (function != 0) break;
      csr_write(VSTIMECMP, arguments[0]);
      error = SBI_OK;
      break;
    case SBI_IPI:
      if (function == 0) error = send_ipi(vcpu, arguments[0], arguments[1]);
      break;
    case SBI_RFENCE:
      if (function > 6) break;
      gstage_fence(vcpu->domain);
      error = SBI_OK;
      break;
    case SBI_HSM: error = hsm(vcpu, function, arguments, &value); break;
    case SBI_SRST:
      domain_end(vcpu->domain, arguments[1] != 0, DOMAIN_DONE);
      error = SBI_OK;
      break;
    case SBI_DBCN: error = debug_console(vcpu, function, arguments, &value); break;
  }
  answer(vcpu, error, value);
}
