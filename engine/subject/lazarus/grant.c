/*
 * Grants: a guest lets another one map, or us copy, single pages of its own. Its table is a page of its RAM; what is
 * mapped stands in the mapper's structure (a handle each) and in the mapper's G-stage tables. The flags READING and
 * WRITING in the granter's table follow from the mappings.
 */
#include "lazarus.h"

/** Flags share a word with the VMID behind them: there are no smaller atomics. */
static void flags_set(struct grant_entry *entry, u32 flags) {
  __atomic_fetch_or((volatile u32 *)entry, flags, __ATOMIC_SEQ_CST);
}
static void flags_clear(struct grant_entry *entry, u32 flags) {
  __atomic_fetch_and((volatile u32 *)entry, ~flags, __ATOMIC_SEQ_CST);
}

static u64 from_word(u64 vmid, u64 ref) { return vmid << 32 | ref; }

/** The granter's entry if it lets `vmid` in; NULL. */
static struct grant_entry *permitted(const struct domain *granter, u64 ref, u32 vmid, u16 need, int write) {
  if (granter == NULL || granter->grants == NULL || ref >= GRANT_ENTRIES) return NULL;
  struct grant_entry *entry = &granter->grants[ref];
  if ((entry->flags & need) == 0 || entry->vmid != vmid) return NULL;
  return write && (entry->flags & GRANT_READONLY) != 0 ? NULL : entry;
}

static u64 frame_gpa(const struct grant_entry *entry) { return (u64)entry->frame << 12; }

i64 grant_setup(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  u64 spa = gstage_lookup(domain, arguments[0], GSTAGE_WRITE);
  if (spa == 0 || (spa & (PAGE_BYTES - 1)) != 0) return CALL_BAD_ARGUMENT;
  if (domain->grants != NULL && domain->grants != (struct grant_entry *)spa) return CALL_BUSY;
  domain->grants = (struct grant_entry *)spa;
  return 0;
}

i64 grant_map(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain, *granter = domain_find(arguments[0]);
  u64 ref = arguments[1], gpa = arguments[2], readonly = arguments[3] != 0;
  if (granter == NULL || (gpa & (PAGE_BYTES - 1)) != 0) return CALL_BAD_ARGUMENT;
  call_lock_domains(domain, granter);
  struct grant_entry *entry = permitted(granter, ref, domain->vmid, GRANT_PERMIT, !readonly);
  if (entry == NULL) return CALL_DENIED;
  u64 spa = gstage_lookup(granter, frame_gpa(entry), GSTAGE_WRITE);
  u64 *leaf = gstage_leaf(domain, gpa, 1);
  if (spa == 0 || leaf == NULL || *leaf != 0) return CALL_BAD_ARGUMENT;
  for (i64 handle = 0; handle < GRANT_MAPPINGS; handle++) {
    struct grant_mapping *mapping = &domain->mappings[handle];
    if (mapping->spa != 0) continue;
    mapping->gpa = gpa;
    mapping->from_vmid_and_ref = from_word(granter->vmid, ref);
    mapping->readonly = readonly;
    undo_write(vcpu, &mapping->spa, spa);
    frame_use(spa);
    undo_write(vcpu, leaf, gstage_entry(spa, readonly ? GSTAGE_READ : GSTAGE_READ | GSTAGE_WRITE));
    flags_set(entry, readonly ? GRANT_READING : GRANT_READING | GRANT_WRITING);
    return handle;
  }
  return CALL_NO_MEMORY;
}

/** Clears the flags of an entry that `domain` has no (writable) mapping of any more. */
static void update_flags(const struct domain *domain, u64 from) {
  struct domain *granter = domain_find(from >> 32);
  if (granter == NULL || granter->grants == NULL || (from & 0xffffffff) >= GRANT_ENTRIES) return;
  u32 in_use = 0;
  for (u64 n = 0; n < GRANT_MAPPINGS; n++) {
    const struct grant_mapping *mapping = &domain->mappings[n];
    if (mapping->spa != 0 && mapping->from_vmid_and_ref == from)
      in_use |= mapping->readonly ? GRANT_READING : GRANT_READING | GRANT_WRITING;
  }
  flags_clear(&granter->grants[from & 0xffffffff], (GRANT_READING | GRANT_WRITING) & ~in_use);
}

static void unmap(struct vcpu *vcpu, struct domain *domain, struct grant_mapping *mapping) {
  u64 *leaf = gstage_leaf(domain, mapping->gpa, 0), spa = mapping->spa;
  if (leaf != NULL && gstage_entry_spa(*leaf) == spa) {
    if (vcpu != NULL) undo_log(vcpu, leaf);
    *leaf = 0;
    gstage_fence(domain);
  }
  if (vcpu != NULL) undo_log(vcpu, &mapping->spa);
  mapping->spa = 0;
  frame_unuse(spa);
  update_flags(domain, mapping->from_vmid_and_ref);
}

i64 grant_unmap(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  if (arguments[0] >= GRANT_MAPPINGS) return CALL_BAD_ARGUMENT;
  struct grant_mapping *mapping = &domain->mappings[arguments[0]];
  if (mapping->spa == 0) return CALL_NOT_FOUND;
  call_lock_domains(domain, domain_find(mapping->from_vmid_and_ref >> 32));
  unmap(vcpu, domain, mapping);
  return 0;
}

void grant_unmap_all(struct domain *domain) {
  for (u64 n = 0; n < GRANT_MAPPINGS; n++)
    if (domain->mappings[n].spa != 0) unmap(NULL, domain, &domain->mappings[n]);
}

/** Where one end of a copy is, or NULL. */
static u8 *copy_end(struct domain *domain, const struct grant_end *end, u64 bytes, int write) {
  u64 access = write ? GSTAGE_WRITE : GSTAGE_READ;
  if (end->vmid == 0) {
    if ((end->ref_or_gpa & (PAGE_BYTES - 1)) + bytes > PAGE_BYTES) return NULL;
    return (u8 *)gstage_lookup(domain, end->ref_or_gpa, access);
  }
  if (end->offset > PAGE_BYTES || bytes > PAGE_BYTES - end->offset) return NULL;
  struct domain *granter = domain_find(end->vmid);
  struct grant_entry *entry = permitted(granter, end->ref_or_gpa, domain->vmid, GRANT_PERMIT, write);
  if (entry == NULL) return NULL;
  u64 spa = gstage_lookup(granter, frame_gpa(entry), access);
  return spa == 0 ? NULL : (u8 *)(spa & ~(PAGE_BYTES - 1)) + end->offset;
}

/** Needs no undo: copying again gives the same, for granters do not touch pages that they lend. */
i64 grant_copy(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  u64 at = arguments[0], count = arguments[1];
  if (count > GRANT_COPY_MAX) return CALL_BAD_ARGUMENT;
  i64 good = 0;
  for (u64 n = 0; n < count; n++, at += sizeof(struct grant_copy)) {
    struct grant_copy operation;
    if (!guest_read(domain, at, &operation, sizeof(operation))) return CALL_BAD_ARGUMENT;
    u64 bytes = operation.bytes;
    u8 *from = bytes <= PAGE_BYTES ? copy_end(domain, &operation.from, bytes, 0) : NULL;
    u8 *to = bytes <= PAGE_BYTES ? copy_end(domain, &operation.to, bytes, 1) : NULL;
    i64 result = from != NULL && to != NULL ? 0 : CALL_DENIED;
    if (result == 0) copy_compared(to, from, bytes), good++;
    else suspect_sometimes();
    if (!guest_write(domain, at + offsetof(struct grant_copy, result), &result, sizeof(result))) return CALL_BAD_ARGUMENT;
  }
  return good;
}

i64 grant_transfer(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain, *receiver = domain_find(arguments[1]);
  u64 gpa = arguments[0], ref = arguments[2];
  if (receiver == NULL || receiver == domain || (gpa & (PAGE_BYTES - 1)) != 0) return CALL_BAD_ARGUMENT;
  call_lock_domains(domain, receiver);
  struct grant_entry *entry = permitted(receiver, ref, domain->vmid, GRANT_ACCEPT, 0);
  if (entry == NULL || (entry->flags & GRANT_TRANSFERRED) != 0) return CALL_DENIED;
  u64 spa = gstage_lookup(domain, gpa, GSTAGE_WRITE);
  struct frame *frame = spa == 0 ? NULL : frame_of(spa);
  u64 *from = gstage_leaf(domain, gpa, 0), *to = gstage_leaf(receiver, frame_gpa(entry), 1);
  if (frame == NULL || frame->owner != domain->vmid || frame->count != 1) return CALL_BUSY;
  if (to == NULL || *to != 0 || receiver->frames >= receiver->max_frames) return CALL_NO_MEMORY;
  undo_write(vcpu, from, 0);
  gstage_fence(domain);
  undo_log(vcpu, (u64 *)frame);
  frame->owner = receiver->vmid;
  undo_write(vcpu, to, gstage_entry(spa, GSTAGE_READ | GSTAGE_WRITE));
  undo_write(vcpu, &domain->frames, domain->frames - 1);
  undo_write(vcpu, &receiver->frames, receiver->frames + 1);
  undo_log(vcpu, (u64 *)entry);
  flags_set(entry, GRANT_TRANSFERRED);
  return 0;
}
