/*
 * The scheduler: a queue of vCPUs per hart, round robin, preempted by the tick. A vCPU stays on the hart that it is
 * pinned to, and its VS CSRs stay in that hart until another vCPU is loaded.
 */
#include "lazarus.h"

struct cpu cpus[BOARD_MAX_HARTS];

void sched_enqueue(struct cpu *cpu, struct vcpu *vcpu) {
  lock_acquire(&cpu->lock);
  vcpu->queue_next = NULL;
  if (cpu->queue_head == NULL)
    cpu->queue_head = vcpu;
  else
    cpu->queue_tail->queue_next = vcpu;
  cpu->queue_tail = vcpu;
  lock_release(&cpu->lock);
}

static struct vcpu *dequeue(struct cpu *cpu) {
  lock_acquire(&cpu->lock);
  struct vcpu *vcpu = cpu->queue_head;
  if (vcpu != NULL) cpu->queue_head = vcpu->queue_next;
  if (cpu->queue_head == NULL) cpu->queue_tail = NULL;
  lock_release(&cpu->lock);
  return vcpu;
}

/** Takes the first vCPU that can run; those that wait for their timer go round. */
static struct vcpu *pick(struct cpu *cpu) {
  struct vcpu *first = NULL;
  for (struct vcpu *vcpu; (vcpu = dequeue(cpu)) != NULL;) {
    if (vcpu->state == VCPU_BLOCKED && time_now() >= vcpu->wake_at) vcpu->state = VCPU_RUNNABLE;
    if (vcpu->state == VCPU_RUNNABLE) return vcpu;
    ASSERT(vcpu->state == VCPU_BLOCKED);
    sched_enqueue(cpu, vcpu);
    if (vcpu == first) return NULL;
    if (first == NULL) first = vcpu;
  }
  return NULL;
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
 * hgatp says whose VS CSRs are live, also to recovery: it names a vCPU's domain from after they are loaded until after
 * they are saved, and nobody in between. VMIDs differ, so a switch needs no fence.
 */
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
  csr_write(HGATP, vcpu->domain->hgatp);
  cpu->loaded = vcpu;
}

static struct vcpu *schedule(struct cpu *cpu) {
  struct vcpu *current = cpu->current;
  ASSERT(cpu->irq_depth == 0);
  if (current != NULL && current->state == VCPU_RUNNING && !cpu->resched) {
    switch_to(cpu, current);
    return current;
  }
  cpu->resched = 0;
  cpu->current = NULL;
  if (current != NULL && current->state == VCPU_RUNNING) current->state = VCPU_RUNNABLE;
  if (current != NULL && current->state != VCPU_DONE) sched_enqueue(cpu, current);
  struct vcpu *next = pick(cpu);
  plant_in_sched();
  switch_to(cpu, next);
  cpu->current = next;
  if (next != NULL) next->state = VCPU_RUNNING;
  return next;
}

static void idle(struct cpu *cpu) {
  if (cpu->id == boot_hart && domain_all_done()) {
    u64 failed = 0;
    for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) failed += domain->status != 0;
    system_shutdown(failed);
  }
  wait_for_interrupt(); /* with interrupts off: wakes, and nothing is taken behind our back */
  trap_poll_interrupts();
}

void sched_loop(void) {
  struct cpu *cpu = this_cpu();
  while (!may_run)
    ;
  fence();
  if (cpu->arm_timer) timer_arm(cpu);
  for (;;) {
    struct vcpu *vcpu = schedule(cpu);
    if (vcpu == NULL) {
      idle(cpu);
      continue;
    }
    vm_run(vcpu);
    trap_vm_exit(vcpu);
  }
}
