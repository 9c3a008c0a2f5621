/*
 * A new instance takes over from a failed one (ReHype, steps 3 to 5): re-integrates the preserved heap with domains,
 * vCPUs and G-stage tables, gives each vCPU the registers that its hart was frozen with, restores scheduler metadata as
 * they were, and lets the fix-ups make all that consistent. Relies on the descriptor, which HS-mode cannot write.
 *
 * Checks that pointers lead to heap blocks of the right type and that tables lie where they should; panics if not, which
 * the recovery block reports as a failed recovery. Does not check the contents of domains further.
 */
#include "lazarus.h"

/** A static variable's value in the failed instance. */
#define SAVED(descriptor, variable) \
  ((__typeof__(&(variable)))((descriptor)->statics + ((u64) & (variable) - (u64)statics_start)))

static void reintegrate(const struct recovery_descriptor *descriptor);
static void reintegrate_domain(struct domain *domain);
static void restore_schedule(const struct recovery_descriptor *descriptor);
static void adopt_registers(const struct frozen_hart *frozen);
static void abandon_unretried(void);

void recovery_main(u64 hart, const void *fdt, const struct recovery_descriptor *descriptor) {
  fdt_read(fdt, &board);
  boot_hart = hart;
  instance = descriptor->instance;
  hart_init(hart);
  ASSERT(descriptor->magic == DESCRIPTOR_MAGIC);
  console_init();
  lock_init(&domain_list_lock, "domain list");
  reintegrate(descriptor);
  fixups_run(descriptor->enhance);
  abandon_unretried();
  start_other_harts();
  u64 latency_us = (time_now() - descriptor->detected_at) / BOARD_TIME_PER_US;
  print("lazarus: instance %d resumes its VMs after %d us\n", instance, latency_us);
  sbi(SBI_RECOVERY, SBI_RECOVERY_DONE, 0, 0, 0, 0);
  note(NOTE_RESUMED, (latency_us + 999) / 1000);
  fence();
  may_run = 1;
  sched_loop();
}

static void reintegrate(const struct recovery_descriptor *descriptor) {
  u64 heap_start, heap_end, domains = 0;
  heap_bounds(&heap_start, &heap_end);
  heap_rebuild(heap_start, heap_end);
  store = *SAVED(descriptor, store);
  ASSERT(heap_is(BLOCK_STORE, store));
  domain_list = *SAVED(descriptor, domain_list);
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    reintegrate_domain(domain);
    domains++;
    ASSERT(domains <= BOARD_MAX_HARTS);
  }
  for (u64 hart = 0; hart < board.hart_count; hart++)
    if (descriptor->harts[hart].valid) adopt_registers(&descriptor->harts[hart]);
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    struct inflight *call = &domain->vcpu->call;
    if (call->id != 0 && call->completed == call->id) hypercall_apply(domain->vcpu); /* roll forward */
    domain->vcpu->live = 0;
  }
  restore_schedule(descriptor);
  note(NOTE_REINTEGRATED, domains);
}

static void reintegrate_domain(struct domain *domain) {
  ASSERT(heap_is(BLOCK_DOMAIN, domain));
  ASSERT(heap_is(BLOCK_VCPU, domain->vcpu));
  ASSERT(domain->vcpu->domain == domain);
  ASSERT(domain->vcpu->hart < board.hart_count);
  ASSERT(domain_tables_sane(domain));
}

/*
 * hgatp, a register of the hart itself, says whose VS CSRs it holds (sched.c). The integer registers are the hart's if
 * it was inside the VM or on its way in or out (vcpu->live, entry.S), else they were saved before the failure.
 */
static void adopt_registers(const struct frozen_hart *frozen) {
  struct domain *domain = domain_find(frozen->hgatp >> 44 & 0x3fff);
  if (frozen->hgatp == 0 || domain == NULL || domain->hgatp != frozen->hgatp) return;
  struct vcpu *vcpu = domain->vcpu;
  vcpu->vs = frozen->vs;
  if (frozen->virtual) {
    memcpy(vcpu->x, frozen->x, sizeof(vcpu->x));
    vcpu->pc = frozen->pc;
    vcpu->sstatus = frozen->privilege ? STATUS_SPP : 0;
    return;
  }
  if (vcpu->live == 0) return;
  int swapped = frozen->sscratch != (u64)vcpu;           /* vm_exit has begun: sscratch holds the guest's a0 */
  if (!swapped && frozen->x[10] == (u64)vcpu) return;    /* on the way in: memory still has everything */
  if (vcpu->live == VCPU_LIVE_ALL) memcpy(vcpu->x, frozen->x, sizeof(vcpu->x));
  vcpu->x[10] = swapped ? frozen->sscratch : frozen->x[10];
  vcpu->pc = frozen->sepc;
  vcpu->sstatus = frozen->sstatus;
}

/** Scheduler and interrupt metadata of the failed instance, as they were; locks in them are new. */
static void restore_schedule(const struct recovery_descriptor *descriptor) {
  for (u64 id = 0; id < board.hart_count; id++) {
    const struct cpu *saved = SAVED(descriptor, cpus[id]);
    struct cpu *cpu = &cpus[id];
    cpu->current = heap_is(BLOCK_VCPU, saved->current) ? saved->current : NULL;
    cpu->queue_head = heap_is(BLOCK_VCPU, saved->queue_head) ? saved->queue_head : NULL;
    cpu->queue_tail = heap_is(BLOCK_VCPU, saved->queue_tail) ? saved->queue_tail : NULL;
    cpu->irq_depth = saved->irq_depth;
    cpu->ticks = saved->ticks;
    cpu->next_tick = saved->next_tick;
    cpu->resched = saved->resched;
  }
}

/** Without the fix-up `retry`, half-done hypercalls fail: the VM goes on behind them. */
static void abandon_unretried(void) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    struct vcpu *vcpu = domain->vcpu;
    if (vcpu->call.id == 0) continue;
    vcpu->call.result = (u64)-1l;
    vcpu->call.completed = vcpu->call.id;
    hypercall_apply(vcpu);
  }
}
