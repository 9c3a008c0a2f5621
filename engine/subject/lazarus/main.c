/*
 * Boot of the first instance: board, heap, frames, first domains, the other harts, the scheduler.
 */
#include "lazarus.h"

#define HEAP_BYTES 0x200000ul

struct board_info board;
u64 boot_hart, instance;
volatile u32 may_run;

void hart_init(u64 id, int csrs) {
  struct cpu *cpu = &cpus[id];
  __asm__ volatile("mv tp, %0" : : "r"(cpu));
  cpu->id = id;
  cpu->held_count = cpu->given_count = 0;
  if (csrs) trap_init();
}

void heap_bounds(u64 *start, u64 *end) {
  *start = (u64)bss_end;
  *end = *start + HEAP_BYTES;
}

void frame_bounds(u64 *start, u64 *end) {
  u64 heap_start;
  heap_bounds(&heap_start, start);
  *end = (board.memory_base + board.memory_bytes) & ~(PAGE_BYTES - 1);
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

void give_up(const char *why) {
  print("lazarus: %s\n", why);
  for (;;) sbi(SBI_SRST, 0, 0, 1, 0, 0);
}

static void options_read(void) {
  u64 bytes;
  const char *text = option_find(board.bootargs, "undo", &bytes);
  if (text != NULL && string_is(text, bytes, "off"))
    undo_enabled = 0;
  else if (text != NULL && !string_is(text, bytes, "on"))
    give_up("undo= takes on or off");
  plant_read(board.bootargs);
}

void boot_main(u64 hart, const void *fdt) {
  fdt_read(fdt, &board); /* the firmware has checked it */
  boot_hart = hart;
  hart_init(hart, 1);
  irq_init();
  console_init();
  options_read();
  u64 start, end;
  frame_bounds(&start, &end);
  if (end < start + 64 * PAGE_BYTES) give_up("RAM is too small");
  frames_init(start, end);
  heap_bounds(&start, &end);
  heap_init(start, end);
  store_init();
  build_domains();
  for (u64 id = 0; id < board.hart_count; id++) {
    lock_init(&cpus[id].lock, "queue");
    timer_start(&cpus[id]);
    cpus[id].arm_timer = 1;
  }
  start_other_harts();
  u64 domains = 0;
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next) domains++;
  print("lazarus: %d harts, %d VMs, heap %d KiB of %d in use, %d frames free\n", board.hart_count, domains,
        heap_used() / 1024, (end - start) / 1024, frames_free());
  note(NOTE_HYPERVISOR_UP, instance);
  fence();
  may_run = 1;
  sched_loop();
}

void secondary_main(u64 hart) {
  hart_init(hart, instance == 0 || secondary_csrs);
  sched_loop();
}
