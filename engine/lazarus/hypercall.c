/*
 * Hypercalls, made so that one that was cut off anywhere can be made again (fix-up `retry`).
 *
 * From exit to completion neither pc nor registers of the vCPU change. A hypercall completes with a single store
 * (call.completed = call.id), after all its effects; only then are result and pc applied, which may be repeated. What
 * happens before completion must therefore be repeatable: output carries the hypercall's id in a ledger that the
 * firmware writes with it, and a change that is not idempotent logs the old value first, under a lock that is not
 * released before completion, so that nobody builds on a value that is going to be undone.
 */
#include "lazarus.h"

void hypercall_complete(struct vcpu *vcpu, u64 result) {
  struct inflight *call = &vcpu->call;
  call->result = result;
  plant_in_hypercall();
  __atomic_store_n(&call->completed, call->id, __ATOMIC_RELEASE); /* critical write */
  hypercall_apply(vcpu);
}

void hypercall_apply(struct vcpu *vcpu) {
  struct inflight *call = &vcpu->call;
  vcpu->x[10] = call->result;
  vcpu->pc = call->exit_pc + 4;
  __atomic_store_n(&call->id, 0, __ATOMIC_RELEASE);
}

void hypercall_undo_log(struct vcpu *vcpu, u64 *word) {
  struct inflight *call = &vcpu->call;
  call->undo_word = word;
  call->undo_value = *word;
  __atomic_store_n(&call->undo_id, call->id, __ATOMIC_RELEASE); /* in force from here on */
}

static void shut_down(struct vcpu *vcpu, u64 status) {
  struct domain *domain = vcpu->domain;
  lock_acquire(&domain->lock);
  domain->status = status;
  note(NOTE_VM_DONE, domain->vmid);
  hypercall_complete(vcpu, 0);
  domain->state = DOMAIN_DONE; /* first: the vCPU's state follows from it (fix-up sched) */
  vcpu->state = VCPU_DONE;
  lock_release(&domain->lock);
  sbi(SBI_IPI, 0, 1ul << boot_hart, 0, 0, 0); /* it may be the last one, and the boot hart asleep */
}

void hypercall(struct vcpu *vcpu) {
  struct inflight *call = &vcpu->call;
  u64 *x = vcpu->x;
  call->exit_pc = vcpu->pc;
  __atomic_store_n(&call->id, call->completed + 1, __ATOMIC_RELEASE);
  switch (x[17]) {
    case CALL_CONSOLE_WRITE: console_write(vcpu, x[10], x[11]); break;
    case CALL_CONSOLE_READ: console_read(vcpu); break;
    case CALL_YIELD:
      hypercall_complete(vcpu, 0);
      this_cpu()->resched = 1;
      break;
    case CALL_GET_VMID: hypercall_complete(vcpu, vcpu->domain->vmid); break;
    case CALL_REPORT_PROGRESS:
      vcpu->domain->progress = x[10];
      note(NOTE_VM_PROGRESS, vcpu->domain->vmid);
      hypercall_complete(vcpu, 0);
      break;
    case CALL_SHUTDOWN: shut_down(vcpu, x[10]); break;
    case CALL_STORE_PUT: store_put(vcpu, x[10], x[11]); break;
    case CALL_STORE_GET: store_get(vcpu, x[10]); break;
    case CALL_STORE_ADD: store_add(vcpu, x[10], x[11]); break;
    default: hypercall_complete(vcpu, (u64)CALL_UNKNOWN);
  }
}
