/*
 * The consistency fix-ups (the papers' enhancements), in the order in which they run. Each resolves one disagreement
 * between preserved state and the hypervisor that goes on with it, and can be left out (`enhance=`) to see what it is
 * worth. engine/subject/fixups.ts has their bits and names; `stop`, `stacks` and `text` are the recovery block's
 * (firmware), `csrs` and `lists` run in recovery.c before the others.
 */
#include "lazarus.h"

#define EACH_VCPU(domain, vcpu)                                                               \
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) \
    for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next)

/*
 * lists: the domain list and each domain's list of vCPUs are chains of pointers, and one bad link loses every VM behind
 * it, or the hypervisor with it. The heap's blocks say without any chain which domains, vCPUs and table roots there
 * are, and whose: headers are put right, the lists are made from them, and so are the words that say the same once more
 * (VMID, hgatp, the vCPU's domain). What a half-done creation left behind is not DOMAIN_MAGIC, and in no list.
 */
#define VMID_END 0x4000ul
static void relink(struct domain *domain, u64 vmid) {
  domain->vmid = (u32)vmid;
  for (void *root = heap_next(BLOCK_GSTAGE, NULL); root != NULL; root = heap_next(BLOCK_GSTAGE, root))
    if (heap_owner(root) == vmid) domain->hgatp = gstage_hgatp((u32)vmid, root);
  struct vcpu **link = &domain->vcpu;
  for (u64 index = 0; index < BOARD_MAX_HARTS; index++)
    for (struct vcpu *vcpu = heap_next(BLOCK_VCPU, NULL); vcpu != NULL; vcpu = heap_next(BLOCK_VCPU, vcpu)) {
      if (heap_owner(vcpu) != vmid || vcpu->index != index) continue;
      vcpu->domain = domain;
      if (vcpu->hart >= board.hart_count) vcpu->hart = (u32)(vmid % board.hart_count);
      *link = vcpu;
      link = &vcpu->next;
    }
  *link = NULL;
}

void fixup_lists(void) {
  u64 start, end;
  struct domain **link = &domain_list;
  heap_bounds(&start, &end);
  heap_repair(start, end);
  heap_rebuild(start, end);
  store = heap_next(BLOCK_STORE, NULL);
  for (u64 vmid = 1, next; vmid < VMID_END; vmid = next) {
    next = VMID_END;
    for (struct domain *domain = heap_next(BLOCK_DOMAIN, NULL); domain != NULL; domain = heap_next(BLOCK_DOMAIN, domain)) {
      u64 owner = heap_owner(domain);
      if (domain->magic != DOMAIN_MAGIC) continue;
      if (owner > vmid && owner < next) next = owner;
      if (owner != vmid) continue;
      relink(domain, vmid);
      *link = domain;
      link = &domain->next;
    }
  }
  *link = NULL;
}

/*
 * statics: after a microreset static data are as the failure left them, locks included, and their owners are gone. They
 * are listed by the linker (and the queues' lie in the array of harts), so that all can be set free. After a reboot
 * they are new.
 */
static void fixup_statics(void) {
  for (struct spinlock *const *lock = static_locks; lock < static_locks_end; lock++) (*lock)->owner = 0;
  for (u64 hart = 0; hart < board.hart_count; hart++) cpus[hart].lock.owner = 0;
}

/*
 * locks: a lock in the heap that a hart held when it failed or was frozen still names an owner that will never release
 * it: whoever wants it next panics (same hart) or hangs (another). All harts were stopped and their stacks are gone, so
 * nobody holds any lock, and every lock in the heap is set free.
 */
static void fixup_locks(void) {
  for (struct domain *domain = heap_next(BLOCK_DOMAIN, NULL); domain != NULL; domain = heap_next(BLOCK_DOMAIN, domain))
    lock_init(&domain->lock, "domain");
  for (struct store *each = heap_next(BLOCK_STORE, NULL); each != NULL; each = heap_next(BLOCK_STORE, each))
    lock_init(store_lock(each), "store");
}

/*
 * nesting: a hart that failed in an interrupt handler leaves a nesting count that no handler will bring down, and the
 * scheduler insists that it is 0. Handlers live on the stacks that were dropped: nobody is inside one.
 */
static void fixup_nesting(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) cpus[hart].irq_depth = 0;
}

/*
 * irq: an interrupt of the PLIC that was claimed and not completed keeps its gateway shut, and its device silent for
 * good. A pending IPI asks for work that the failed hypervisor had in mind. Every context completes what it may have
 * claimed, IPIs are acknowledged (other harts' when they start), and every hart looks at the state of the world.
 */
static void fixup_irq(void) {
  irq_init();
  irq_complete_lost();
  csr_clear(SIP, 1ul << IRQ_SSI);
  for (u64 hart = 0; hart < board.hart_count; hart++) cpus[hart].resched = 1;
}

/*
 * frames: use counts, types and the free list of the frame table are changed in several steps, none of them logged.
 * What the G-stage tables of all domains map is the truth; the table is made from them, and what nobody maps is free.
 * Its length grows with RAM: it is the longest step of a microreset, as in the paper.
 */
static void fixup_frames(void) { note(NOTE_FRAMES_FREED, frames_check()); }

/*
 * recurring: a recurring timer is off its hart's queue while its handler runs; one that was running when the hart was
 * stopped never comes again. All are put back.
 */
static void fixup_recurring(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) timer_start(&cpus[hart]);
}

/*
 * timer: between a timer's arrival and the programming of the next deadline, the hart's comparator is silent. A hart
 * that fails or is frozen there never ticks again: no preemption, no heartbeat. Every hart programs its comparator when
 * it enters the scheduler. vCPU timers need nothing: vstimecmp is part of the vCPU and was preserved with it.
 */
static void fixup_timer(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) cpus[hart].arm_timer = 1;
}

/*
 * undo: a hypercall that was cut off may have changed words in a way that must not happen twice (a count, an entry of a
 * table, a port). Their old values are in its log, newest last; they are put back in reverse order.
 */
static void fixup_undo(void) {
  EACH_VCPU(domain, vcpu) {
    struct inflight *call = &vcpu->call;
    if (call->id == 0 || call->undo_step != call->step || call->undo_count > UNDO_RECORDS) continue;
    while (call->undo_count > 0) {
      u64 *word = call->undo[call->undo_count - 1].word;
      if (heap_has_word(word) || frame_has_word(word)) *word = call->undo[call->undo_count - 1].value;
      call->undo_count--;
    }
  }
}

/*
 * multicall: a batch that was cut off is made again as a whole; what of it had been done is known from the steps that
 * it had committed, and is not done twice.
 */
static void fixup_multicall(void) {
  EACH_VCPU(domain, vcpu) {
    struct inflight *call = &vcpu->call;
    if (call->id == 0 || vcpu->x[17] != CALL_MULTICALL) continue;
    call->resume.gpa = vcpu->x[10];
    call->resume.steps = call->step - call->first_step;
    call->resume.pc = call->exit_pc;
  }
}

/*
 * retry: a hypercall that was cut off has returned nothing; the VM waits behind its ecall. The vCPU re-enters the VM at
 * the ecall, with the registers of its exit, and makes the hypercall again: as the same step, so that what the ledger
 * says was output is not output twice.
 */
static void fixup_retry(void) {
  EACH_VCPU(domain, vcpu) {
    if (vcpu->call.id == 0) continue;
    vcpu->call.again = vcpu->call.step + 1;
    __atomic_store_n(&vcpu->call.id, 0, __ATOMIC_RELEASE);
  }
}

/*
 * sched: which vCPU runs where is stored in the vCPU's state and hart, in its hart's `current`, and in run queues, and
 * a failure finds them between any two of their updates. One thing is certain: nothing runs. The domain list is the
 * source to trust; every vCPU that is not done becomes runnable and is queued once, on the hart that it belongs to. One
 * that had begun to wait finds out again whether it has to.
 */
static void fixup_sched(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    cpus[hart].current = cpus[hart].queue_head = cpus[hart].queue_tail = NULL;
    cpus[hart].resched = 0;
  }
  EACH_VCPU(domain, vcpu) {
    vcpu->on_hart = 0;
    vcpu->queue_next = NULL;
    if (domain->state != DOMAIN_RUNNING && domain->state != DOMAIN_PAUSED) vcpu->state = VCPU_DONE;
    if (vcpu->state == VCPU_DONE) continue;
    if (vcpu->state == VCPU_RUNNING) vcpu->state = VCPU_RUNNABLE;
    sched_enqueue(&cpus[vcpu->hart], vcpu);
  }
}

/**
 * Order matters: locks first, for the others take them; undo before retry forgets, and before sched sees what it
 * restored.
 */
static const struct {
  void (*run)(void);
  u32 bit;
} fixups[] = {
    {fixup_statics, FIXUP_statics},     {fixup_locks, FIXUP_locks},         {fixup_nesting, FIXUP_nesting},
    {fixup_undo, FIXUP_undo},           {fixup_frames, FIXUP_frames},       {fixup_irq, FIXUP_irq},
    {fixup_recurring, FIXUP_recurring}, {fixup_timer, FIXUP_timer},         {fixup_multicall, FIXUP_multicall},
    {fixup_retry, FIXUP_retry},         {fixup_sched, FIXUP_sched},
};

void fixups_run(u64 enhance) {
  for (u64 n = 0; n < ARRAY_LENGTH(fixups); n++) {
    if ((enhance >> fixups[n].bit & 1) == 0) continue;
    fixups[n].run();
    note(NOTE_FIXUP, fixups[n].bit);
  }
}
