/*
 * Memory operations: frames come, go, are exchanged, and those of other VMs are mapped. The frame table needs no undo
 * (see frame.c); entries of G-stage tables and a domain's count of frames do.
 */
#include "lazarus.h"

static int aligned(u64 gpa) { return (gpa & (PAGE_BYTES - 1)) == 0; }

i64 memory_populate(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = arguments[2] == 0 ? vcpu->domain : domain_find(arguments[2]);
  u64 gpa = arguments[0], pages = arguments[1], done = 0;
  if (domain == NULL || !aligned(gpa) || pages > MEMORY_CHUNK) return CALL_BAD_ARGUMENT;
  if (domain != vcpu->domain && !vcpu->domain->privileged) return CALL_DENIED;
  call_lock_domains(vcpu->domain, domain);
  undo_log(vcpu, &domain->frames);
  for (; done < pages && domain->frames < domain->max_frames; done++) {
    u64 *leaf = gstage_leaf(domain, gpa + done * PAGE_BYTES, 1);
    if (leaf == NULL || *leaf != 0) break;
    u64 spa = frame_alloc(FRAME_RAM, domain->vmid);
    if (spa == 0) break;
    undo_write(vcpu, leaf, gstage_entry(spa, GSTAGE_READ | GSTAGE_WRITE));
    domain->frames++;
  }
  return (i64)done;
}

/** The leaf of an own frame that nobody else maps; NULL. */
static u64 *own_leaf(struct domain *domain, u64 gpa) {
  u64 *leaf = gstage_leaf(domain, gpa, 0);
  if (leaf == NULL || !gstage_entry_maps_ram(*leaf)) return NULL;
  u64 spa = gstage_entry_spa(*leaf);
  const struct frame *frame = frame_of(spa);
  if (frame->type != FRAME_RAM || frame->owner != domain->vmid || frame->count != 1) return NULL;
  if (spa == (u64)domain->shared || spa == (u64)domain->grants) return NULL;
  return leaf;
}

/*
 * A frame that was given back must not be handed out before the call can no longer be undone: its old content would be
 * lost. Hence two passes: entries first (logged), and the frames when all is committed.
 */
i64 memory_decrease(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  u64 gpa = arguments[0], pages = arguments[1], done = 0, given[MEMORY_CHUNK];
  if (!aligned(gpa) || pages > MEMORY_CHUNK) return CALL_BAD_ARGUMENT;
  call_lock_domains(domain, NULL);
  undo_log(vcpu, &domain->frames);
  for (; done < pages; done++) {
    u64 *leaf = own_leaf(domain, gpa + done * PAGE_BYTES);
    if (leaf == NULL) break;
    given[done] = gstage_entry_spa(*leaf);
    undo_write(vcpu, leaf, 0);
    domain->frames--;
  }
  if (done > 0) gstage_fence(domain);
  for (u64 n = 0; n < done; n++) call_unuse_later(given[n]);
  return (i64)done;
}

i64 memory_exchange(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  if (!aligned(arguments[0])) return CALL_BAD_ARGUMENT;
  call_lock_domains(domain, NULL);
  u64 *leaf = own_leaf(domain, arguments[0]);
  if (leaf == NULL) return CALL_BUSY;
  u64 old = gstage_entry_spa(*leaf), fresh = frame_take(FRAME_RAM, domain->vmid);
  if (fresh == 0) return CALL_NO_MEMORY;
  copy_compared((void *)fresh, (const void *)old, PAGE_BYTES);
  undo_write(vcpu, leaf, gstage_entry(fresh, GSTAGE_READ | GSTAGE_WRITE));
  gstage_fence(domain);
  call_unuse_later(old);
  return 0;
}

i64 memory_map_foreign(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain, *foreign = domain_find(arguments[0]);
  if (foreign == NULL || !aligned(arguments[1]) || !aligned(arguments[2])) return CALL_BAD_ARGUMENT;
  call_lock_domains(domain, foreign);
  u64 spa = gstage_lookup(foreign, arguments[1], GSTAGE_READ);
  u64 *leaf = gstage_leaf(domain, arguments[2], 1);
  if (spa == 0 || leaf == NULL || *leaf != 0) return CALL_BAD_ARGUMENT;
  frame_use(spa);
  undo_write(vcpu, leaf, gstage_entry(spa, GSTAGE_READ | GSTAGE_WRITE));
  return 0;
}

i64 memory_unmap_foreign(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  call_lock_domains(domain, NULL);
  u64 *leaf = gstage_leaf(domain, arguments[0], 0);
  if (leaf == NULL || !gstage_entry_maps_ram(*leaf)) return CALL_NOT_FOUND;
  u64 spa = gstage_entry_spa(*leaf);
  if (frame_of(spa)->type != FRAME_RAM || frame_of(spa)->owner == domain->vmid) return CALL_BAD_ARGUMENT;
  undo_write(vcpu, leaf, 0);
  gstage_fence(domain);
  call_unuse_later(spa);
  return 0;
}

i64 memory_machine(struct vcpu *vcpu, const u64 *arguments) {
  u64 spa = gstage_lookup(vcpu->domain, arguments[0], GSTAGE_READ);
  return spa == 0 ? CALL_NOT_FOUND : (i64)spa;
}
