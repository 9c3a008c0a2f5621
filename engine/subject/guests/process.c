/*
 * Processes: round robin between VU-mode programs, preempted by the timer's tick; system calls; pipes. Single-threaded
 * kernel: interrupts are off but for a window between two turns, and no system call waits inside the kernel: a process
 * that must wait makes its call again when its turn comes.
 */
#include "process.h"
#include "guest.h"

#define PROCESSES 16u
#define PIPES 8u
#define PIPE_WORDS 24u
/** Shorter than a program takes, so that programs are cut off anywhere. */
#define TICK (20 * TIME_PER_US)
#define NO_PARENT PROCESSES

enum process_state { PROCESS_FREE, PROCESS_READY, PROCESS_WAITING, PROCESS_ENDED };
struct process {
  /** x[0] is the pc. */
  u64 x[32];
  u64 kernel_sp;
  u64 *root;
  u64 state, parent, status;
  u64 program, seed, size;
  u64 catching, faults;
};
struct pipe {
  u64 taken, maker;
  u64 made, used;
  u64 words[PIPE_WORDS];
};
_Static_assert(offsetof(struct process, kernel_sp) == PROCESS_KERNEL_SP, "process_run.S");

u64 process_run(struct process *process);
extern u8 user_start[], user_end[];

static struct process processes[PROCESSES];
static struct pipe pipes[PIPES];
u64 process_switches;

static u64 number_of(const struct process *process) { return (u64)(process - processes); }
static u64 asid_of(const struct process *process) { return number_of(process) + 1; }

static struct process *take_slot(void) {
  for (u64 n = 0; n < PROCESSES; n++)
    if (processes[n].state == PROCESS_FREE) return memset(&processes[n], 0, sizeof(processes[n]));
  return NULL;
}

int process_start(u64 program, u64 seed, u64 size) {
  struct process *process = take_slot();
  if (process == NULL || (process->root = space_make()) == NULL) return -1;
  if (space_map(process->root, USER_STACK, 1) != 0) return space_free(process->root, asid_of(process)), -1;
  process->x[0] = USER_TEXT + (u64)user_main - (u64)user_start;
  process->x[2] = USER_STACK + PAGE_BYTES;
  process->x[10] = process->program = program;
  process->x[11] = process->seed = seed;
  process->x[12] = process->size = size;
  process->parent = NO_PARENT;
  process->state = PROCESS_READY;
  return 0;
}

static u64 do_fork(struct process *parent) {
  struct process *child = take_slot();
  if (child == NULL || (child->root = space_fork(parent->root, asid_of(parent))) == NULL) return ~0ul;
  memcpy(child->x, parent->x, sizeof(child->x));
  child->x[10] = 0;
  child->parent = number_of(parent);
  child->state = PROCESS_READY;
  return 1;
}

static void end(struct process *process, u64 status) {
  for (u64 n = 0; n < PIPES; n++)
    if (pipes[n].taken && pipes[n].maker == number_of(process)) pipes[n].taken = 0;
  for (u64 n = 0; n < PROCESSES; n++) /* programs wait for theirs */
    if (processes[n].state != PROCESS_FREE && processes[n].parent == number_of(process)) failed("a process left a child");
  space_free(process->root, asid_of(process));
  process->status = status;
  process->state = PROCESS_ENDED;
}

/** 1 when there was something to wait for and it is here. */
static int do_wait(struct process *process) {
  int children = 0;
  for (u64 n = 0; n < PROCESSES; n++) {
    struct process *child = &processes[n];
    if (child->state == PROCESS_FREE || child->parent != number_of(process)) continue;
    children++;
    if (child->state != PROCESS_ENDED) continue;
    process->x[10] = child->status;
    child->state = PROCESS_FREE;
    return 1;
  }
  if (children == 0) process->x[10] = ~0ul;
  return children == 0;
}

static u64 do_pipe(struct process *process) {
  for (u64 n = 0; n < PIPES; n++) {
    if (pipes[n].taken) continue;
    pipes[n] = (struct pipe){.taken = 1, .maker = number_of(process)};
    return n;
  }
  return ~0ul;
}

/**
 * Moves `words` words between a pipe and the process, all at once. 1 when done (result in x10), 0 when there is too
 * little in it, or too little room.
 */
static int transfer(struct process *process, u64 number, u64 address, u64 words, int into_pipe) {
  process->x[10] = ~0ul;
  if (number >= PIPES || !pipes[number].taken || words > PIPE_WORDS) return 1;
  struct pipe *pipe = &pipes[number];
  u64 filled = pipe->made - pipe->used;
  if (into_pipe ? filled + words > PIPE_WORDS : filled < words) return 0;
  for (u64 n = 0; n < words; n++) {
    u64 *word = space_word(process->root, asid_of(process), address + n * 8, !into_pipe);
    if (word == NULL) return 1;
    if (into_pipe)
      pipe->words[pipe->made++ % PIPE_WORDS] = *word;
    else
      *word = pipe->words[pipe->used++ % PIPE_WORDS];
  }
  process->x[10] = 0;
  return 1;
}

static int may_map(u64 address, u64 pages) {
  return address % PAGE_BYTES == 0 && address >= USER_DATA && pages <= USER_DATA_PAGES &&
         address + pages * PAGE_BYTES <= USER_DATA + USER_DATA_PAGES * PAGE_BYTES;
}

/** Serves a system call. A call that cannot be served yet restores x10 and leaves pc: it will be made again. */
static void system_call(struct process *process) {
  u64 *x = process->x, call = x[17], first = x[10], asid = asid_of(process);
  int done = 1;
  switch (call) {
    case SYS_EXIT: end(process, first); return;
    case SYS_YIELD: break;
    case SYS_WAIT: done = do_wait(process); break;
    case SYS_PIPE: x[10] = do_pipe(process); break;
    case SYS_WRITE: done = transfer(process, first, x[11], x[12], 1); break;
    case SYS_READ: done = transfer(process, first, x[11], x[12], 0); break;
    case SYS_MAP: x[10] = may_map(first, x[11]) ? (u64)space_map(process->root, first, x[11]) : ~0ul; break;
    case SYS_UNMAP: x[10] = may_map(first, x[11]) ? (u64)space_unmap(process->root, asid, first, x[11]) : ~0ul; break;
    case SYS_PROTECT:
      x[10] = may_map(first, x[11]) ? (u64)space_protect(process->root, asid, first, x[11], x[12] != 0) : ~0ul;
      break;
    case SYS_CATCH_FAULTS:
      process->catching = first;
      x[10] = process->faults;
      break;
    case SYS_FORK:
      x[0] += 4; /* for the child, too */
      x[10] = do_fork(process);
      return;
    default: x[10] = ~0ul;
  }
  if (!done) x[10] = first;
  if (done) x[0] += 4;
  process->state = done ? PROCESS_READY : PROCESS_WAITING;
}

static void page_fault(struct process *process, u64 cause) {
  u64 address = csr_read(STVAL);
  int resolved = cause == EXC_STORE_PAGE ? space_store_fault(process->root, asid_of(process), address) : 0;
  if (resolved == 1) return;
  if (resolved == 0 && process->catching && cause != EXC_FETCH_PAGE) {
    u16 instruction = *(u16 *)(process->x[0] - USER_TEXT + (u64)user_start);
    process->x[0] += (instruction & 3) == 3 ? 4 : 2;
    process->faults++;
    return;
  }
  print_line("process: cause %d at %x, value %x", cause, process->x[0], address);
  failed(resolved < 0 ? "no memory for a process" : "a process faulted");
  end(process, ~0ul);
}

/** One turn: until the tick, a yield, or a call that must wait. Returns 0 when it waited before and still must. */
static int turn(struct process *process) {
  int progress = process->state == PROCESS_READY;
  process_switches++;
  process->state = PROCESS_READY;
  csr_write(SATP, SATP_SV39 | asid_of(process) << 44 | (u64)process->root >> 12);
  for (;;) {
    u64 cause = process_run(process);
    if (cause == EXC_ECALL_U) {
      u64 call = process->x[17];
      system_call(process);
      if (process->state == PROCESS_WAITING) return progress;
      if (process->state == PROCESS_ENDED || call == SYS_YIELD) return 1;
    } else if (cause == (CAUSE_INTERRUPT | IRQ_STI)) {
      timer_interrupt();
      return 1;
    } else if (cause == (CAUSE_INTERRUPT | IRQ_SEI)) {
      events_interrupt();
    } else if (cause == EXC_LOAD_PAGE || cause == EXC_STORE_PAGE || cause == EXC_FETCH_PAGE) {
      page_fault(process, cause);
      if (process->state == PROCESS_ENDED) return 1;
    } else {
      print_line("process: cause %d at %x", cause, process->x[0]);
      failed("a process trapped");
      end(process, ~0ul);
      return 1;
    }
    progress = 1;
  }
}

int processes_run(void (*ended)(u64 program, u64 seed, u64 size, u64 status)) {
  int left = 1, progress = 1;
  timer_tick(TICK);
  interrupts_off();
  while (left && progress) {
    left = progress = 0;
    for (u64 n = 0; n < PROCESSES; n++) {
      struct process *process = &processes[n];
      if (process->state == PROCESS_READY || process->state == PROCESS_WAITING) {
        left = 1;
        progress |= turn(process);
      }
      if (process->state == PROCESS_ENDED && process->parent == NO_PARENT) {
        ended(process->program, process->seed, process->size, process->status);
        process->state = PROCESS_FREE;
      }
      interrupts_on();
      interrupts_off();
    }
  }
  csr_write(SATP, SATP_SV39 | (u64)paging_root() >> 12);
  timer_tick(0);
  interrupts_on();
  return left ? -1 : 0;
}
