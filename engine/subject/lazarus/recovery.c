/*
 * Recovery, as the hypervisor sees it: entered by the recovery block on one hart, with all others frozen. ReHype comes
 * here in a fresh instance (static data new, those of the failed one saved beside), NiLiHype in the same one (only the
 * stacks are gone). Either way: take over heap, frames, domains; give each vCPU the registers that its hart was frozen
 * with; let the fix-ups make all that consistent; start the other harts.
 *
 * Checks that pointers lead to heap blocks of the right type and that tables lie where they should; panics if not,
 * which the recovery block reports as a failed recovery. Does not check the contents of domains further.
 */
#include "lazarus.h"

/** A static variable's value in the failed instance. */
#define SAVED(descriptor, variable) \
  ((__typeof__(&(variable)))((descriptor)->statics + ((u64) & (variable) - (u64)statics_start)))

u32 secondary_csrs = 1;

static void restore_statics(const struct recovery_descriptor *descriptor);
static u64 check_domains(void);
static void adopt_registers(const struct recovery_descriptor *descriptor, u64 hart);
static void roll_forward(void);
static void abandon_unretried(void);

void recovery_main(u64 hart, const void *fdt, const struct recovery_descriptor *descriptor) {
  ASSERT(descriptor->magic == DESCRIPTOR_MAGIC);
  int rehype = descriptor->mechanism == RECOVERY_REHYPE;
  may_run = 0;
  boot_hart = hart;
  instance = descriptor->instance;
  secondary_csrs = rehype || ENHANCED(descriptor->enhance, csrs);
  hart_init(hart, secondary_csrs);
  if (rehype) {
    fdt_read(fdt, &board);
    restore_statics(descriptor);
  }
  if (ENHANCED(descriptor->enhance, lists)) fixup_lists();
  u64 domains = check_domains();
  for (u64 id = 0; id < board.hart_count; id++)
    if (descriptor->harts[id].valid) adopt_registers(descriptor, id);
  for (u64 id = 0; id < board.hart_count; id++) {
    cpus[id].loaded = NULL;
    cpus[id].window_start = cpus[id].interrupts = cpus[id].starved = 0;
  }
  csr_write(HGATP, 0);
  csr_write(VSIE, 0);
  roll_forward();
  note(NOTE_REINTEGRATED, domains);
  if (rehype) {
    irq_init();
    console_init();
  }
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

/** Scheduler and timer metadata of the failed instance, as they were; locks and nesting counts are new. */
static void restore_cpu(const struct cpu *saved, struct cpu *cpu) {
  cpu->current = heap_is(BLOCK_VCPU, saved->current) ? saved->current : NULL;
  cpu->loaded = heap_is(BLOCK_VCPU, saved->loaded) ? saved->loaded : NULL;
  cpu->queue_head = heap_is(BLOCK_VCPU, saved->queue_head) ? saved->queue_head : NULL;
  cpu->queue_tail = heap_is(BLOCK_VCPU, saved->queue_tail) ? saved->queue_tail : NULL;
  cpu->ticks = saved->ticks;
  cpu->resched = saved->resched;
  memcpy(cpu->timers, saved->timers, sizeof(cpu->timers));
  lock_init(&cpu->lock, "queue");
}

/** ReHype, step 4: what of the failed instance's static data goes on. */
static void restore_statics(const struct recovery_descriptor *descriptor) {
  u64 start, end;
  frame_bounds(&start, &end);
  frames_attach(start, end);
  frames_restore(descriptor->statics - (u64)statics_start);
  heap_bounds(&start, &end);
  if (ENHANCED(descriptor->enhance, lists)) heap_repair(start, end);
  heap_rebuild(start, end);
  undo_enabled = *SAVED(descriptor, undo_enabled);
  store = ENHANCED(descriptor->enhance, lists) ? heap_next(BLOCK_STORE, NULL) : *SAVED(descriptor, store);
  ASSERT(heap_is(BLOCK_STORE, store));
  domain_list = *SAVED(descriptor, domain_list);
  for (u64 id = 0; id < board.hart_count; id++) restore_cpu(SAVED(descriptor, cpus[id]), &cpus[id]);
}

static u64 check_domains(void) {
  u64 domains = 0;
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    ASSERT(heap_is(BLOCK_DOMAIN, domain));
    ASSERT(domain_tables_sane(domain));
    u64 vcpus = 0;
    for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next) {
      ASSERT(heap_is(BLOCK_VCPU, vcpu) && vcpu->domain == domain && vcpu->hart < board.hart_count && ++vcpus <= 8);
    }
    ASSERT(++domains <= 64);
  }
  return domains;
}

/**
 * The vCPU whose VS CSRs the hart holds. hgatp, a register of the hart itself, names the domain; cpu->loaded says which
 * vCPU, and if it cannot be right, the domain's vCPU of that hart.
 */
static struct vcpu *loaded_vcpu(u64 hart, u64 hgatp) {
  struct domain *domain = domain_find(hgatp >> 44 & 0x3fff);
  if (hgatp == 0 || domain == NULL || domain->hgatp != hgatp) return NULL;
  struct vcpu *loaded = cpus[hart].loaded;
  if (loaded != NULL && heap_is(BLOCK_VCPU, loaded) && loaded->domain == domain) return loaded;
  for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next)
    if (vcpu->hart == hart) return vcpu;
  return NULL;
}

/*
 * The integer registers are the hart's if it was inside the VM or on its way in or out (vcpu->live, entry.S), else they
 * were saved before the failure.
 */
static void adopt_registers(const struct recovery_descriptor *descriptor, u64 hart) {
  const struct frozen_hart *frozen = &descriptor->harts[hart];
  struct vcpu *vcpu = loaded_vcpu(hart, frozen->hgatp);
  if (vcpu == NULL) return;
  vcpu->vs = frozen->vs;
  if (frozen->virtual) {
    memcpy(vcpu->x, frozen->x, sizeof(vcpu->x));
    vcpu->pc = frozen->pc;
    vcpu->sstatus = (vcpu->sstatus & ~STATUS_SPP) | (frozen->privilege ? STATUS_SPP : 0);
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

/** Hypercalls that had completed, but were not yet applied to the registers. */
static void roll_forward(void) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next) {
      if (vcpu->call.id != 0 && vcpu->call.completed == vcpu->call.id) hypercall_apply(vcpu);
      vcpu->live = 0;
    }
}

/** Without the fix-up `retry`, half-done hypercalls fail: the VM goes on behind them. */
static void abandon_unretried(void) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next) {
      if (vcpu->call.id == 0) continue;
      vcpu->call.result = (u64)-1l;
      vcpu->call.injects = 0;
      vcpu->call.completed = vcpu->call.id;
      hypercall_apply(vcpu);
    }
}
