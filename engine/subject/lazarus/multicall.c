/*
 * Multicall: several hypercalls in one. Each part commits when its result is stored; a multicall that is made again
 * goes on behind the parts that were committed (fix-up `multicall`).
 */
#include "lazarus.h"

i64 multicall(struct vcpu *vcpu, const u64 *arguments) {
  struct inflight *call = &vcpu->call;
  u64 gpa = arguments[0], count = arguments[1], done = 0;
  if (count > MULTICALL_MAX) return CALL_BAD_ARGUMENT;
  if (call->resume.pc == call->exit_pc && call->resume.gpa == gpa) done = call->resume.steps;
  ASSERT(done <= MULTICALL_MAX);
  call->first_step = call->step - done;
  for (; done < count; done++) {
    u64 at = gpa + done * sizeof(struct multicall_entry);
    struct multicall_entry entry;
    if (!guest_read(vcpu->domain, at, &entry, sizeof(entry))) return CALL_BAD_ARGUMENT;
    u64 values[6] = {entry.arguments[0], entry.arguments[1], entry.arguments[2], entry.arguments[3], entry.arguments[4]};
    i64 result = hypercall_part(vcpu, entry.call, values);
    if (!guest_write(vcpu->domain, at + offsetof(struct multicall_entry, result), &result, sizeof(result)))
      return CALL_BAD_ARGUMENT;
    call_commit_step(vcpu);
    call_step_done();
  }
  call->resume.pc = 0;
  return (i64)count;
}
