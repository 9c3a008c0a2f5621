/*
 * Boot of the first instance: board, heap, two domains from the initrd, the other harts, the scheduler.
 */
#include "lazarus.h"

#define VM_COUNT 2
#define HEAP_BYTES 0x800000ul

struct board_info board;
u64 boot_hart, instance;
volatile u32 may_run;

void hart_init(u64 id) {
  struct cpu *cpu = &cpus[id];
  __asm__ volatile("mv tp, %0" : : "r"(cpu));
  cpu->id = id;
  lock_init(&cpu->lock, "queue");
  trap_init();
}

void heap_bounds(u64 *start, u64 *end) {
  *start = (u64)bss_end;
  *end = *start + HEAP_BYTES;
  if (board.initrd_start >= *start && board.initrd_start < *end) *end = board.initrd_start;
  if (board.memory_base + board.memory_bytes < *end) *end = board.memory_base + board.memory_bytes;
}

void start_other_harts(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    if (hart == boot_hart) continue;
    struct sbi_result result = sbi(SBI_HSM, SBI_HSM_START, hart, (u64)secondary_entry, 0, 0);
    ASSERT(result.error == SBI_OK);
  }
}

void system_shutdown(u64 failed) {
  print("lazarus: shut down: %s\n", failed == 0 ? "pass" : "fail");
  for (;;) sbi(SBI_SRST, 0, 0, failed != 0, 0, 0);
}

static void give_up(const char *why) {
  print("lazarus: %s\n", why);
  for (;;) sbi(SBI_SRST, 0, 0, 1, 0, 0);
}

static void create_domains(void) {
  const u8 *elf = (const u8 *)board.initrd_start;
  u64 bytes = board.initrd_end - board.initrd_start;
  if (bytes == 0) give_up("no guest: give its ELF image with -initrd");
  for (u32 vmid = 1; vmid <= VM_COUNT; vmid++) {
    u32 hart = (vmid - 1) % board.hart_count;
    struct domain *domain = domain_create(vmid, hart, elf, bytes, board.bootargs);
    if (domain == NULL) give_up("cannot create the VMs: the initrd is no RV64 ELF image for guest RAM, or RAM is too small");
    sched_enqueue(&cpus[hart], domain->vcpu);
  }
}

void boot_main(u64 hart, const void *fdt) {
  fdt_read(fdt, &board); /* the firmware has checked it */
  boot_hart = hart;
  hart_init(hart);
  console_init();
  plant_read(board.bootargs);
  u64 heap_start, heap_end;
  heap_bounds(&heap_start, &heap_end);
  if (heap_end < heap_start + PAGE_BYTES) give_up("RAM is too small");
  heap_init(heap_start, heap_end);
  lock_init(&domain_list_lock, "domain list");
  store_init();
  create_domains();
  for (u64 id = 0; id < board.hart_count; id++) cpus[id].arm_timer = 1;
  start_other_harts();
  print("lazarus: %d harts, %d VMs, heap %d KiB of %d in use\n", board.hart_count, VM_COUNT, heap_used() / 1024,
        (heap_end - heap_start) / 1024);
  note(NOTE_HYPERVISOR_UP, instance);
  fence();
  may_run = 1;
  sched_loop();
}

void secondary_main(u64 hart) {
  hart_init(hart);
  sched_loop();
}
