/*
 * Hypercalls, made so that one that was cut off anywhere can be made again (fix-up `retry`).
 *
 * From exit to completion neither pc nor registers of the vCPU change. A hypercall completes with a single store
 * (call.completed = call.id), after all its effects; only then are result and pc applied, which may be repeated. What
 * happens before completion must therefore be repeatable: output carries the step's number in a ledger that the
 * firmware writes with it, and a change that is not idempotent logs the old value first, under a lock that is not
 * released before completion, so that nobody builds on a value that is going to be undone.
 *
 * A multicall commits after each part: the step's number grows by one store, which also voids the log.
 */
#include "unmodified.h"

u32 undo_enabled = 1;

void call_lock(struct spinlock *lock) {
  struct cpu *cpu = this_cpu();
  for (u64 n = 0; n < cpu->held_count; n++)
    if (cpu->held[n] == lock) return;
  ASSERT(cpu->held_count < ARRAY_LENGTH(cpu->held));
  lock_acquire(lock);
  cpu->held[cpu->held_count++] = lock;
}

void call_lock_domains(struct domain *a, struct domain *b) {
  if (b == NULL || b == a) {
    call_lock(&a->lock);
    return;
  }
  call_lock(a->vmid < b->vmid ? &a->lock : &b->lock);
  call_lock(a->vmid < b->vmid ? &b->lock : &a->lock);
}

static void unlock_all(void) {
  struct cpu *cpu = this_cpu();
  while (cpu->held_count > 0) lock_release(cpu->held[--cpu->held_count]);
}

void undo_log(struct vcpu *vcpu, u64 *word) {
  struct inflight *call = &vcpu->call;
  if (!undo_enabled) return;
  if (call->undo_step != call->step) {
    call->undo_count = 0;
    __atomic_store_n(&call->undo_step, call->step, __ATOMIC_RELEASE);
  }
  ASSERT(call->undo_count < UNDO_RECORDS);
  call->undo[call->undo_count].word = word;
  call->undo[call->undo_count].value = *word;
  __atomic_store_n(&call->undo_count, call->undo_count + 1, __ATOMIC_RELEASE); /* in force from here on */
}

void undo_write(struct vcpu *vcpu, u64 *word, u64 value) {
  undo_log(vcpu, word);
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

void call_commit_step(struct vcpu *vcpu) {
  __atomic_store_n(&vcpu->call.step, vcpu->call.step + 1, __ATOMIC_RELEASE); /* critical write */
}

void call_unuse_later(u64 spa) {
  struct cpu *cpu = this_cpu();
  ASSERT(cpu->given_count < MEMORY_CHUNK);
  cpu->given[cpu->given_count++] = spa;
}

void call_step_done(void) {
  struct cpu *cpu = this_cpu();
  while (cpu->given_count > 0) frame_unuse(cpu->given[--cpu->given_count]);
}

/*
 * What the two ends of a call wrote is looked at by other instructions than wrote it: all else rests on it, and what
 * goes wrong here reaches the guest without anybody's notice. Not inlined, or the compiler would know the answers.
 */
static __attribute__((noinline)) void check_begun(const struct vcpu *vcpu, u64 step) {
  const struct inflight *call = &vcpu->call;
  ASSERT(call->id == call->completed + 1 && call->exit_pc == vcpu->pc && call->step == step && call->first_step <= step);
  ASSERT(call->target == 10 && call->length == 4 && (call->writes_value | call->injects | call->again) == 0);
}
static __attribute__((noinline)) void check_applied(const struct vcpu *vcpu, u64 result) {
  const struct inflight *call = &vcpu->call;
  ASSERT(call->id == 0 && (call->injects || vcpu->pc == call->exit_pc + call->length));
  ASSERT(call->injects || call->target == 0 || vcpu->x[call->target & 31] == result);
}

void hypercall_complete(struct vcpu *vcpu, u64 result) {
  struct inflight *call = &vcpu->call;
  call->result = result;
  plant_in_hypercall();
  __atomic_store_n(&call->completed, call->id, __ATOMIC_RELEASE); /* critical write */
  hypercall_apply(vcpu);
  if (CHECKED(calls)) check_applied(vcpu, result);
}

void hypercall_apply(struct vcpu *vcpu) {
  struct inflight *call = &vcpu->call;
  if (call->injects) {
    unmodified_inject(vcpu);
  } else {
    if ((call->target & 31) != 0) vcpu->x[call->target & 31] = call->result;
    if (call->writes_value) vcpu->x[11] = call->value;
    vcpu->pc = call->exit_pc + call->length;
  }
  __atomic_store_n(&call->id, 0, __ATOMIC_RELEASE);
}

static i64 yield(struct vcpu *vcpu, const u64 *arguments) {
  (void)vcpu, (void)arguments;
  this_cpu()->resched = 1;
  return 0;
}

static i64 get_vmid(struct vcpu *vcpu, const u64 *arguments) {
  (void)arguments;
  return vcpu->domain->vmid;
}

static i64 report_progress(struct vcpu *vcpu, const u64 *arguments) {
  vcpu->domain->progress = arguments[0];
  note(NOTE_VM_PROGRESS, vcpu->domain->vmid);
  return 0;
}

static i64 shut_down(struct vcpu *vcpu, const u64 *arguments) {
  domain_end(vcpu->domain, arguments[0], DOMAIN_DONE);
  return 0;
}

i64 vcpu_start(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  call_lock_domains(domain, NULL);
  struct vcpu *started = domain_vcpu(domain, arguments[0]);
  if (started == NULL || (arguments[1] & 1) != 0) return CALL_BAD_ARGUMENT;
  u64 ticket = vcpu->call.id << 8 | vcpu->index;
  if (started->state != VCPU_DONE) return started->started_by == ticket ? 0 : CALL_BUSY;
  if (started->on_hart != 0) return CALL_BUSY; /* it has stopped, and its hart not yet let go of it */
  started->pc = arguments[1];
  started->x[10] = started->index;
  started->x[11] = arguments[2];
  started->vs = (struct vs_csrs){.vstimecmp = ~0ul};
  started->sstatus |= STATUS_SPP;
  started->ipi = 0; /* sent while it was stopped */
  started->started_by = ticket; /* it runs from here on: this call, made again, finds that it is done */
  __atomic_store_n(&started->state, VCPU_RUNNABLE, __ATOMIC_RELEASE);
  sched_enqueue(&cpus[started->hart], started);
  sched_kick(started);
  return 0;
}

static i64 shared_info(struct vcpu *vcpu, const u64 *arguments) {
  u64 spa = gstage_lookup(vcpu->domain, arguments[0], GSTAGE_WRITE);
  if (spa == 0 || (spa & (PAGE_BYTES - 1)) != 0) return CALL_BAD_ARGUMENT;
  vcpu->domain->shared = (struct shared_info *)spa;
  return 0;
}

#define PRIVVM_ONLY 1
/** May be a part of a multicall. */
#define PART 2
static const struct known_call {
  u32 call;
  u32 flags;
  call_handler *handler;
} calls[] = {
    {CALL_CONSOLE_WRITE, PART, console_write},
    {CALL_CONSOLE_READ, PART, console_read},
    {CALL_YIELD, 0, yield},
    {CALL_GET_VMID, PART, get_vmid},
    {CALL_REPORT_PROGRESS, 0, report_progress},
    {CALL_SHUTDOWN, 0, shut_down},
    {CALL_STORE_PUT, PART, store_put},
    {CALL_STORE_GET, PART, store_get},
    {CALL_STORE_ADD, PART, store_add},
    {CALL_STORE_PEEK, PART | PRIVVM_ONLY, store_peek},
    {CALL_VCPU_START, 0, vcpu_start},
    {CALL_SHARED_INFO, 0, shared_info},
    {CALL_EVENT_ALLOC, PART, event_alloc},
    {CALL_EVENT_BIND, PART, event_bind},
    {CALL_EVENT_BIND_IRQ, PRIVVM_ONLY, event_bind_irq},
    {CALL_EVENT_SEND, PART, event_send},
    {CALL_EVENT_MASK, PART, event_mask},
    {CALL_EVENT_POLL, 0, event_poll},
    {CALL_EVENT_CLOSE, PART, event_close},
    {CALL_EVENT_EOI, PART | PRIVVM_ONLY, event_eoi},
    {CALL_GRANT_SETUP, 0, grant_setup},
    {CALL_GRANT_MAP, PART, grant_map},
    {CALL_GRANT_UNMAP, PART, grant_unmap},
    {CALL_GRANT_COPY, PART, grant_copy},
    {CALL_GRANT_TRANSFER, PART, grant_transfer},
    {CALL_MEMORY_POPULATE, PART, memory_populate},
    {CALL_MEMORY_DECREASE, PART, memory_decrease},
    {CALL_MEMORY_EXCHANGE, PART, memory_exchange},
    {CALL_MEMORY_MAP_FOREIGN, PART | PRIVVM_ONLY, memory_map_foreign},
    {CALL_MEMORY_UNMAP_FOREIGN, PART | PRIVVM_ONLY, memory_unmap_foreign},
    {CALL_MEMORY_MACHINE, PART | PRIVVM_ONLY, memory_machine},
    {CALL_MULTICALL, 0, multicall},
    {CALL_DOMAIN_CREATE, PRIVVM_ONLY, control_create},
    {CALL_DOMAIN_START, PRIVVM_ONLY, control_start},
    {CALL_DOMAIN_PAUSE, PRIVVM_ONLY, control_pause},
    {CALL_DOMAIN_UNPAUSE, PRIVVM_ONLY, control_unpause},
    {CALL_DOMAIN_DESTROY, PRIVVM_ONLY, control_destroy},
    {CALL_DOMAIN_LIST, PRIVVM_ONLY, control_list},
};

/** Not inlined, so that the compiler does not know what it finds: whoever asks looks again. */
static const __attribute__((noinline)) struct known_call *find(u64 call) {
  for (const struct known_call *known = calls; known < calls + ARRAY_LENGTH(calls); known++)
    if (known->call == call) return known;
  return NULL;
}

/** A wrong handler may do what nobody asked for and answer that all is well, so what was found is compared. */
static i64 make_call(struct vcpu *vcpu, u64 call, u32 need, const u64 *arguments) {
  const struct known_call *known = find(call);
  if (known == NULL || (known->flags & need) != need) return CALL_UNKNOWN;
  CHECK(found, known->call == call);
  if ((known->flags & PRIVVM_ONLY) != 0 && !vcpu->domain->privileged) return CALL_DENIED;
  return known->handler(vcpu, arguments);
}

void hypercall_begin(struct vcpu *vcpu) {
  struct inflight *call = &vcpu->call;
  call->exit_pc = vcpu->pc;
  call->target = 10;
  call->length = 4;
  call->writes_value = call->injects = 0;
  if (call->again != call->step + 1) {
    call_commit_step(vcpu);
    call->first_step = call->step;
  }
  __atomic_store_n(&call->id, call->completed + 1, __ATOMIC_RELEASE);
  call->again = 0; /* the next call is a new step */
}

void hypercall_end(void) {
  call_step_done();
  unlock_all();
}

/** An error answer; of the store's calls, whose answers may be any number, none is. */
static int is_blame(u64 call, i64 result) {
  return result >= CALL_UNKNOWN && result <= CALL_NOT_FOUND && (call < CALL_STORE_PUT || call > CALL_STORE_PEEK);
}

void suspect(void) {
  if (CHECKED(code)) sbi(SBI_RECOVERY, SBI_RECOVERY_CHECK, 0, 0, 0, 0);
}

/** A few times a tick: a guest that makes errors on purpose must not make us look at nothing else. */
#define SUSPICIONS 4
void suspect_sometimes(void) {
  if (this_cpu()->suspected++ < SUSPICIONS) suspect();
}

/*
 * Before a guest is told that it was wrong, two things are asked: does the same question have the same answer (a
 * register that was hit once is not hit twice), and is our code whole? A second answer that differs is no proof of
 * damage, for the other side of a grant or an event may have moved in between: it is an answer like the first.
 */
static i64 ask(struct vcpu *vcpu, u64 call, u32 need, const u64 *arguments) {
  i64 result = make_call(vcpu, call, need, arguments);
  if (!is_blame(call, result)) return result;
  if (CHECKED(twice)) result = make_call(vcpu, call, need, arguments);
  if (is_blame(call, result)) suspect_sometimes();
  return result;
}

i64 hypercall_part(struct vcpu *vcpu, u64 call, const u64 *arguments) { return ask(vcpu, call, PART, arguments); }

void hypercall(struct vcpu *vcpu) {
  struct inflight *call = &vcpu->call;
  u64 step = call->step + (call->again != call->step + 1);
  hypercall_begin(vcpu);
  if (CHECKED(calls)) check_begun(vcpu, step);
  if (vcpu->x[17] - CALL(0) >= 0x100) {
    vsbi_call(vcpu);
  } else {
    i64 result = ask(vcpu, vcpu->x[17], 0, &vcpu->x[10]);
    if (result == CALL_BLOCKS)
      __atomic_store_n(&call->id, 0, __ATOMIC_RELEASE); /* pc stays: it will ask again */
    else
      hypercall_complete(vcpu, (u64)result);
  }
  hypercall_end();
}
