/*
 * The scheduler: a queue of vCPUs per hart, round robin, preempted by the tick. VS CSRs stay in a hart until another
 * vCPU is loaded there. A vCPU that waits stays in its queue and is asked whether it can go on whenever the hart looks:
 * no wake-up is ever lost, at worst it is late by a tick. An idle hart takes a vCPU that is not pinned from another's
 * queue.
 */
#include "lazarus.h"

struct cpu cpus[BOARD_MAX_HARTS];

static void append(struct cpu *cpu, struct vcpu *vcpu) {
  vcpu->queue_next = NULL;
  if (cpu->queue_head == NULL)
    cpu->queue_head = vcpu;
  else
    cpu->queue_tail->queue_next = vcpu;
  cpu->queue_tail = vcpu;
}

void sched_enqueue(struct cpu *cpu, struct vcpu *vcpu) {
  lock_acquire(&cpu->lock);
  append(cpu, vcpu);
  lock_release(&cpu->lock);
}

/** Takes the vCPU behind `before` (NULL: the first) out of the queue. */
static void unlink(struct cpu *cpu, struct vcpu *before, struct vcpu *vcpu) {
  if (before == NULL)
    cpu->queue_head = vcpu->queue_next;
  else
    before->queue_next = vcpu->queue_next;
  if (cpu->queue_tail == vcpu) cpu->queue_tail = before;
}

void sched_remove(struct vcpu *vcpu) {
  struct cpu *cpu = &cpus[vcpu->hart];
  lock_acquire(&cpu->lock);
  struct vcpu *before = NULL;
  for (struct vcpu *at = cpu->queue_head; at != NULL; before = at, at = at->queue_next)
    if (at == vcpu) {
      unlink(cpu, before, vcpu);
      break;
    }
  lock_release(&cpu->lock);
}

void sched_kick(const struct vcpu *vcpu) {
  ASSERT(vcpu->hart < board.hart_count);
  if (vcpu->hart == this_cpu()->id)
    this_cpu()->resched = 1;
  else
    sbi(SBI_IPI, 0, 1ul << vcpu->hart, 0, 0, 0);
}

static int may_wake(const struct vcpu *vcpu) {
  if (time_now() >= vcpu->wake_at) return 1;
  if (vcpu->wake_ports != 0)
    return vcpu->domain->shared != NULL && (vcpu->domain->shared->pending & vcpu->wake_ports) != 0;
  return vcpu->ipi != 0 || (vcpu->vs.hvip & 1ul << IRQ_VSSI) != 0 || (vcpu->index == 0 && event_raised(vcpu->domain) != 0);
}

static int may_run_now(struct vcpu *vcpu) {
  if (vcpu->domain->state != DOMAIN_RUNNING) return 0;
  if (vcpu->state == VCPU_BLOCKED && may_wake(vcpu)) vcpu->state = VCPU_RUNNABLE;
  return vcpu->state == VCPU_RUNNABLE;
}

int sched_is_off(const struct vcpu *vcpu) {
  for (;;) {
    struct cpu *cpu = &cpus[vcpu->hart];
    lock_acquire(&cpu->lock); /* whoever chooses it holds this: it is on a hart then, or will not be */
    int settled = vcpu->hart == cpu->id, off = vcpu->on_hart == 0;
    lock_release(&cpu->lock);
    if (settled) return off;
  }
}

/** Takes the first vCPU of a hart's queue that can run, for `taker`: another hart gets only one that may move. */
static struct vcpu *pick(struct cpu *cpu, const struct cpu *taker) {
  lock_acquire(&cpu->lock);
  struct vcpu *before = NULL, *vcpu = cpu->queue_head;
  for (; vcpu != NULL; before = vcpu, vcpu = vcpu->queue_next) {
    ASSERT(vcpu->domain->magic == DOMAIN_MAGIC && vcpu->state != VCPU_RUNNING);
    if (cpu != taker && (vcpu->pinned || vcpu->on_hart != 0)) continue;
    if (may_run_now(vcpu)) break;
  }
  if (vcpu != NULL) {
    unlink(cpu, before, vcpu);
    vcpu->hart = (u32)taker->id;
    vcpu->on_hart = taker->id + 1;
  }
  lock_release(&cpu->lock);
  return vcpu;
}

static struct vcpu *steal(struct cpu *cpu) {
  for (u64 id = 0; id < board.hart_count; id++) {
    if (id == cpu->id || cpus[id].queue_head == NULL) continue;
    struct vcpu *vcpu = pick(&cpus[id], cpu);
    if (vcpu != NULL) return vcpu;
  }
  return NULL;
}

int sched_work_waits(struct cpu *cpu) {
  int waits = 0;
  u64 long_ago = time_now() - 1000 * BOARD_TIME_PER_US;
  lock_acquire(&cpu->lock);
  for (struct vcpu *vcpu = cpu->queue_head; vcpu != NULL; vcpu = vcpu->queue_next)
    waits |= vcpu->domain->state == DOMAIN_RUNNING &&
             (vcpu->state == VCPU_RUNNABLE || (vcpu->state == VCPU_BLOCKED && vcpu->wake_at < long_ago));
  lock_release(&cpu->lock);
  return waits;
}

static void save_vs(struct vcpu *vcpu) {
  vcpu->vs = (struct vs_csrs){
      .vsstatus = csr_read(VSSTATUS), .vsie = csr_read(VSIE), .vstvec = csr_read(VSTVEC),
      .vsscratch = csr_read(VSSCRATCH), .vsepc = csr_read(VSEPC), .vscause = csr_read(VSCAUSE),
      .vstval = csr_read(VSTVAL), .vsatp = csr_read(VSATP), .vstimecmp = csr_read(VSTIMECMP),
      .hvip = csr_read(HVIP)};
}

static void load_vs(const struct vs_csrs *vs) {
  csr_write(VSSTATUS, vs->vsstatus);
  csr_write(VSIE, vs->vsie);
  csr_write(VSTVEC, vs->vstvec);
  csr_write(VSSCRATCH, vs->vsscratch);
  csr_write(VSEPC, vs->vsepc);
  csr_write(VSCAUSE, vs->vscause);
  csr_write(VSTVAL, vs->vstval);
  csr_write(VSATP, vs->vsatp);
  csr_write(VSTIMECMP, vs->vstimecmp);
  csr_write(HVIP, vs->hvip);
}

/*
 * hgatp says whether VS CSRs are live, also to recovery: it names a domain from after they are loaded until after they
 * are saved, and nobody in between; `loaded`, written before, says which vCPU of it.
 */
static void forget_old_translations(const struct cpu *cpu, struct vcpu *vcpu);
static void switch_to(struct cpu *cpu, struct vcpu *vcpu) {
  if (cpu->loaded == vcpu) return;
  if (cpu->loaded != NULL) {
    save_vs(cpu->loaded);
    csr_write(HGATP, 0);
    cpu->loaded = NULL;
    csr_write(VSIE, 0); /* a timer that nobody waits for must not end wfi */
  }
  if (vcpu == NULL) return;
  load_vs(&vcpu->vs);
  cpu->loaded = vcpu;
  csr_write(HGATP, vcpu->domain->hgatp);
  forget_old_translations(cpu, vcpu);
}

/*
 * VMIDs differ, so that a switch between domains needs no fence. But a hart that a domain was not loaded on missed its
 * G-stage fences (gstage_fence); one that a vCPU was away from missed what that vCPU fenced elsewhere; and vCPUs of one
 * domain share a VMID, while each may use the same ASID for other tables.
 */
static void forget_old_translations(const struct cpu *cpu, struct vcpu *vcpu) {
  struct domain *domain = vcpu->domain;
  fence(); /* loaded first: whoever fences from here on asks this hart */
  if (domain->fences_seen[cpu->id] != domain->fences) {
    domain->fences_seen[cpu->id] = domain->fences;
    hfence_gvma();
  }
  if (vcpu->last_hart == cpu->id + 1 && domain->last_vcpu[cpu->id] == vcpu->index) return;
  vcpu->last_hart = cpu->id + 1;
  domain->last_vcpu[cpu->id] = vcpu->index;
  hfence_vvma();
  fence_i();
}

static struct vcpu *schedule(struct cpu *cpu) {
  struct vcpu *current = cpu->current;
  ASSERT(cpu->irq_depth == 0 && cpu->held_count == 0);
  if (current != NULL && current->state == VCPU_RUNNING && !cpu->resched && current->domain->state == DOMAIN_RUNNING) {
    switch_to(cpu, current);
    return current;
  }
  cpu->resched = 0;
  if (current != NULL) {
    ASSERT(current->on_hart == cpu->id + 1);
    switch_to(cpu, NULL); /* what it waits for is seen in vcpu->vs */
    cpu->current = NULL;
    if (current->state == VCPU_RUNNING) current->state = VCPU_RUNNABLE;
    if (current->state != VCPU_DONE) sched_enqueue(cpu, current);
    current->on_hart = 0; /* last: until then nobody takes it, or takes it apart */
  }
  struct vcpu *next = pick(cpu, cpu);
  if (next == NULL) next = steal(cpu);
  plant_in_sched();
  switch_to(cpu, next);
  cpu->current = next;
  if (next == NULL) return NULL;
  ASSERT(next->on_hart == cpu->id + 1);
  next->state = VCPU_RUNNING;
  return next;
}

/** When the first of the vCPUs that wait here has waited long enough. */
static u64 first_deadline(struct cpu *cpu) {
  u64 deadline = ~0ul;
  lock_acquire(&cpu->lock);
  for (struct vcpu *vcpu = cpu->queue_head; vcpu != NULL; vcpu = vcpu->queue_next)
    if (vcpu->state == VCPU_BLOCKED && vcpu->wake_at < deadline) deadline = vcpu->wake_at;
  lock_release(&cpu->lock);
  return deadline;
}

static void idle(struct cpu *cpu) {
  if (cpu->id == boot_hart && domain_all_done()) {
    u64 failed = domain_list == NULL; /* a recovery that came before there was any */
    for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) failed += domain->status != 0;
    system_shutdown(failed);
  }
  timer_set(cpu, TIMER_WAKE, first_deadline(cpu));
  wait_for_interrupt(); /* with interrupts off: wakes, and nothing is taken behind our back */
  trap_poll_interrupts();
}

static inline u64 stack_pointer(void) {
  u64 sp;
  __asm__ volatile("mv %0, sp" : "=r"(sp));
  return sp;
}

void sched_loop(void) {
  struct cpu *cpu = this_cpu();
  while (!may_run)
    ;
  fence();
  u64 stack = stack_pointer();
  if (cpu->arm_timer) {
    cpu->arm_timer = 0;
    timer_program(cpu);
  }
  for (;;) {
    struct vcpu *vcpu = schedule(cpu);
    if (vcpu == NULL) {
      idle(cpu);
      continue;
    }
    event_update(vcpu);
    vm_run(vcpu);
    trap_vm_exit(vcpu);
    /* The registers that everything else stands on, and that a guest's state went past. */
    CHECK(exits, stack_pointer() == stack && this_cpu() == cpu && cpu->id < board.hart_count);
  }
}
