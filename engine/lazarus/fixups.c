/*
 * The consistency fix-ups, in the order in which they run. Each resolves one disagreement between preserved state and
 * the new instance, and can be left out (`enhance=`) to see what it is worth. recovery.h has their bits and names.
 */
#include "lazarus.h"

/*
 * locks: static locks are new, but a lock in the heap that a hart held when it failed or was frozen still names an owner
 * that will never release it: whoever wants it next panics (same hart) or hangs (another). All harts were stopped and
 * their stacks are gone, so nobody holds any lock, and every lock in the heap is set free.
 */
static void fixup_locks(void) {
  for (struct domain *domain = heap_next(BLOCK_DOMAIN, NULL); domain != NULL; domain = heap_next(BLOCK_DOMAIN, domain))
    lock_init(&domain->lock, "domain");
  for (struct store *each = heap_next(BLOCK_STORE, NULL); each != NULL; each = heap_next(BLOCK_STORE, each))
    lock_init(store_lock(each), "store");
}

/*
 * irq: a hart that failed in an interrupt handler leaves a nesting count that no handler will bring down (the scheduler
 * asserts that it is 0), and may have claimed an interrupt of the PLIC without completing it: its gateway stays shut and
 * the console's input is lost for good. A pending IPI asks for work that the old instance had in mind. Counts are
 * cleared, every context completes, IPIs are acknowledged (other harts' when they start: they look at everything then).
 */
static void fixup_irq(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) cpus[hart].irq_depth = 0;
  console_complete_all();
  csr_clear(SIP, 1ul << IRQ_SSI);
}

/*
 * timer: between a tick's arrival and the programming of the next, nothing is armed. A hart that fails or is frozen
 * there never ticks again: no preemption, no heartbeat. Every hart arms its tick anew when it enters the scheduler.
 * vCPU timers need nothing: vstimecmp is part of the vCPU and was preserved with it.
 */
static void fixup_timer(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) cpus[hart].arm_timer = 1;
}

/*
 * sched: which vCPU runs where is stored in the vCPU's state, in its hart's `current`, and in run queues, and a failure
 * finds them between any two of their updates. After a reboot one thing is certain: nothing runs. The domain list is
 * the source to trust; every vCPU that is not done becomes runnable and is queued once, on the hart it is pinned to.
 */
static void fixup_sched(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    cpus[hart].current = cpus[hart].queue_head = cpus[hart].queue_tail = NULL;
    cpus[hart].resched = 0;
  }
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    struct vcpu *vcpu = domain->vcpu;
    if (domain->state != DOMAIN_RUNNING) vcpu->state = VCPU_DONE;
    if (vcpu->state == VCPU_DONE) continue;
    if (vcpu->state == VCPU_RUNNING) vcpu->state = VCPU_RUNNABLE;
    sched_enqueue(&cpus[vcpu->hart], vcpu);
  }
}

/*
 * retry: a hypercall that was cut off has done some of its work and returned nothing; the VM waits behind its ecall. What
 * it did and could not do twice is undone from the log; then the vCPU re-enters the VM at the ecall, with the registers
 * of its exit, and makes the hypercall again.
 */
static void fixup_retry(void) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    struct inflight *call = &domain->vcpu->call;
    if (call->id == 0) continue;
    if (call->undo_id == call->id && heap_has_word(call->undo_word)) *call->undo_word = call->undo_value;
    call->undo_id = 0;
    call->id = 0;
  }
}

#define FIXUP_ROW(name, bit) {fixup_##name, bit},
static const struct {
  void (*run)(void);
  u32 bit;
} fixups[] = {FIXUPS(FIXUP_ROW)};

void fixups_run(u64 enhance) {
  for (u64 n = 0; n < ARRAY_LENGTH(fixups); n++) {
    if ((enhance >> fixups[n].bit & 1) == 0) continue;
    note(NOTE_FIXUP, fixups[n].bit);
    fixups[n].run();
  }
}
