/*
 * The toolstack: makes AppVMs from the bundle, as `vms=` and `later=` say, sees how they end, and destroys them then.
 *   vms=NAME,NAME,...          at once
 *   later=NAME@MS,NAME@MS,...  when virtual time has come to MS milliseconds
 *   vcpus=N                    of each; VCPUS without it
 *   pinning=off                their vCPUs go to any hart that has nothing to do
 * An AppVM's number is its place on the command line: VMID, hart, disk and network address follow from it.
 * Prints nothing that depends on time.
 */
#include "privvm.h"

#define RAM_BYTES 0x100000ul
#define RAM_PAGES (RAM_BYTES / PAGE_BYTES)
/** Frames that an AppVM may own: its RAM, and as much again for what it asks for itself. */
#define MAX_FRAMES (2 * RAM_PAGES)
#define VCPUS 1
/** Of one memory_populate: the rest of a VM's RAM goes into one multicall. */
#define CHUNK_PAGES 16
/** Pages that are mapped for copying at one time. */
#define COPY_PAGES 16
#define NAME_BYTES 16
#define LATEST_MS 1000000000ul
_Static_assert(VMS_MAX == 8, "as a message says");
/** domain_info.state */
#define STATE_DONE 1
#define STATE_CRASHED 2

static struct vm {
  char image[NAME_BYTES], name[NAME_BYTES];
  /** When it is created, on the clock `time`. */
  u64 due;
  enum { VM_PLANNED, VM_RUNNING, VM_ENDED, VM_CRASHED, VM_FAILED } state;
  /** It has ended, and still has its memory. */
  int lingers;
  u64 status;
} vms[VMS_MAX];
static u64 vm_count, ended;
static u64 vcpus, flags;
static const char *command_line;

/* What hypercalls read and write; none may cross a page. */
static struct multicall_entry calls[MULTICALL_MAX] __attribute__((aligned(2048)));
static struct domain_info infos[VMS_MAX + 1] __attribute__((aligned(512)));
static struct domain_spec spec __attribute__((aligned(64)));
_Static_assert(sizeof(calls) <= 2048 && sizeof(infos) <= 512, "within a page");
_Static_assert(RAM_PAGES / CHUNK_PAGES <= MULTICALL_MAX && COPY_PAGES <= MULTICALL_MAX, "one multicall");

/** Reads NAME or NAME@MS; what is wrong with it, or NULL. */
static const char *plan(const char *text, u64 bytes, int later) {
  u64 name_bytes = 0, ms = 0;
  while (name_bytes < bytes && text[name_bytes] != '@') name_bytes++;
  int timed = name_bytes < bytes;
  if (vm_count == VMS_MAX) return "is one VM too many: 8 are possible";
  if (timed && !later) return "has a time: such VMs go to later=";
  if (!timed && later) return "needs a time: NAME@MILLISECONDS";
  if (timed && (!number_parse(text + name_bytes + 1, bytes - name_bytes - 1, &ms) || ms > LATEST_MS))
    return "needs a number of milliseconds behind @";
  struct vm *vm = &vms[vm_count];
  u64 image_bytes;
  if (name_bytes < NAME_BYTES) memcpy(vm->image, text, name_bytes);
  if (name_bytes >= NAME_BYTES || bundle_find(vm->image, &image_bytes) == NULL)
    return "is no image of the bundle";
  vm_count++;
  memcpy(vm->name, "vm0", 4);
  vm->name[2] = (char)('0' + PRIVVM_VMID + vm_count);
  vm->due = ms * TIME_PER_MS;
  return NULL;
}

static int plan_all(const char *arguments, const char *option, int later) {
  u64 bytes = 0;
  const char *text = option_find(arguments, option, &bytes);
  for (u64 at = 0, start = 0; at <= bytes && bytes > 0; at++) {
    if (at < bytes && text[at] != ',') continue;
    const char *wrong = plan(text + start, at - start, later);
    if (wrong != NULL) {
      char entry[32] = {0};
      memcpy(entry, text + start, at - start < sizeof(entry) ? at - start : sizeof(entry) - 1);
      print_line("%s=: \"%s\" %s", option, entry, wrong);
      return 0;
    }
    start = at + 1;
  }
  return 1;
}

static int read_vcpus(const char *arguments) {
  u64 bytes;
  const char *pinning = option_find(arguments, "pinning", &bytes);
  if (pinning != NULL && bytes == 3 && memcmp(pinning, "off", 3) == 0) {
    flags = DOMAIN_UNPINNED;
  } else if (pinning != NULL && (bytes != 2 || memcmp(pinning, "on", 2) != 0)) {
    print_line("pinning= takes on or off");
    return 0;
  }
  vcpus = option_number(arguments, "vcpus", VCPUS);
  if (vcpus >= 1 && vcpus <= DOMAIN_VCPUS) return 1;
  print_line("vcpus= takes 1 to %d", (u64)DOMAIN_VCPUS);
  return 0;
}

int toolstack_read(const char *arguments) {
  command_line = arguments;
  if (!read_vcpus(arguments)) return 0;
  if (!plan_all(arguments, "vms", 0) || !plan_all(arguments, "later", 1)) return 0;
  if (vm_count == 0) print_line("no VM to make: vms= names images of the bundle, as in vms=unixbench,netbench");
  return vm_count != 0;
}

/** Makes the planned calls; 0 when one did not give `expected`. */
static int multicall(const char *what, u64 count, i64 expected) {
  i64 done = checked("multicall", hypercall(CALL_MULTICALL, calls, count));
  if (done < 0) return 0;
  if ((u64)done != count) {
    print_line("multicall of %s: %d of %d", what, (u64)done, count);
    failed("multicall");
    return 0;
  }
  for (u64 n = 0; n < count; n++) {
    if (checked(what, calls[n].result) == expected) continue;
    if (calls[n].result >= 0) failed(what);
    return 0;
  }
  return 1;
}

static int populate(u64 vmid) {
  u64 count = 0;
  for (u64 page = 0; page < RAM_PAGES; page += CHUNK_PAGES)
    calls[count++] = (struct multicall_entry){
        .call = CALL_MEMORY_POPULATE, .arguments = {GPA_RAM + page * PAGE_BYTES, CHUNK_PAGES, vmid}};
  return multicall("memory_populate", count, CHUNK_PAGES);
}

/** Copies into the VM's RAM, which must have room for it, through the window. */
static int copy_in(u64 vmid, u64 gpa, const u8 *data, u64 bytes) {
  while (bytes > 0) {
    u64 first = gpa & ~(PAGE_BYTES - 1), last = (gpa + bytes - 1) & ~(PAGE_BYTES - 1);
    u64 pages = (last - first) / PAGE_BYTES + 1;
    if (pages > COPY_PAGES) pages = COPY_PAGES;
    for (u64 n = 0; n < pages; n++)
      calls[n] = (struct multicall_entry){
          .call = CALL_MEMORY_MAP_FOREIGN,
          .arguments = {vmid, first + n * PAGE_BYTES, window_gpa(WINDOW_FOREIGN + n)}};
    if (!multicall("memory_map_foreign", pages, 0)) return 0;
    u64 piece = first + pages * PAGE_BYTES - gpa;
    if (piece > bytes) piece = bytes;
    memcpy((u8 *)window_gpa(WINDOW_FOREIGN) + (gpa - first), data, piece);
    for (u64 n = 0; n < pages; n++)
      calls[n] = (struct multicall_entry){.call = CALL_MEMORY_UNMAP_FOREIGN,
                                          .arguments = {window_gpa(WINDOW_FOREIGN + n)}};
    if (!multicall("memory_unmap_foreign", pages, 0)) return 0;
    gpa += piece, data += piece, bytes -= piece;
  }
  return 1;
}

/** Fills a domain with its program and starts it. */
static int build(u64 vmid, const struct vm *vm) {
  static struct program program;
  u64 bytes, line_gpa = GPA_RAM + RAM_BYTES - PAGE_BYTES, line_bytes = string_length(command_line) + 1;
  const u8 *elf = bundle_find(vm->image, &bytes);
  if (line_bytes > PAGE_BYTES || !program_read(elf, bytes, RAM_BYTES - PAGE_BYTES, &program)) {
    failed("an image of the bundle is no program for an AppVM");
    return 0;
  }
  if (!populate(vmid)) return 0;
  for (u64 n = 0; n < program.count; n++) {
    const struct segment *segment = &program.segments[n];
    if (!copy_in(vmid, segment->gpa, segment->data, segment->bytes)) return 0;
  }
  if (!copy_in(vmid, line_gpa, (const u8 *)command_line, line_bytes)) return 0;
  return checked("domain_start", hypercall(CALL_DOMAIN_START, vmid, program.entry, line_gpa)) >= 0;
}

static void create(u64 index) {
  struct vm *vm = &vms[index];
  vm->state = VM_FAILED;
  spec = (struct domain_spec){.hart = index + 1, .vcpus = vcpus, .max_frames = MAX_FRAMES, .flags = flags};
  memcpy(spec.name, vm->name, NAME_BYTES);
  i64 vmid = checked("domain_create", hypercall(CALL_DOMAIN_CREATE, &spec));
  if (vmid < 0) return;
  int fine = (u64)vmid == FIRST_VMID + index;
  if (!fine) failed("a new domain has not the next VMID");
  if (fine && build((u64)vmid, vm)) {
    vm->state = VM_RUNNING;
    backend_block_attach(index);
    backend_net_attach(index);
    backend_loop_attach(index);
    print_line("made %s from %s", vm->name, vm->image);
  } else {
    checked("domain_destroy", hypercall(CALL_DOMAIN_DESTROY, vmid));
  }
}

/** The hypervisor's entry for a VM in `infos`, or NULL. */
static const struct domain_info *list_find(u64 index, i64 listed) {
  for (i64 n = 0; n < listed && n < (i64)ARRAY_LENGTH(infos); n++)
    if (infos[n].vmid == FIRST_VMID + index) return &infos[n];
  return NULL;
}

static i64 list(void) { return checked("domain_list", hypercall(CALL_DOMAIN_LIST, infos, ARRAY_LENGTH(infos))); }

int vm_runs(u64 index) {
  if (vms[index].state != VM_RUNNING) return 0;
  const struct domain_info *info = list_find(index, list());
  return info != NULL && info->state != STATE_DONE && info->state != STATE_CRASHED;
}

/** Frees what an ended VM has, as soon as no hart is inside it any more. */
static void destroy(u64 index) {
  i64 result = hypercall(CALL_DOMAIN_DESTROY, FIRST_VMID + index);
  if (result == CALL_BUSY) return; /* again at the next step */
  checked("domain_destroy", result);
  vms[index].lingers = 0;
  checked("report_progress", hypercall(CALL_REPORT_PROGRESS, ++ended));
}

/** A VM is not served any more; `info` says how it ended. */
static void end(u64 index, const struct domain_info *info) {
  struct vm *vm = &vms[index];
  vm->state = info->state == STATE_DONE ? VM_ENDED : VM_CRASHED;
  vm->status = info->status;
  vm->lingers = 1;
  backend_block_detach(index);
  backend_net_detach(index);
  backend_loop_detach(index);
}

static void watch(void) {
  i64 listed = list();
  for (u64 index = 0; index < vm_count && listed >= 0; index++) {
    if (vms[index].state != VM_RUNNING) continue;
    const struct domain_info *info = list_find(index, listed);
    if (info == NULL) {
      vms[index].state = VM_FAILED;
      backend_block_detach(index);
      backend_net_detach(index);
      backend_loop_detach(index);
      failed("a domain is not in the list any more");
    } else if (info->state == STATE_DONE || info->state == STATE_CRASHED) {
      end(index, info);
    }
  }
}

int toolstack_step(void) {
  watch();
  u64 over = 0;
  /* In order, so that VMIDs follow from the command line. */
  for (u64 index = 0, blocked = 0; index < vm_count; index++) {
    struct vm *vm = &vms[index];
    blocked |= vm->state == VM_PLANNED && vm->due > time_now();
    if (vm->state == VM_PLANNED && !blocked) create(index);
    if (vm->state == VM_RUNNING) backend_block_search(index);
    if (vm->state == VM_RUNNING) backend_net_search(index);
    if (vm->state == VM_RUNNING) backend_loop_search(index);
    if (vm->lingers) destroy(index);
    over += vm->state > VM_RUNNING && !vm->lingers;
  }
  return over == vm_count && backend_block_idle();
}

u64 toolstack_result(void) {
  u64 bad = 0;
  for (u64 index = 0; index < vm_count; index++) {
    const struct vm *vm = &vms[index];
    if (vm->state == VM_ENDED) print_line("%s %s: status %d", vm->name, vm->image, vm->status);
    else print_line("%s %s: %s", vm->name, vm->image, vm->state == VM_CRASHED ? "crashed" : "failed");
    bad += vm->state != VM_ENDED || vm->status != 0;
  }
  return bad;
}
