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

/** Not inlined: check_found shall not know what it finds. */
static __attribute__((noinline)) struct entry *find(u64 vmid, u64 key) {
  for (struct entry *entry = store->first; entry != NULL; entry = entry->next)
    if (entry->vmid == vmid && entry->key == key) return entry;
  return NULL;
}

/** No answer of the store says that it is wrong, so it looks twice at what was found. */
static struct entry *check_found(struct entry *entry, u64 vmid, u64 key) {
  CHECK(found, entry == NULL || (entry->vmid == vmid && entry->key == key));
  return entry;
}

/** Finds or makes an entry. Linking it is one store, when it is whole: made again, the call finds it. */
static struct entry *obtain(const struct vcpu *vcpu, u64 key) {
  struct entry *entry = check_found(find(vcpu->domain->vmid, key), vcpu->domain->vmid, key);
  if (entry != NULL) return entry;
  suspect_sometimes(); /* a second entry for one key would be a wrong answer for good */
  entry = heap_alloc(BLOCK_ENTRY, vcpu->domain->vmid, sizeof(*entry), 32);
  if (entry == NULL) return NULL;
  entry->vmid = vcpu->domain->vmid;
  entry->key = key;
  entry->next = store->first;
  __atomic_store_n(&store->first, entry, __ATOMIC_RELEASE);
  return entry;
}

i64 store_put(struct vcpu *vcpu, const u64 *arguments) {
  call_lock(&store->lock);
  struct entry *entry = obtain(vcpu, arguments[0]);
  if (entry == NULL) return CALL_NO_MEMORY;
  entry->value = arguments[1];
  return 0;
}

i64 store_get(struct vcpu *vcpu, const u64 *arguments) {
  call_lock(&store->lock);
  struct entry *entry = check_found(find(vcpu->domain->vmid, arguments[0]), vcpu->domain->vmid, arguments[0]);
  return entry != NULL ? (i64)entry->value : CALL_NOT_FOUND;
}

i64 store_add(struct vcpu *vcpu, const u64 *arguments) {
  call_lock(&store->lock);
  struct entry *entry = obtain(vcpu, arguments[0]);
  if (entry == NULL) return CALL_NO_MEMORY;
  undo_write(vcpu, &entry->value, entry->value + arguments[1]);
  return (i64)entry->value;
}

i64 store_peek(struct vcpu *vcpu, const u64 *arguments) {
  (void)vcpu;
  call_lock(&store->lock);
  struct entry *entry = check_found(find(arguments[0], arguments[1]), arguments[0], arguments[1]);
  return entry != NULL ? (i64)entry->value : CALL_NOT_FOUND;
}
