/*
 * Guest `team`: all vCPUs of the VM (vcpus=2 ... 4) work at one thing. In each round vCPU 0 starts the others, which
 * stop when they are done. Each sees its own page at the same address, under the same ASID, and stirs it; all add to
 * one word of memory and to one value of the store. What comes out is known beforehand, whoever ran where, and when.
 */
#include "guest.h"
#include "sbi.h"

#define DEFAULT_ROUNDS 6
#define STEPS 8
#define KEY 7
/** Where each vCPU sees a page of its own. */
#define OWN 0x2000000000ul
#define WORDS (PAGE_BYTES / 8)
#define STACK_BYTES 2048

static u8 stacks[DOMAIN_VCPUS][STACK_BYTES] __attribute__((aligned(16), used));
_Static_assert(STACK_BYTES == 1 << 11, "as team_entry multiplies");
static u64 satp[DOMAIN_VCPUS];
static volatile u64 total, wrong, done[DOMAIN_VCPUS];

/** a0 = vCPU, a1 = round. Paging is off; RAM has the same addresses when it is on. */
__attribute__((naked)) static void team_entry(void) {
  __asm__ volatile(
      "la sp, stacks\n addi t0, a0, 1\n slli t0, t0, 11\n add sp, sp, t0\n"
      "tail team_worker\n");
}

/** Own page: what this vCPU left there in its last round must be there, and nobody else's. */
static void work(u64 vcpu, u64 round) {
  volatile u64 *own = (u64 *)OWN;
  for (u64 step = 0; step < STEPS; step++) {
    for (u64 n = 0; n < WORDS; n += 16) {
      u64 visits = (round - 1) * STEPS + step;
      if (own[n] != (visits == 0 ? 0 : vcpu << 32 | n << 16 | visits)) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
      own[n] = vcpu << 32 | n << 16 | (visits + 1);
    }
    __atomic_fetch_add(&total, (vcpu + 1) * round, __ATOMIC_RELAXED);
    if (hypercall(CALL_STORE_ADD, KEY, (vcpu + 1) * round) < 0) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    hypercall(CALL_YIELD);
  }
}

static void own_space_on(u64 vcpu) {
  csr_write(SATP, satp[vcpu]);
  __asm__ volatile("sfence.vma" : : : "memory");
}

__attribute__((noreturn, used)) void team_worker(u64 vcpu, u64 round) {
  own_space_on(vcpu);
  work(vcpu, round);
  __atomic_store_n(&done[vcpu], round, __ATOMIC_RELEASE);
  register u64 a6 __asm__("a6") = SBI_HSM_STOP;
  register u64 a7 __asm__("a7") = SBI_HSM;
  for (;;) __asm__ volatile("ecall" : : "r"(a6), "r"(a7) : "a0", "a1", "memory");
}

/** A root for each vCPU: the kernel's space, and a page of its own. */
static int make_spaces(u64 vcpus) {
  for (u64 vcpu = 0; vcpu < vcpus; vcpu++) {
    u64 *root = page_alloc(), *page = page_alloc(), *leaf;
    if (root == NULL || page == NULL) return 0;
    memcpy(root, paging_root(), PAGE_BYTES);
    if ((leaf = pte_find(root, OWN, 1)) == NULL) return 0;
    *leaf = GPA_TO_PTE(gpa_of(page), PTE_VALID | PTE_READ | PTE_WRITE | PTE_AD);
    satp[vcpu] = SATP_SV39 | gpa_of(root) >> 12;
  }
  return 1;
}

/** A vCPU that is just stopping is busy for a while. */
static void start(u64 vcpu, u64 round) {
  i64 result;
  while ((result = hypercall(CALL_VCPU_START, vcpu, (u64)team_entry, round)) == CALL_BUSY) hypercall(CALL_YIELD);
  checked("vcpu_start", result);
}

u64 guest_main(const char *arguments) {
  u64 vcpus = option_number(arguments, "vcpus", 1), rounds = option_number(arguments, "teamrounds", DEFAULT_ROUNDS);
  rounds *= option_number(arguments, "scale", 1);
  if (guest_failures != 0) return 1;
  if (vcpus < 2 || vcpus > DOMAIN_VCPUS) {
    print_line("a team needs vcpus=2 to %d", (u64)DOMAIN_VCPUS);
    return 1;
  }
  if (!make_spaces(vcpus)) {
    failed("no memory for the vCPUs' tables");
    return 1;
  }
  own_space_on(0);
  u64 sum = 0;
  for (u64 round = 1; round <= rounds; round++) {
    for (u64 vcpu = 1; vcpu < vcpus; vcpu++) start(vcpu, round);
    work(0, round);
    for (u64 vcpu = 1; vcpu < vcpus; vcpu++)
      while (__atomic_load_n(&done[vcpu], __ATOMIC_ACQUIRE) != round) hypercall(CALL_YIELD);
    for (u64 vcpu = 0; vcpu < vcpus; vcpu++) sum += STEPS * (vcpu + 1) * round;
    i64 stored = hypercall(CALL_STORE_GET, KEY);
    if (total != sum || stored != (i64)sum) failed("the sums differ");
    print_line("round %d/%d sum %d", round, rounds, sum);
    hypercall(CALL_REPORT_PROGRESS, round);
    sleep_us(2000);
  }
  if (wrong != 0) failed("a vCPU saw another one's page");
  print_line("sum %d %s", sum, guest_failures == 0 ? "ok" : "WRONG");
  return 0;
}
