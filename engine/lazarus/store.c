/*
 * A key-value store shared by all VMs: heap-allocated entries in one list, under a lock that lies in the heap as well.
 * Keys of different VMs are different keys.
 */
#include "lazarus.h"

struct entry {
  struct entry *next;
  u64 vmid, key, value;
};
struct store {
  struct spinlock lock;
  struct entry *first;
};
struct store *store;

void store_init(void) {
  store = heap_alloc(BLOCK_STORE, 0, sizeof(*store), 32);
  ASSERT(store != NULL);
  lock_init(&store->lock, "store");
}

struct spinlock *store_lock(struct store *of) { return &of->lock; }

static struct entry *find(const struct vcpu *vcpu, u64 key) {
  for (struct entry *entry = store->first; entry != NULL; entry = entry->next)
    if (entry->vmid == vcpu->domain->vmid && entry->key == key) return entry;
  return NULL;
}

/** Finds or makes an entry. Linking it is one store, when it is whole: made again, the call finds it. */
static struct entry *obtain(const struct vcpu *vcpu, u64 key) {
  struct entry *entry = find(vcpu, key);
  if (entry != NULL) return entry;
  entry = heap_alloc(BLOCK_ENTRY, vcpu->domain->vmid, sizeof(*entry), 32);
  if (entry == NULL) return NULL;
  entry->vmid = vcpu->domain->vmid;
  entry->key = key;
  entry->next = store->first;
  __atomic_store_n(&store->first, entry, __ATOMIC_RELEASE);
  return entry;
}

void store_put(struct vcpu *vcpu, u64 key, u64 value) {
  lock_acquire(&store->lock);
  struct entry *entry = obtain(vcpu, key);
  if (entry != NULL) entry->value = value;
  hypercall_complete(vcpu, entry != NULL ? 0 : (u64)CALL_NO_MEMORY);
  lock_release(&store->lock);
}

void store_get(struct vcpu *vcpu, u64 key) {
  lock_acquire(&store->lock);
  struct entry *entry = find(vcpu, key);
  hypercall_complete(vcpu, entry != NULL ? entry->value : (u64)CALL_NOT_FOUND);
  lock_release(&store->lock);
}

void store_add(struct vcpu *vcpu, u64 key, u64 n) {
  lock_acquire(&store->lock);
  struct entry *entry = obtain(vcpu, key);
  u64 result = (u64)CALL_NO_MEMORY;
  if (entry != NULL) {
    hypercall_undo_log(vcpu, &entry->value);
    result = entry->value += n;
  }
  hypercall_complete(vcpu, result);
  lock_release(&store->lock);
}
