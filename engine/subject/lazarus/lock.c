/*
 * Spinlocks with owners, and panic. A hart that takes a lock twice, or releases one it does not own, is a bug and
 * panics; one that waits for a dead owner waits for ever, and the watchdog finds it.
 */
#include "lazarus.h"

void lock_init(struct spinlock *lock, const char *name) {
  u64 bytes = string_length(name);
  ASSERT(bytes < sizeof(lock->name));
  *lock = (struct spinlock){0};
  memcpy(lock->name, name, bytes);
}

void lock_acquire(struct spinlock *lock) {
  u32 self = (u32)this_cpu()->id + 1;
  ASSERT(lock->owner != self);
  for (;;) {
    u32 expected = 0;
    if (__atomic_compare_exchange_n(&lock->owner, &expected, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    while (lock->owner != 0) ASSERT(lock->owner <= BOARD_MAX_HARTS);
  }
}

void lock_release(struct spinlock *lock) {
  ASSERT(lock_held(lock));
  __atomic_store_n(&lock->owner, 0, __ATOMIC_RELEASE);
}

int lock_held(const struct spinlock *lock) { return lock->owner == (u32)this_cpu()->id + 1; }

void panic(u64 cause, const char *message) {
  u64 pc = (u64)__builtin_return_address(0);
  for (;;) sbi(SBI_RECOVERY, SBI_RECOVERY_FAIL, cause, (u64)message, pc, 0);
}
