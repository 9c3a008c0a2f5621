/*
 * The PrivVM's start and its event loop: interrupts of the real devices and events of AppVMs are ports, all of them
 * masked and polled; between them, at most PERIOD apart, the toolstack has a look around. Nothing waits anywhere else.
 */
#include "privvm.h"

/* What Lazarus gives the PrivVM. */
const u64 guest_ram_bytes = 0x200000;
#define MMIO_GPA 0x10001000ul
/** Of `time`: how often ended VMs and new front ends are looked for. */
#define PERIOD (500 * TIME_PER_US)

static union {
  struct shared_info info;
  u8 page[PAGE_BYTES];
} shared __attribute__((aligned(PAGE_BYTES)));

static struct {
  void (*serve)(u64 argument);
  u64 argument;
} ports[EVENT_PORTS];
/** Bit per port that has someone to serve it. */
static u64 in_use;

void port_serve(u64 port, void (*serve)(u64 argument), u64 argument) {
  if (port >= EVENT_PORTS) return failed("a port beyond the last");
  ports[port].serve = serve;
  ports[port].argument = argument;
  in_use |= 1ul << port;
}

void port_close(u64 port) {
  in_use &= ~(1ul << port);
  checked("event_close", hypercall(CALL_EVENT_CLOSE, port));
  __atomic_fetch_and(&shared.info.pending, ~(1ul << port), __ATOMIC_SEQ_CST);
}

/** Serves what is pending. A bit is cleared first, so that what comes while it is served is seen again. */
static void serve_pending(u64 pending) {
  __atomic_fetch_and(&shared.info.pending, ~pending, __ATOMIC_SEQ_CST);
  for (u64 port = 0; port < EVENT_PORTS; port++)
    if ((pending & in_use) >> port & 1) ports[port].serve(ports[port].argument);
}

static int begin(const char *arguments) {
  if (map_range(MMIO_GPA, MMIO_GPA, VIRTIO_SLOTS * PAGE_BYTES, PTE_READ | PTE_WRITE) != 0 ||
      map_range(WINDOW_GPA, WINDOW_GPA, WINDOW_PAGES * PAGE_BYTES, PTE_READ | PTE_WRITE) != 0 ||
      map_range(guest_module, guest_module, guest_module_bytes, PTE_READ) != 0) {
    failed("no memory for page tables");
    return 0;
  }
  if (guest_module == 0 || !bundle_open(guest_module, guest_module_bytes)) {
    failed("the module is no bundle of guest images");
    return 0;
  }
  if (!toolstack_read(arguments)) return 0;
  shared.info.mask = ~0ul;
  if (checked("shared_info", hypercall(CALL_SHARED_INFO, &shared)) < 0) return 0;
  disk_init();
  nic_init();
  return 1;
}

u64 guest_main(const char *arguments) {
  if (!begin(arguments)) return 1;
  u64 next = time_now();
  for (;;) {
    if (time_now() >= next) {
      if (toolstack_step()) break;
      next = time_now() + PERIOD;
    }
    i64 pending = hypercall(CALL_EVENT_POLL, in_use, next);
    /* An error is small; port 63 is not in use before the other 63 are. */
    if (pending < 0 && pending > -4096) {
      checked("event_poll", pending);
      break;
    }
    serve_pending((u64)pending);
  }
  return toolstack_result() == 0 ? 0 : 1;
}
