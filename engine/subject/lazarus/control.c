/*
 * Domain control, for the PrivVM's toolstack: create, start, pause, destroy, list.
 */
#include "lazarus.h"

#define MAX_DOMAINS 16

i64 control_create(struct vcpu *vcpu, const u64 *arguments) {
  struct domain_spec spec;
  struct domain *privvm = vcpu->domain;
  if (!guest_read(privvm, arguments[0], &spec, sizeof(spec))) return CALL_BAD_ARGUMENT;
  if (spec.vcpus < 1 || spec.vcpus > DOMAIN_VCPUS || spec.name[sizeof(spec.name) - 1] != 0 ||
      (spec.flags & ~(u64)DOMAIN_UNPINNED) != 0)
    return CALL_BAD_ARGUMENT;
  call_lock_domains(privvm, NULL);
  domain_reap();
  u64 count = 0;
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) count++;
  if (count >= MAX_DOMAINS) return CALL_NO_MEMORY;
  u64 vmid = privvm->last_vmid + 1;
  if (spec.name[0] == 0) memcpy(spec.name, "vm0", 4), spec.name[2] = (char)('0' + vmid % 10);
  struct domain *domain = domain_new((u32)vmid, &spec);
  if (domain == NULL) return CALL_NO_MEMORY;
  undo_write(vcpu, &privvm->last_vmid, vmid);
  struct domain *last = domain_list;
  while (last->next != NULL) last = last->next;
  undo_log(vcpu, (u64 *)&last->next); /* undone: it is in no list, and its blocks are swept (fix-up `lists`) */
  undo_log(vcpu, &domain->magic);
  domain_link(domain);
  return (i64)vmid;
}

i64 control_start(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = domain_find(arguments[0]);
  if (domain == NULL || (arguments[1] & 1) != 0) return CALL_BAD_ARGUMENT;
  call_lock_domains(vcpu->domain, domain);
  struct vcpu *first = domain->vcpu;
  if (domain->state != DOMAIN_PAUSED || first->state != VCPU_DONE) return CALL_BUSY;
  first->pc = arguments[1];
  first->x[11] = arguments[2];
  undo_log(vcpu, (u64 *)((u64)&first->state & ~7ul));
  first->state = VCPU_RUNNABLE;
  sched_enqueue(&cpus[first->hart], first);
  undo_log(vcpu, (u64 *)((u64)&domain->state & ~7ul));
  domain->state = DOMAIN_RUNNING;
  sched_kick(first);
  return 0;
}

static i64 set_state(struct vcpu *vcpu, u64 vmid, u32 from, u32 to) {
  struct domain *domain = domain_find(vmid);
  if (domain == NULL || domain == vcpu->domain) return CALL_BAD_ARGUMENT;
  call_lock_domains(vcpu->domain, domain);
  if (domain->state == to) return 0; /* also when asked again */
  if (domain->state != from) return CALL_BUSY;
  domain->state = to;
  for (struct vcpu *each = domain->vcpu; each != NULL; each = each->next) sched_kick(each);
  return 0;
}

i64 control_pause(struct vcpu *vcpu, const u64 *arguments) {
  return set_state(vcpu, arguments[0], DOMAIN_RUNNING, DOMAIN_PAUSED);
}
i64 control_unpause(struct vcpu *vcpu, const u64 *arguments) {
  return set_state(vcpu, arguments[0], DOMAIN_PAUSED, DOMAIN_RUNNING);
}

static void free_leaf(u64 *entry, u64 gpa, void *context) {
  (void)gpa, (void)context;
  u64 old = *entry;
  *entry = 0;
  if (gstage_entry_maps_ram(old)) frame_unuse(gstage_entry_spa(old));
}
/**
 * No step of it needs undo: made again, it does what is left. What remains is DEAD, and reaped by the next creation.
 */
i64 control_destroy(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = domain_find(arguments[0]);
  if (domain == NULL || domain->privileged) return CALL_BAD_ARGUMENT;
  call_lock_domains(vcpu->domain, domain);
  if (domain->state == DOMAIN_DEAD) return 0;
  if (domain->state == DOMAIN_RUNNING || domain->state == DOMAIN_PAUSED) domain->state = DOMAIN_DYING;
  for (struct vcpu *each = domain->vcpu; each != NULL; each = each->next) {
    if (sched_is_off(each)) continue;
    sched_kick(each);
    return CALL_BUSY;
  }
  for (struct vcpu *each = domain->vcpu; each != NULL; each = each->next) {
    sched_remove(each);
    each->state = VCPU_DONE;
  }
  event_close_all(domain);
  grant_unmap_all(domain);
  domain->shared = NULL;
  domain->grants = NULL;
  gstage_walk(domain, free_leaf, NULL, NULL);
  domain->state = DOMAIN_DEAD;
  return 0;
}

i64 control_list(struct vcpu *vcpu, const u64 *arguments) {
  u64 at = arguments[0], count = 0;
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) {
    if (domain->state == DOMAIN_DEAD || count >= arguments[1]) continue;
    u64 vcpus = 0;
    for (struct vcpu *each = domain->vcpu; each != NULL; each = each->next) vcpus++;
    struct domain_info info = {domain->vmid, domain->state, vcpus, domain->frames, domain->status, domain->progress};
    if (!guest_write(vcpu->domain, at + count * sizeof(info), &info, sizeof(info))) return CALL_BAD_ARGUMENT;
    count++;
  }
  return (i64)count;
}
