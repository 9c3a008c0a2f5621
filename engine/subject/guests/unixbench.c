/*
 * Guest `unixbench`: processes (process.c), memory management, and a storm of hypercalls, in rounds with sleep between.
 * Every answer is known beforehand. What it prints depends on its VMID and the command line only.
 */
#include "unixbench.h"

#include "process.h"

#define DEFAULT_ROUNDS 10ul
#define ROUND_MS 20ul
#define PIPELINE_WORDS 512ul
#define TREE_DEPTH 2ul
#define MEMORY_PAGES 6ul
#define SPIN_ROUNDS 4000ul
#define MAX_COMPLAINTS 8ul

static u64 state, sum, wrong, ends;
int provokes;

u64 bench_next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

void sum_up(u64 word) {
  u64 mixed = (sum ^ word) * 0x9e3779b97f4a7c15ul;
  sum = mixed << 29 | mixed >> 35;
}

void expect(int right, const char *what) {
  if (right) return;
  if (wrong++ < MAX_COMPLAINTS) print_line("wrong: %s", what);
}

static void ended(u64 program, u64 seed, u64 size, u64 status) {
  ends++;
  switch (program) {
    case PROGRAM_PIPELINE: expect(status == user_pipeline_sum(seed, size), "pipeline"); break;
    case PROGRAM_TREE: expect(status == (2ul << size) - 1, "tree of processes"); break;
    case PROGRAM_MEMORY: expect(status == 2 * size, "faults of a process"); break;
    default: expect(status == user_spin(seed, size), "registers of a process");
  }
}

/** All programs at once; the sum takes what they must end with, in the order of their start. */
static void processes_round(u64 round) {
  u64 free_pages = pages_free_count(), before = ends;
  u64 seeds[5];
  for (u64 n = 0; n < 5; n++) seeds[n] = bench_next() >> 8;
  int started = process_start(PROGRAM_PIPELINE, seeds[0], PIPELINE_WORDS) |
                process_start(PROGRAM_TREE, seeds[1], TREE_DEPTH) |
                process_start(PROGRAM_MEMORY, seeds[2], MEMORY_PAGES) |
                process_start(PROGRAM_SPIN, seeds[3], SPIN_ROUNDS + round) |
                process_start(PROGRAM_SPIN, seeds[4], SPIN_ROUNDS * 2);
  if (started != 0) failed("a process cannot be started");
  if (processes_run(ended) != 0) failed("processes wait for each other");
  expect(ends - before == 5, "number of processes");
  expect(pages_free_count() == free_pages, "pages after all processes ended");
  sum_up(user_pipeline_sum(seeds[0], PIPELINE_WORDS));
  sum_up(user_spin(seeds[3], SPIN_ROUNDS + round));
}

u64 guest_main(const char *arguments) {
  u64 rounds = option_number(arguments, "unixrounds", DEFAULT_ROUNDS) * option_number(arguments, "scale", 1);
  u64 begin = time_now(), vmid = (u64)checked("get_vmid", hypercall(CALL_GET_VMID));
  if (guest_failures != 0) return 1;
  state = 0x9e3779b97f4a7c15ul * (1 + vmid);
  if (checked("shared_info", events_on()) < 0 || checked("grant_setup", grants_on()) < 0) return 1;
  if (loop_connect() != 0) return 1;
  provokes = option_number(arguments, "errors", 1) != 0;
  storm_init(vmid);
  frames_init(vmid);
  for (u64 round = 1; round <= rounds; round++) {
    processes_round(round);
    frames_round();
    loop_round();
    storm_round();
    print_line("round %d/%d sum %x", round, rounds, sum);
    hypercall(CALL_REPORT_PROGRESS, round);
    if (round < rounds) sleep_until(begin + round * ROUND_MS * TIME_PER_MS);
  }
  print_line("sum %x %s", sum, wrong == 0 && guest_failures == 0 ? "ok" : "WRONG");
  return wrong == 0 ? 0 : 1;
}
