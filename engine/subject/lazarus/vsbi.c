/*
 * The SBI that guests see (RISC-V SBI 2.0): enough for software that knows nothing of Lazarus. Harts are the domain's
 * vCPUs. Every call may be made again, as hypercall.c asks. Arguments are the guest's: nonsense gets an SBI error.
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
    case 0: *value = 2ul << 24; break; /* specification 2.0 */
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

/** 1 when all that (mask, base) names exist. */
static int names_exist(const struct domain *domain, u64 mask, u64 first) {
  u64 count = 0;
  for (const struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next) count++;
  if (first == ~0ul || mask == 0) return 1;
  return first < count && (count - first >= 64 || mask >> (count - first) == 0);
}

static i64 send_ipi(struct vcpu *vcpu, u64 mask, u64 first) {
  if (!names_exist(vcpu->domain, mask, first)) return SBI_ERR_INVALID_PARAM;
  for (struct vcpu *each = vcpu->domain->vcpu; each != NULL; each = each->next) {
    if (!names(mask, first, each->index)) continue;
    if (each == vcpu)
      csr_set(HVIP, 1ul << IRQ_VSSI);
    else
      __atomic_store_n(&each->ipi, 1, __ATOMIC_RELEASE), sched_kick(each);
  }
  return SBI_OK;
}

/**
 * fence.i, or sfence.vma of the guest, on the harts that the vCPUs belong to, whether they run there now or not:
 * translations are the VMID's and outlive a switch. Made again, it fences twice.
 */
static i64 remote_fence(struct vcpu *vcpu, u64 function, u64 mask, u64 first) {
  if (function > SBI_RFENCE_SFENCE_VMA_ASID) return SBI_ERR_NOT_SUPPORTED; /* nested ones */
  if (!names_exist(vcpu->domain, mask, first)) return SBI_ERR_INVALID_PARAM;
  u64 harts = 0, own = 1ul << this_cpu()->id;
  for (const struct vcpu *each = vcpu->domain->vcpu; each != NULL; each = each->next)
    if (names(mask, first, each->index)) harts |= 1ul << each->hart;
  if ((harts & own) != 0) {
    fence_i();
    hfence_vvma(); /* of the VMID in hgatp: this guest's */
  }
  if ((harts & ~own) == 0) return SBI_OK;
  u64 ours = function == SBI_RFENCE_FENCE_I ? SBI_RFENCE_FENCE_I : SBI_RFENCE_HFENCE_VVMA;
  return sbi(SBI_RFENCE, ours, harts & ~own, 0, 0, ~0ul).error;
}

static i64 hsm(struct vcpu *vcpu, u64 function, const u64 *arguments, u64 *value) {
  const struct vcpu *target = domain_vcpu(vcpu->domain, arguments[0]);
  if (function > SBI_HSM_STATUS) return SBI_ERR_NOT_SUPPORTED;
  if (target == NULL) return SBI_ERR_INVALID_PARAM;
  if (function == SBI_HSM_STATUS) {
    int stopped = target->state == VCPU_DONE;
    *value = !stopped ? SBI_HSM_STARTED : target->on_hart == 0 ? SBI_HSM_STOPPED : SBI_HSM_STOP_PENDING;
    return SBI_OK;
  }
  i64 result = vcpu_start(vcpu, arguments);
  return result == 0 ? SBI_OK : result == CALL_BUSY ? SBI_ERR_ALREADY_AVAILABLE : SBI_ERR_INVALID_ADDRESS;
}

/** Stops the vCPU that asks. It does not return: there is nothing to complete. */
static void hsm_stop(struct vcpu *vcpu) {
  vcpu->state = VCPU_DONE;
  this_cpu()->resched = 1;
  __atomic_store_n(&vcpu->call.id, 0, __ATOMIC_RELEASE);
}

static i64 reset(struct vcpu *vcpu, u64 type, u64 reason) {
  if (type > 2 || reason > 1) return SBI_ERR_INVALID_PARAM;
  domain_end(vcpu->domain, reason, DOMAIN_DONE);
  return SBI_OK;
}

/** What was typed, into guest memory. A byte that could not be written there is not taken. */
static i64 debug_read(struct vcpu *vcpu, u64 gpa, u64 bytes, u64 *value) {
  struct domain *domain = vcpu->domain;
  call_lock_domains(domain, NULL);
  u64 waiting = domain->input_head - domain->input_tail, count = bytes < waiting ? bytes : waiting;
  ASSERT(waiting <= INPUT_BYTES);
  for (u64 at = 0; at < count; at++)
    if (!guest_write(domain, gpa + at, &domain->input[(domain->input_tail + at) % INPUT_BYTES], 1))
      return SBI_ERR_INVALID_PARAM;
  if (count > 0) undo_write(vcpu, &domain->input_tail, domain->input_tail + count);
  *value = count;
  return SBI_OK;
}

static i64 debug_console(struct vcpu *vcpu, u64 function, const u64 *arguments, u64 *value) {
  if (function == 2) {
    console_put(vcpu, (char)arguments[0]);
    return SBI_OK;
  }
  if (function > 2) return SBI_ERR_NOT_SUPPORTED;
  if (arguments[2] != 0) return SBI_ERR_INVALID_PARAM;
  if (function == 1) return debug_read(vcpu, arguments[1], arguments[0], value);
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
    case SBI_RFENCE: error = remote_fence(vcpu, function, arguments[0], arguments[1]); break;
    case SBI_HSM:
      if (function == SBI_HSM_STOP) {
        hsm_stop(vcpu);
        return;
      }
      error = hsm(vcpu, function, arguments, &value);
      break;
    case SBI_SRST:
      if (function == 0) error = reset(vcpu, arguments[0], arguments[1]);
      break;
    case SBI_DBCN: error = debug_console(vcpu, function, arguments, &value); break;
  }
  answer(vcpu, error, value);
}
