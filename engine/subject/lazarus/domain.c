/*
 * Domains: what a VM is made of, and the list of them. Domain, vCPUs and the root of the G-stage tables lie in the
 * heap; its RAM is frames. Whoever builds a domain links it last.
 */
#include "lazarus.h"

struct domain *domain_list;
STATIC_LOCK(domain_list_lock, "domain list");

struct domain *domain_new(u32 vmid, const struct domain_spec *spec) {
  struct domain *domain = heap_alloc(BLOCK_DOMAIN, vmid, sizeof(*domain), 32);
  u64 hgatp = domain == NULL ? 0 : gstage_create(vmid);
  if (hgatp == 0) return NULL;
  domain->vmid = vmid;
  domain->state = DOMAIN_PAUSED;
  memcpy(domain->name, spec->name, sizeof(domain->name) - 1);
  domain->hgatp = hgatp;
  domain->max_frames = spec->max_frames;
  lock_init(&domain->lock, "domain");
  struct vcpu **link = &domain->vcpu;
  for (u64 index = 0; index < spec->vcpus; index++) {
    struct vcpu *vcpu = heap_alloc(BLOCK_VCPU, vmid, sizeof(*vcpu), 32);
    if (vcpu == NULL) return NULL;
    vcpu->domain = domain;
    vcpu->index = (u32)index;
    vcpu->hart = (u32)((spec->hart + index) % board.hart_count);
    vcpu->pinned = (spec->flags & DOMAIN_UNPINNED) == 0;
    vcpu->state = VCPU_DONE; /* until it is started */
    vcpu->sstatus = STATUS_SPP; /* VS-mode */
    vcpu->x[10] = index;
    vcpu->vs.vstimecmp = ~0ul;
    *link = vcpu;
    link = &vcpu->next;
  }
  return domain;
}

void domain_link(struct domain *domain) {
  lock_acquire(&domain_list_lock);
  struct domain **link = &domain_list;
  while (*link != NULL) link = &(*link)->next;
  domain->magic = DOMAIN_MAGIC;
  __atomic_store_n(link, domain, __ATOMIC_RELEASE); /* critical write: visible when whole */
  lock_release(&domain_list_lock);
}

static void free_table(u64 spa, void *context) {
  (void)context;
  frame_unuse(spa);
}

/** Its frames are gone, and it is in no list. */
static void release(struct domain *domain) {
  domain->magic = 0;
  gstage_walk(domain, NULL, free_table, NULL);
  for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL;) {
    struct vcpu *next = vcpu->next;
    heap_free(vcpu);
    vcpu = next;
  }
  heap_free((void *)((domain->hgatp & 0xffffffffffful) << 12));
  heap_free(domain);
}

void domain_reap(void) {
  for (struct domain **link = &domain_list; *link != NULL;) {
    struct domain *domain = *link;
    if (domain->state != DOMAIN_DEAD) {
      link = &domain->next;
      continue;
    }
    lock_acquire(&domain_list_lock);
    __atomic_store_n(link, domain->next, __ATOMIC_RELEASE);
    lock_release(&domain_list_lock);
    release(domain);
  }
}

struct domain *domain_find(u64 vmid) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    if (domain->vmid == vmid) return domain;
  return NULL;
}

struct vcpu *domain_vcpu(const struct domain *domain, u64 index) {
  for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next)
    if (vcpu->index == index) return vcpu;
  return NULL;
}

u64 domain_populate(struct domain *domain, u64 gpa, u64 frames) {
  for (u64 done = 0; done < frames; done++) {
    if (done % 256 == 255) timer_beat();
    u64 *entry = gstage_leaf(domain, gpa + done * PAGE_BYTES, 1);
    u64 spa = entry == NULL || *entry != 0 ? 0 : frame_alloc(FRAME_RAM, domain->vmid);
    if (spa == 0) return done;
    *entry = gstage_entry(spa, GSTAGE_READ | GSTAGE_WRITE);
    domain->frames++;
  }
  return frames;
}

int domain_all_done(void) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    if (domain->state == DOMAIN_RUNNING || domain->state == DOMAIN_PAUSED) return 0;
  return 1;
}

int domain_tables_sane(const struct domain *domain) {
  return domain->hgatp >> 60 == 8 && (domain->hgatp >> 44 & 0x3fff) == domain->vmid &&
         heap_is(BLOCK_GSTAGE, (void *)((domain->hgatp & 0xffffffffffful) << 12));
}

void domain_end(struct domain *domain, u64 status, enum domain_state state) {
  domain->status = status;
  note(NOTE_VM_DONE, domain->vmid);
  domain->state = state; /* first: the vCPUs' states follow from it (fix-up sched) */
  for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next) {
    vcpu->state = VCPU_DONE;
    sched_kick(vcpu);
  }
  sbi(SBI_IPI, 0, 1ul << boot_hart, 0, 0, 0); /* it may be the last one, and the boot hart asleep */
}
